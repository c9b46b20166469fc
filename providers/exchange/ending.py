"""How an exchange ends: with an answer, an error in the client's dialect, an error in the stream, or a cut.

The state of an exchange stands here too; `providers.exchange.machine` says how it goes on until then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from providers.errors import error_body, redact, status_for, stream_error
from providers.exchange.account import AttemptAccount, EndedBy, ExchangeAccount, Outcome
from providers.exchange.answer_head import Headers, client_headers, in_a_header, is_packed, without
from providers.exchange.commands import Command, Cut, Data, End, Head, SetTimer, Timer
from providers.exchange.faults import FAILURE_STATUS, FAULTS
from providers.exchange.listening import Listening
from providers.exchange.plan import Plan
from providers.exchange.settlement import settle
from providers.exchange.upstream_error import retell
from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.reader import Reader


class Phase(Enum):
    """Where an exchange stands."""

    NEW = auto()
    DIALLING = auto()
    SENT = auto()
    HOLDING = auto()
    REFUSED = auto()
    STREAMING = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the exchange is told about its surroundings. Sizes in bytes, ``hold`` in seconds."""

    hold: float = 10.0
    hold_limit: int = 1 << 20
    keep_limit: int = 1 << 20
    secrets: Callable[[], Sequence[str]] = tuple


