"""What every test gets: a clean environment, asyncio, and on request a tiny model behind a real llama.cpp."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from scripts.engine import Engine

CONTEXT = 65536  # tokens; coding agents send some 40,000
OURS = ("PATCHBAY_",)
# A property says what holds, not how fast: a busy machine must not fail it.
hypothesis.settings.register_profile("patchbay", deadline=None)
hypothesis.settings.load_profile("patchbay")
FOREIGN = ("_API_KEY", "_API_KEY_FILE", "_BASE_URL", "_PROXY")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: whoever waits learns early what is broken."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the developer's settings, keys, proxies or home folder; subprocesses of the test neither."""
    for name in list(os.environ):
        if name.upper().startswith(OURS) or name.upper().endswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The product runs on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 2 MB that answers by a script (tests/tiny_gguf.py says to what)."""
    for needed in ("numpy", "gguf"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: no model can be made")
    from tests.tiny_gguf import write_model

    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf", context=CONTEXT)


@pytest.fixture(scope="session")
def engine(tiny_model: Path) -> Iterator[str]:
    """The base URL of a real llama.cpp that serves ``tiny_model`` as `tiny`."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the xllamacpp wheel is not installed (it exists for glibc Linux only)")
    with Engine(tiny_model, CONTEXT) as running:
        yield running.base_url
