"""One exchange: a client's call, the attempts to have it answered, and how it ended.

Strategy: a state machine without sockets or clocks. Its driver reports what happened upstream (``opened``, ``head``,
``data``, ``ended``, ``failed``, ``timer``) and downstream (``client_gone``), each with the time in monotonic µs, and
carries out the commands that come back, in order.

    DIALLING ─opened─▶ SENT ─head─▶ HOLDING ─first content─▶ STREAMING ─ended─▶ OVER
                                └─status ≥ 400─▶ REFUSED ─ended─▶ OVER

Nothing goes to the client before the attempt is committed, which is the step to STREAMING: the first content of a
stream, or the whole of a plain answer (up to ``hold_limit`` bytes). Until then a failure is a real HTTP error in the
client's dialect; afterwards it is an error event in the stream, never a clean end. A committed answer is untouched:
``relay`` tells the driver to pass the bytes on, and reads them later, in slices, for the record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from providers.errors import error_body, redact, status_for, stream_error
from providers.exchange.account import AttemptAccount, EndedBy, ExchangeAccount, Outcome
from providers.exchange.answer_head import Headers, client_headers, in_a_header, is_packed, value_of, without
from providers.exchange.commands import Command, Cut, Data, Dial, End, Hangup, Head, Send, SetTimer, Timer
from providers.exchange.faults import FAILURE_STATUS, FAULTS
from providers.exchange.listening import Listening
from providers.exchange.plan import Plan
from providers.exchange.settlement import settle
from providers.exchange.upstream_error import retell
from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.reader import Reader

_ERROR_LIMIT = 64 * 1024  # bytes kept of an error body


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


class Exchange:
    """The life of one call.

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

    def _reader(self, is_events: bool) -> Reader:
        return self._make_reader(self._operation, is_events)

    def _pass(self, data: bytes, now: int) -> bytes:
        """Hear a piece of the answer; return what the client gets of it."""
        self._hear(data, now)
        return data

    def _is_whole(self) -> bool:
        """Whether an answer that has ended is complete."""
        return self.answer.terminal or not self.heard.is_events

    def _rest(self) -> bytes:
        """What the client still gets when a complete answer has ended."""
        return b""

    # What the driver reports.

    def begin(self, now: int) -> list[Command]:
        """The request is complete and admitted."""
        self._began = now
        return [SetTimer(Timer.TOTAL, self._target.deadlines.total), *self._dial(now, fresh=False)]

    def opened(self, now: int, *, reused: bool = False) -> list[Command]:
        """There is a connection to the target; ``reused`` if it has served an earlier call."""
        if self.phase is not Phase.DIALLING:
            return []
        self._reused = reused
        self._attempt.connect_us = now - self._attempt_began
        self.account.connect_us = self._attempt.connect_us
        self.phase = Phase.SENT
        return [SetTimer(Timer.PHASE, self._target.deadlines.head), Send(self._target)]

    def head(self, status: int, headers: Headers, now: int) -> list[Command]:
        """The target's response head has come."""
        if self.phase is not Phase.SENT:
            return []
        self._status, self._headers, self._last_data = status, headers, now
        self._attempt.status = status
        self._attempt.ttfb_us = self.account.ttfb_us = now - self._began
        self.account.request_id_upstream = value_of(headers, "x-request-id") or value_of(headers, "request-id") or None
        content_type = value_of(headers, "content-type").lower()
        if status >= 400:
            self.phase = Phase.REFUSED
            return [SetTimer(Timer.PHASE, self._target.deadlines.gap)]
        if not 200 <= status < 300 or content_type.startswith("text/html") or is_packed(headers):
            return [Hangup(), *self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now, f"status {status}, {content_type}")]
        self.phase = Phase.HOLDING
        is_events = content_type.startswith("text/event-stream")
        self.heard.start(self._reader(is_events), is_events=is_events)
        holding: list[Command] = [SetTimer(Timer.HOLD, self._settings.hold)] if is_events else []
        return [SetTimer(Timer.PHASE, self._target.deadlines.first_content), *holding]

    def data(self, data: bytes, now: int) -> list[Command]:
        """A piece of the target's response body has come."""
        match self.phase:
            case Phase.STREAMING:
                return self._go_on(self._pass(data, now))
            case Phase.HOLDING:
                return self._hold(data, now)
            case Phase.REFUSED:
                self._last_data = now
                self._attempt.bytes_in += len(data)
                self.heard.keep(data)
                if self._held_size < _ERROR_LIMIT:
                    self._held.append(data)
                    self._held_size += len(data)
        return []

    def relay(self, data: bytes, now: int) -> None:
        """Take note of a piece of a committed answer; the driver sends it to the client untouched."""
        self.account.bytes_out += len(data)
        self._hear(data, now)

    def ended(self, now: int) -> list[Command]:
        """The target's response is complete, as its framing has it."""
        match self.phase:
            case Phase.STREAMING:
                return self._end_stream(now)
            case Phase.HOLDING:
                return self._end_held(now)
            case Phase.REFUSED:
                return self._retell(now)
            case Phase.SENT:
                return self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now)
        return []

    def failed(self, outcome: Outcome, now: int, detail: str = "") -> list[Command]:
        """The connection failed; ``detail`` is for the record, never for the client."""
        match self.phase:
            case Phase.SENT if self._reused and outcome is Outcome.UPSTREAM_RESET:
                # The provider had closed the idle connection: it has not seen this request (specs: faults, F18).
                self._attempt.stale = True
                self._close_attempt(Outcome.UPSTREAM_RESET, now, "idle connection had been closed")
                return self._dial(now, fresh=True)
            case Phase.HOLDING | Phase.STREAMING if outcome is Outcome.UPSTREAM_RESET:
                return self._broken_off(now, detail)
            case Phase.REFUSED:
                return self._retell(now)
            case Phase.DIALLING | Phase.SENT | Phase.HOLDING | Phase.STREAMING:
                return self._fail(outcome, now, detail)
        return []

    def timer(self, name: Timer, now: int) -> list[Command]:
        """A deadline that was set has passed."""
        if self.phase in (Phase.NEW, Phase.OVER):
            return []
        if name is Timer.TOTAL:
            return [Hangup(), *self._fail(Outcome.UPSTREAM_TIMEOUT_TOTAL, now)]
        if name is Timer.HOLD:
            return self._commit(now) if self.phase is Phase.HOLDING else []
        # A plain answer is read at its end: until then what counts is that it goes on.
        flows = self.phase is Phase.STREAMING and (self.heard.content_seen or not self.heard.is_events)
        if flows or self.phase is Phase.REFUSED:
            left = int(self._target.deadlines.gap * 1e6) - (now - self._last_data)
            if left > 0:
                return [SetTimer(Timer.PHASE, left / 1e6)]
            return [Hangup(), *self._stalled(now)]
        outcome = (
            Outcome.UPSTREAM_TIMEOUT_CONNECT if self.phase is Phase.DIALLING else Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE
        )
        return [Hangup(), *self._fail(outcome, now)]

    def client_gone(self, now: int) -> list[Command]:
        """The client has hung up: the provider must not go on working for nobody."""
        if self.phase is Phase.OVER:
            return []
        self.heard.read()
        self._over(Outcome.CLIENT_DISCONNECTED, EndedBy.CLIENT, now, None)
        return [Hangup()]

    def abandon(self, outcome: Outcome, now: int, detail: str = "") -> list[Command]:
        """We end it ourselves: shutdown, or a fault of ours."""
        if self.phase is Phase.OVER:
            return []
        return [Hangup(), *self._fail(outcome, now, detail, EndedBy.GATEWAY)]

    # How an attempt goes on.

    def _dial(self, now: int, *, fresh: bool) -> list[Command]:
        self._attempt = AttemptAccount(self._target.provider, self._target.model)
        self._attempt_began = now
        self.account.attempts.append(self._attempt)
        self.phase = Phase.DIALLING
        return [SetTimer(Timer.PHASE, self._target.deadlines.connect), Dial(self._target, fresh)]

    def _hear(self, data: bytes, now: int) -> None:
        self._last_data = now
        self._attempt.bytes_in += len(data)
        self.heard.hear(data)
        if self.account.ttft_us is None and self.heard.content_seen:
            self.account.ttft_us = now - self._began

    def _go_on(self, piece: bytes) -> list[Command]:
        self.account.bytes_out += len(piece)
        return [Data(piece)] if piece else []

    def _hold(self, data: bytes, now: int) -> list[Command]:
        piece = self._pass(data, now)
        self._held.append(piece)
        self._held_size += len(piece)
        if self.answer.failure is not None and self.heard.is_events:
            return [Hangup(), *self._fail_as_told(now)]
        if (self._streams and self.heard.content_seen) or self._held_size > self._settings.hold_limit:
            return self._commit(now)
        return []

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

    # How it ends.

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
