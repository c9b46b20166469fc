"""Accounts, requests and answers as the recorder hands them to the store, and a look into the file."""

import itertools
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from addons.telemetry.store import Store
from providers.exchange.account import AttemptAccount, EndedBy, ExchangeAccount, Outcome
from providers.wire import events
from providers.wire.answer import Answer

_numbers = itertools.count(1)


def begun(identifier: str = "", **values: Any) -> ExchangeAccount:
    """An account as it is at admission."""
    given: dict[str, Any] = {
        "id": identifier or f"{next(_numbers):08d}-test",
        "started_at": time.time(),
        "provider": "local",
        "kind": "llamacpp",
        "dialect": "chat",
        "operation": "chat",
        "requested_model": "tiny",
        "model": "tiny",
        "stream": True,
    }
    return ExchangeAccount(**(given | values))


def ended(account: ExchangeAccount, outcome: Outcome = Outcome.OK, **values: Any) -> ExchangeAccount:
    """The same account once the exchange has ended."""
    account.outcome, account.who_ended, account.status = outcome, EndedBy.UPSTREAM, 200
    account.attempts.append(AttemptAccount(account.provider, account.model, 200, outcome, duration_us=1500))
    account.duration_us, account.ttft_us = 2000, 1000
    for name, value in values.items():
        setattr(account, name, value)
    return account


def request(*said: str, system: str = "") -> dict[str, object]:
    """A chat request whose turns alternate, beginning with the user."""
    roles = itertools.cycle(("user", "assistant"))
    messages: list[object] = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    return {"model": "tiny", "messages": [{"role": "system", "content": system}, *messages] if system else messages}


def answered(text: str) -> Answer:
    answer = Answer()
    for event in (
        events.Begin(),
        events.Text(text),
        events.Finish(events.FinishReason.STOP, "stop"),
        events.Terminal(),
    ):
        answer.add(event)
    return answer


def record(store: Store, body: dict[str, object] | None, text: str, identifier: str = "", **values: Any) -> str:
    """Record one whole exchange; its id."""
    account = begun(identifier, **values)
    store.admit(account)
    store.complete(ended(account), body, None, answered(text), None)
    return account.id


def rows(path: Path, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    """What a query gives over a connection of its own."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, values)]


def count(path: Path, table: str) -> int:
    return int(rows(path, f"select count(*) as n from {table}")[0]["n"])


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for it; AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def settled(store: Store) -> None:
    """Wait until nothing waits."""
    until(lambda: store.health().queued == 0 and store.health().state == "ok")


def intact(path: Path) -> bool:
    return [row["integrity_check"] for row in rows(path, "pragma integrity_check")] == ["ok"]


def traces(path: Path, *words: str) -> list[str]:
    """Those of the words that a search of the raw bytes of the file and its journal finds."""
    raw = b"".join(side.read_bytes() for side in path.parent.glob(path.name + "*"))
    return [word for word in words if word.encode() in raw]
