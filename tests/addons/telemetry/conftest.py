"""A store on a real file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from addons.telemetry.store import Store


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    return tmp_path / "patchbay.db"


@pytest.fixture(name="open_store")
def fixture_open_store(path: Path) -> Iterator[Callable[..., Store]]:
    """Makes started stores; each is closed at the end."""
    stores: list[Store] = []

    def make(**values: Any) -> Store:
        store = Store(values.pop("path", path), **values)
        store.start()
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close(2)


@pytest.fixture(name="store")
def fixture_store(open_store: Callable[..., Store]) -> Store:
    return open_store()
