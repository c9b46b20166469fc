"""One recorded call in full, bounded: a conversation of any length becomes an answer that a browser can take."""

import sqlite3
from collections.abc import Sequence

from addons.telemetry import queries
from addons.telemetry.history import exchange, kept_request, same_conversation, shown, siblings
from addons.telemetry.queries import Record
from addons.web.replies import Json
from addons.web.resend import READ_UP_TO, judge, rebuild

_LONGEST = 200_000  # characters of one text
_MOST = 3_000_000  # characters of a conversation; the newest messages count
_CUT = "\n… ({:,} more characters; `patchbay show {}` has them all)"
_EARLIER = "({:,} earlier messages are left out here; `patchbay show {}` has them all)"
_GRADES = {"dropped": "Left out", "approximated": "Said in other words"}


def exchange_view(connection: sqlite3.Connection, identifier: str) -> Json:
    """Return everything about a call. Raises KeyError, sqlite3.Error and zstandard.ZstdError."""
    record = exchange(connection, identifier)
    said, answer = queries.conversation(connection, record)
    size = kept_request(connection, identifier)
    body = queries.body(connection, identifier, "request") if size is not None and size <= READ_UP_TO else None
    attempts = queries.attempts(connection, identifier)
    whole = {
        **shown(record),
        "attempts": [{name: each[name] for name in each if name not in ("seq", "exchange_id")} for each in attempts],
        "messages": bounded(said, identifier),
        "answer": bounded([answer], identifier)[0] if answer else None,
        "dropped": dropped(record["translation"]),
        "same_conversation": same_conversation(connection, record),
        "siblings": siblings(connection, record),
        "resend": judge(record, body, said).shown(),
    }
    return {"exchange": whole}


def request_again(connection: sqlite3.Connection, identifier: str, model: str) -> Json:
    """Return the call as a request for ``model``. Raises KeyError, NotPossibleError, sqlite3.Error, ZstdError."""
    record = exchange(connection, identifier)
    said, _ = queries.conversation(connection, record)
    return rebuild(record, queries.body(connection, identifier, "request"), said, model)


def dropped(translation: object) -> list[str]:
    """Return what a translation could not carry, readable (`providers.wire.notes`)."""
    lines = []
    for told in str(translation or "").split("; "):
        grade, _, paths = told.partition("=")
        lines += [f"{_GRADES[grade]}: {path}" for path in paths.split(",") if grade in _GRADES and path]
    return lines


def bounded(messages: Sequence[Record], identifier: str) -> list[Json]:
    """Return messages, long texts cut, without the oldest where there is too much; both are said where it is so."""
    kept: list[Json] = []
    room = _MOST
    for message in reversed(messages):
        cut = _cut(message, identifier)
        size = _size(cut)
        if kept and size > room:
            break
        room -= size
        kept.append(cut if isinstance(cut, dict) else {})
    left = len(messages) - len(kept)
    if left:
        kept.append({"role": "", "parts": [{"part": "text", "text": _EARLIER.format(left, identifier)}]})
    return kept[::-1]


def _cut(value: object, identifier: str) -> object:
    match value:
        case str() if len(value) > _LONGEST:
            return value[:_LONGEST] + _CUT.format(len(value) - _LONGEST, identifier)
        case dict():
            return {name: _cut(item, identifier) for name, item in value.items()}
        case list():
            return [_cut(item, identifier) for item in value]
    return value


def _size(value: object) -> int:
    match value:
        case str():
            return len(value)
        case dict():
            return sum(map(_size, value.values()))
        case list():
            return sum(map(_size, value))
    return 1
