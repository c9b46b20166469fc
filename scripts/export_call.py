"""One recorded call with all that belongs to it, free of keys."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from addons.telemetry.bodies import Side
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.conversation import without_keys
from addons.telemetry.queries import Record, attempts, body, conversation

_HIDDEN = frozenset(("seq", "run", "prompt_hash", "answer_hash", "exchange_id"))


def as_json(value: Record) -> str:
    """Return JSON text that can be written as UTF-8: what holds halves of surrogate pairs is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it leaves: ``numbers`` are the columns of its row, ``kept`` its raw bodies where there are any.

    ``messages`` and ``answer`` are in the form of `wire.request.to_json`.
    """

    numbers: Record
    tries: list[Record]
    messages: list[Record]
    answer: Record | None
    kept: dict[Side, bytes]


class Exporter:
    """Reads calls from an open record and takes keys out once more: the configuration may have others by now."""

    def __init__(self, connection: sqlite3.Connection, secrets: Sequence[str]) -> None:
        self._connection = connection
        self._cleaner = Cleaner(secrets)

    def call(self, record: Record) -> Call:
        """Return everything of a call. Raises sqlite3.Error and zstandard.ZstdError."""
        identifier = str(record["id"])
        said, answer = conversation(self._connection, record)
        return Call(
            self._clean(record),
            [self._clean(one) for one in attempts(self._connection, identifier)],
            [self._clean(message) for message in said],
            self._clean(answer) if answer else None,
            self._kept(identifier),
        )

    def _clean(self, record: Record) -> Record:
        plain = without_keys({name: value for name, value in record.items() if name not in _HIDDEN}, self._cleaner)
        assert isinstance(plain, dict)
        return plain

    def _kept(self, identifier: str) -> dict[Side, bytes]:
        sides: tuple[Side, ...] = ("request", "answer")
        found = {side: body(self._connection, identifier, side) for side in sides}
        return {side: self._cleaner.bytes(data) for side, data in found.items() if data is not None}
