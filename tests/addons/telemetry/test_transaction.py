"""All or nothing."""

import sqlite3
from contextlib import closing

import pytest

from addons.telemetry.transaction import transaction


def fail(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (2)")
        connection.execute("INSERT INTO nowhere VALUES (2)")


def test_what_fails_is_taken_back() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            fail(connection)
        assert not connection.in_transaction
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
