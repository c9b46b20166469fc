"""Calls as JSON lines: each is one object with everything that `patchbay show --json` has."""

from typing import TextIO

from addons.telemetry.queries import Record
from scripts.export_call import Exporter, as_json


class LinesWriter:
    """Writes one line for each call."""

    def __init__(self, file: TextIO, exporter: Exporter) -> None:
        self._file = file
        self._exporter = exporter

    def begin(self) -> None:
        """There is no head."""

    def add(self, record: Record) -> None:
        """Write a call. Raises OSError, sqlite3.Error and zstandard.ZstdError."""
        call = self._exporter.call(record)
        whole = {**call.numbers, "attempts": call.tries, "messages": call.messages, "answer": call.answer}
        self._file.write(as_json(whole) + "\n")

    def end(self) -> None:
        """There is no foot."""