class Ending:
    """The state of a call, and its ends.

    ``account`` is filled as the call goes on; ``heard`` is what was read and kept of the answer.
    """

    def __init__(
        self,
        account: ExchangeAccount,
        plan: Plan,
        make_reader: Callable[[Operation, bool], Reader],
        settings: Settings,
    ) -> None:
        self.account = account
        self.plan = plan
        self.phase = Phase.NEW
        self.heard = Listening(settings.keep_limit)
        self._dialect = Dialect(account.dialect)
        self._operation = Operation(account.operation)
        self._make_reader = make_reader
        self._settings = settings
        self._target = plan.targets[0]
        self._attempt = AttemptAccount(self._target.provider, self._target.model)
        self._reused = False
        self._status = 0
        self._headers: Headers = []
        self._held: list[bytes] = []
        self._held_size = 0
        self._began = 0
        self._attempt_began = 0
        self._last_data = 0

    @property
    def answer(self) -> Answer:
        """What was read of the answer."""
        return self.heard.answer

    @property
    def is_committed(self) -> bool:
        """Whether the client has been sent a head."""
        return self.phase is Phase.STREAMING

    @property
    def is_untouched(self) -> bool:
        """Whether the client gets the provider's very bytes, so that the driver may pass them on by itself."""
        return True

    @property
    def _streams(self) -> bool:
        """Whether the client gets events."""
        return self.heard.is_events

    def _is_whole(self) -> bool:
        """Whether an answer that has ended is complete."""
        return self.answer.terminal or not self.heard.is_events

    def _rest(self) -> bytes:
        """What the client still gets when a complete answer has ended."""
        return b""

    def _go_on(self, piece: bytes) -> list[Command]:
        self.account.bytes_out += len(piece)
        return [Data(piece)] if piece else []

    def _commit(self, now: int) -> list[Command]:
        """The point of no return: the head and what was held go out."""
        self.phase = Phase.STREAMING
        held, self._held, self._held_size = b"".join(self._held), [], 0
        self.account.bytes_out += len(held)
        self.account.status = self._status
        # A stream that was let go without content still owes it by the deadline that is running.
        waiting = self.heard.is_events and not self.heard.content_seen
        timer: list[Command] = [] if waiting else [SetTimer(Timer.PHASE, self._target.deadlines.gap)]
        return [*timer, self._head(self._answer_headers()), *([Data(held)] if held else [])]

    def _answer_headers(self) -> Headers:
        headers = client_headers(self._headers, external=self._target.external)
        if not self._streams:
            return headers
        # An event stream may still have to say that it failed, so it has no length; nobody on the way may hold it back.
        headers = without(headers, "content-length", "cache-control", "x-accel-buffering")
        return [*headers, ("cache-control", "no-cache"), ("x-accel-buffering", "no")]

    def _named(self) -> Headers:
        return [
            ("x-patchbay-id", self.account.id),
            ("x-patchbay-provider", self._target.provider),
            ("x-patchbay-model", in_a_header(self._target.model)),
        ]

    def _head(self, headers: Headers) -> Head:
        return Head(self.account.status or self._status, [*headers, *self._named()])

    def _end_held(self, now: int) -> list[Command]:
        """The whole answer came before anything was sent: it can still be refused, or go out in one piece."""
        self._finish_reading(now)
        if self.answer.failure is not None:
            return self._fail_as_told(now)
        if not self._is_whole():
            return self._fail(Outcome.UPSTREAM_TRUNCATED, now)
        self._held.append(self._rest())
        commands = [command for command in self._commit(now) if not isinstance(command, SetTimer)]
        self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        return [*commands, End()]

    def _end_stream(self, now: int) -> list[Command]:
        self.heard.read()
        told = self.answer.failure is not None
        self._finish_reading(now)
        if self.answer.failure is not None:  # the provider has told the client itself
            # An event without its blank line is dropped by clients: they would see a clean end.
            blank: list[Command] = [] if told or not self.heard.is_events else [Data(b"\n\n")]
            self.account.bytes_out += 2 * len(blank)
            self._over(
                Outcome.UPSTREAM_HTTP_ERROR,
                EndedBy.UPSTREAM,
                now,
                redact(self.answer.failure.message, self._settings.secrets()),
            )
            return [*blank, End()]
        if not self._is_whole():
            return self._fail(Outcome.UPSTREAM_TRUNCATED, now)
        rest = self._go_on(self._rest())
        self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        return [*rest, End()]

    def _finish_reading(self, now: int) -> None:
        self.heard.close()
        if self.account.ttft_us is None and self.heard.content_seen:
            self.account.ttft_us = now - self._began

    def _stalled(self, now: int) -> list[Command]:
        """Nothing came for too long, though nothing may have been missing."""
        if self.phase is Phase.REFUSED:
            return self._retell(now)
        self.heard.read()
        return self._end_stream(now) if self.answer.terminal else self._fail(Outcome.UPSTREAM_TIMEOUT_IDLE, now)

    def _broken_off(self, now: int, detail: str) -> list[Command]:
        """The connection died within the answer; a stream that had said everything is complete all the same."""
        self.heard.read()
        if self.heard.is_events and (self.answer.terminal or self.answer.failure is not None):
            return self._end_held(now) if self.phase is Phase.HOLDING else self._end_stream(now)
        return self._fail(Outcome.UPSTREAM_TRUNCATED, now, detail)

    def _refusal_body(self) -> bytes:
        return b"" if is_packed(self._headers) else b"".join(self._held)

    def _retell(self, now: int) -> list[Command]:
        """The provider refused: its error in the client's dialect."""
        target = self._target
        told = retell(
            self._dialect,
            self._status,
            self._refusal_body(),
            provider=target.provider,
            our_key=target.our_key,
            secrets=[*self._settings.secrets(), *target.addresses()],
            request_id=self.account.id,
        )
        kept = without(client_headers(self._headers, external=target.external), "content-length", "content-type")
        return self._answer_error(
            told.status, told.body, told.outcome, EndedBy.UPSTREAM, now, told.message, without(kept, "content-encoding")
        )

    def _fail_as_told(self, now: int) -> list[Command]:
        """A 200 that carries an error: what the provider said, as a real HTTP error."""
        failure = self.answer.failure
        assert failure is not None
        message = redact(failure.message, self._settings.secrets())
        status = status_for(self._dialect, FAILURE_STATUS.get(failure.type, 502))
        body = error_body(self._dialect, status, message, code=failure.code or None, request_id=self.account.id)
        return self._answer_error(status, body, Outcome.UPSTREAM_HTTP_ERROR, EndedBy.UPSTREAM, now, message, [])

    def _fail(self, outcome: Outcome, now: int, detail: str = "", by: EndedBy = EndedBy.UPSTREAM) -> list[Command]:
        """End with an error: a response while none has begun, an error event in a stream, a cut in anything else."""
        fault = FAULTS[outcome]
        status = status_for(self._dialect, fault.status)
        message = fault.text.format(provider=self._target.provider)
        if self.phase is not Phase.STREAMING:
            body = error_body(self._dialect, status, message, code=fault.code, request_id=self.account.id)
            return self._answer_error(status, body, outcome, by, now, detail or message, [])
        self._finish_reading(now)
        self._over(outcome, by, now, detail or message)
        if not self._streams:
            return [Cut()]
        event = stream_error(self._dialect, status, message, code=fault.code, request_id=self.account.id)
        # What was sent may stop within a line: a blank line first, so that ours is an event of its own.
        event = b"\n\n" + event
        self.account.bytes_out += len(event)
        return [Data(event), End()]

    def _answer_error(
        self, status: int, body: bytes, outcome: Outcome, by: EndedBy, now: int, message: str, headers: Headers
    ) -> list[Command]:
        self.account.status = status
        self.account.bytes_out += len(body)
        head = self._head([("content-type", "application/json"), *headers])
        self._over(outcome, by, now, message)
        return [head, Data(body), End()]

    def _close_attempt(self, outcome: Outcome, now: int, error: str | None) -> None:
        self._attempt.outcome = outcome
        self._attempt.error = error
        self._attempt.duration_us = now - self._attempt_began

    def _over(self, outcome: Outcome, by: EndedBy, now: int, error: str | None) -> None:
        """Settle the account."""
        if self.phase is Phase.NEW:
            self._began = self._attempt_began = now
        self.phase = Phase.OVER
        self._close_attempt(outcome, now, error)
        self.account.outcome, self.account.who_ended, self.account.error = outcome, by, error
        self.account.duration_us = now - self._began
        settle(self.account, self.answer)
