"""What there is to choose from, newest first."""

import sqlite3
from contextlib import closing
from pathlib import Path

from addons.telemetry import facets
from addons.telemetry.database import open_for_reading
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import begun, ended, record, settled


def test_the_values_there_are(store: Store, path: Path) -> None:
    record(store, None, "x", provider="local", client="old")
    record(store, None, "x", provider="openai", model="gpt", requested_model="smart", client="new")
    store.admit(begun(model="gpt", requested_model="gpt", provider="openai"))
    record(store, None, "x", provider="openai", model="gpt", requested_model="gpt")
    settled(store)
    with closing(open_for_reading(path)) as connection:
        assert facets.facets(connection) == {
            "providers": ["openai", "local"],
            "models": ["gpt", "smart", "tiny"],
            "outcomes": ["ok"],
            "clients": ["new", "old"],
        }


def test_of_many_the_newest(store: Store, path: Path) -> None:
    for number in range(facets.MOST + 20):
        account = begun(client=f"client {number:03d}")
        store.complete(ended(account), None, None, None, None)
    settled(store)
    with closing(open_for_reading(path)) as connection:
        found = facets.facets(connection)["clients"]
    assert found == [f"client {number:03d}" for number in range(facets.MOST + 19, 19, -1)]


def test_no_call_is_no_value(store: Store, path: Path) -> None:
    settled(store)
    while not path.exists() or not _made(path):
        settled(store)
    with closing(open_for_reading(path)) as connection:
        assert facets.facets(connection) == {"providers": [], "models": [], "outcomes": [], "clients": []}


def _made(path: Path) -> bool:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0]) > 0
