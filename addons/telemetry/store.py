"""The store: what the recorder talks to. Its methods return at once and never raise; a thread does the work."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from addons.telemetry.backlog import Backlog, Entry
from addons.telemetry.bodies import BodyPolicy, keeps
from addons.telemetry.retention import Retention
from addons.telemetry.rows import attempt_snapshot, snapshot
from addons.telemetry.writer import Writer
from providers.exchange.account import ExchangeAccount, Outcome
from providers.wire.answer import Answer

_log = logging.getLogger("patchbay.record")


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How recording goes: ``queued`` exchanges wait, ``dropped`` rows and ``dropped_bodies`` are lost.

    ``write_errors`` counts failed tries; ``message`` says what is wrong while the state is degraded.
    """

    state: Literal["ok", "degraded", "closed"]
    queued: int
    dropped: int
    write_errors: int
    message: str
    dropped_bodies: int = 0
    unreadable: int = 0


def _no_secrets() -> Sequence[str]:
    return ()


class Store:
    """The record of all exchanges in the SQLite file at ``path``; made, migrated and kept small by itself.

    ``bodies`` says whose raw bodies are kept; ``retention_days`` and ``retention_bytes`` bound the file (zero: no
    bound); ``queue_limit`` bounds what waits, in exchanges. ``secrets`` gives the keys that must not be stored; it is
    called on another thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        bodies: BodyPolicy = "errors",
        retention_days: float = 30,
        retention_bytes: int = 2 << 30,
        queue_limit: int = 10_000,
        secrets: Callable[[], Sequence[str]] = _no_secrets,
    ) -> None:
        self.path = path
        self._bodies: BodyPolicy = bodies
        self._open: set[str] = set()
        self._backlog = Backlog(queue_limit)
        retention = Retention(retention_days, retention_bytes)
        self._writer = Writer(path, self._backlog, retention, secrets, self._open.copy)
        self._closed = False

    def start(self) -> None:
        """Start writing. Does not wait: what is wrong with the file shows in `health` and in the log."""
        self._writer.start()

    def admit(self, account: ExchangeAccount) -> None:
        """Record that the exchange has begun, as its account is now."""
        self._open.add(account.id)
        self._put(Entry(snapshot(account)))

    def complete(
        self,
        account: ExchangeAccount,
        request: Mapping[str, object] | None,
        request_body: bytes | None,
        answer: Answer | None,
        answer_body: bytes | None,
        *,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Record how the exchange ended. ``request`` and ``answer`` must not be changed from now on.

        ``request`` is the parsed body (None: it is read from ``request_body``); raw bodies are kept by the policy.
        ``secrets`` are the keys it began with: they must not be stored, also where they have been changed since.
        """
        account.outcome = account.outcome or Outcome.INTERNAL_ERROR  # without a word it would look open for ever
        kept = keeps(self._bodies, account.outcome)
        if not kept:
            request_body, answer_body = None if request else request_body, None
        attempts, weight = tuple(map(attempt_snapshot, account.attempts)), account.bytes_in + account.bytes_out + 1
        row, said = snapshot(account), (request, answer, request_body, answer_body)
        self._put(Entry(row, True, attempts, *said, keep_bodies=kept, talk_weight=weight, secrets=secrets))
        self._open.discard(account.id)

    def _put(self, entry: Entry) -> None:
        if self._closed:
            self._backlog.lost()
        else:
            self._backlog.put(entry)

    def close(self, timeout: float) -> bool:
        """Write what waits, for at most ``timeout`` seconds, and close the file; tell whether everything has landed.

        Exchanges that are still open are recorded as cut by the shutdown. Blocks; may be called again.
        """
        self._closed = True
        if self._writer.is_alive():
            self._writer.close(timeout)
            self._writer.join(timeout + 0.2)
            self._tell_of_loss()
        return self._writer.finished

    def _tell_of_loss(self) -> None:
        if left := len(self._backlog):
            self._backlog.lost(left)
            _log.error("%s could not be written (%s): calls that are lost: %d", self.path, self._writer.trouble, left)
        elif self._writer.trouble:
            _log.warning("%s could not be written to the end: %s", self.path, self._writer.trouble)

    def health(self) -> StoreHealth:
        """Say how recording goes."""
        writer, backlog = self._writer, self._backlog
        message = writer.trouble
        if not message and writer.ident is not None and not writer.is_alive() and not self._closed:
            message = "the recording thread has ended"
        state: Literal["ok", "degraded", "closed"] = "degraded" if message else "ok"
        return StoreHealth(
            "closed" if self._closed else state,
            len(backlog),
            backlog.dropped,
            writer.errors,
            message,
            backlog.dropped_bodies,
            writer.unreadable,
        )
