"""How an exchange ends: with an answer, an error in the client's dialect, an error in the stream, or a cut.

The state of an exchange stands here too; `providers.exchange.machine` says how it goes on until then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from providers.errors import redact, stream_error
from providers.exchange.account import EndedBy, ExchangeAccount, Outcome
from providers.exchange.answer_head import Headers, in_a_header, value_of, with_wait, without
from providers.exchange.attempt import GENERATING, Attempt
from providers.exchange.commands import Command, Cut, Data, End, Hangup, Head, SetTimer, Timer
from providers.exchange.course import Course, Lost, Next, Straight
from providers.exchange.faults import FAULTS, as_told
from providers.exchange.listening import Listening
from providers.exchange.passage import EVENT_STREAM, Call, Told
from providers.exchange.plan import Plan
from providers.exchange.settlement import settle
from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import Failure
from providers.wire.reader import Reader

# What says to a client that waits for events that it is being worked for, and to everybody on the way that the
# connection lives.
KEEP_ALIVE: dict[Dialect, bytes] = {
    Dialect.CHAT: b": keep-alive\n\n",
    Dialect.RESPONSES: b": keep-alive\n\n",
    Dialect.MESSAGES: b'event: ping\ndata: {"type": "ping"}\n\n',
}
_TURNS = 6  # of a call's last turns are told: a server that loads its model is asked a hundred times


class Phase(Enum):
    """Where an exchange stands."""

    NEW = auto()
    DIALLING = auto()
    SENT = auto()
    HOLDING = auto()
    REFUSED = auto()
    WAITING = auto()  # before the next try
    QUEUED = auto()  # in line for a place at a server
    STREAMING = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the exchange is told about its surroundings.

    Sizes in bytes. After ``hold`` seconds a client that wants a stream gets its head and a sign of life, and another
    one every ``alive`` seconds in which nothing came.
    """

    hold: float = 10.0
    alive: float = 15.0
    hold_limit: int = 1 << 20
    keep_limit: int = 1 << 20
    secrets: Callable[[], Sequence[str]] = tuple


class Ending:
    """The state of a call, and its ends.

    ``account`` is filled as the call goes on; ``attempt`` is the try that is running, or was the last.
    """

    def __init__(
        self,
        account: ExchangeAccount,
        plan: Plan,
        make_reader: Callable[[Operation, bool], Reader],
        settings: Settings,
        course: Course | None = None,
    ) -> None:
        self.account = account
        self.plan = plan
        self.phase = Phase.NEW
        self._settings = settings
        self._call = Call(
            account.id,
            Dialect(account.dialect),
            Operation(account.operation),
            account.stream and Operation(account.operation) in GENERATING,
            make_reader,
            settings.secrets,
        )
        self._course: Course = course or Straight()
        self._turns: list[str] = []
        self._shown = False
        self._began = 0
        self.attempt = Attempt(self._call, plan.first, settings.keep_limit, 0)

    @property
    def heard(self) -> Listening:
        """What was read and kept of the answer."""
        return self.attempt.heard

    @property
    def answer(self) -> Answer:
        """What was read of the answer."""
        return self.attempt.heard.answer

    @property
    def is_committed(self) -> bool:
        """Whether the client has been sent a head."""
        return self.phase is Phase.STREAMING

    @property
    def is_untouched(self) -> bool:
        """Whether the client gets the provider's very bytes, so that the driver may pass them on by itself."""
        return self.attempt.passage.untouched

    def rewritten(self, body: bytes) -> bytes:
        """Return what the client gets when somebody has put ``body`` in the place of the provider's whole answer."""
        return self.attempt.passage.rewritten(self.heard, body)

    def _go_on(self, piece: bytes) -> list[Command]:
        self.account.bytes_out += len(piece)
        return [Data(piece)] if piece else []

    def _commit(self, now: int) -> list[Command]:
        """The point of no return: the head and what was held go out."""
        attempt = self.attempt
        self.phase = Phase.STREAMING
        held = attempt.take_held()
        self.account.status = attempt.status
        # A stream that was let go without content still owes it by the deadline that is running.
        waiting = self.heard.is_events and not self.heard.content_seen
        timer: list[Command] = [] if waiting else [SetTimer(Timer.PHASE, attempt.target.deadlines.gap)]
        head = [] if self._shown else [self._head(attempt.passage.headers(attempt.headers, self._wall(now)))]
        self._course.answered(attempt.target, now)
        return [*timer, *head, *self._go_on(held)]

    def _head(self, headers: Headers) -> Head:
        self._shown = True
        target = self.attempt.target
        named = [
            ("x-patchbay-id", self.account.id),
            ("x-patchbay-provider", target.provider),
            ("x-patchbay-model", in_a_header(target.model)),
            ("x-patchbay-attempts", str(self._tries())),
            ("x-patchbay-reason", "; ".join(map(in_a_header, [self.plan.reason, *self._turns[-_TURNS:]]))),
        ]
        if not value_of(headers, "x-request-id"):  # what people quote when they complain
            named.append(("x-request-id", self.account.id))
        status = self.account.status or self.attempt.status
        lost = self.attempt.passage.lost()
        return Head(status, [*headers, *named, *([("x-patchbay-translation", lost)] if lost else [])])

    def _tries(self) -> int:
        """How often a provider was asked; a try on an idle connection that had been closed is none."""
        return sum(not attempt.stale for attempt in self.account.attempts)

    def _sign_of_life(self) -> list[Command]:
        """Tell a client that waits for a stream that it is being worked for; its head first, if it has none."""
        head: list[Command] = []
        if not self._shown:
            self.account.status = 200
            head = [self._head(list(EVENT_STREAM))]
        return [*head, *self._go_on(KEEP_ALIVE[self._call.dialect])]

    def _end_held(self, now: int) -> list[Command]:
        """The whole answer came before anything was sent: it can still be refused, or go out in one piece."""
        self._finish_reading(now)
        passage = self.attempt.passage
        if self.attempt.is_no_answer():
            return self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now, self.attempt.oddity())
        if self.answer.failure is not None:
            return self._lose(passage.failure(self.answer.failure), now)
        if self.heard.garbled or not passage.is_whole(self.heard):
            return self._fail(self.heard.flaw, now)
        if passage.says_nothing(self.answer):
            return self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now, "the answer holds nothing that can be translated")
        self.attempt.hold(passage.rest(self.heard))
        commands = [command for command in self._commit(now) if not isinstance(command, SetTimer)]
        self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        return [*commands, End()]

    def _end_stream(self, now: int) -> list[Command]:
        self.heard.read()
        told = self.answer.failure is not None
        self._finish_reading(now)
        if self.answer.failure is not None:
            return self._end_failed(now, told=told)
        if self.heard.garbled or not self.attempt.passage.is_whole(self.heard):
            return self._fail(self.heard.flaw, now)
        rest = self._go_on(self.attempt.passage.rest(self.heard))
        self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        return [*rest, End()]

    def _end_failed(self, now: int, *, told: bool) -> list[Command]:
        """The provider said within the stream that it failed; ``told``: in an event that was complete."""
        failure = self.answer.failure
        assert failure is not None
        if (ours := self.attempt.passage.failure_event(failure)) is not None:
            event, message = ours
        else:
            # An event without its blank line is dropped by clients: they would see a clean end.
            event = b"" if told or not self.heard.is_events else b"\n\n"
            message = redact(failure.message, self._settings.secrets())
        said = self._go_on(event)
        self._over(Outcome.UPSTREAM_HTTP_ERROR, EndedBy.UPSTREAM, now, message)
        return [*said, End()]

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

    def _retell(self, now: int) -> list[Command]:
        """The provider refused: its error in the client's dialect."""
        attempt = self.attempt
        body = attempt.take_held()
        return self._lose(attempt.passage.refusal(attempt.status, attempt.headers, body, self._wall(now)), now)

    def _wall(self, now: int) -> float:
        """Return the time in seconds since the epoch: what providers' headers are about."""
        return self.account.started_at + (now - self._began) / 1e6

    def _fail_as_told(self, now: int) -> list[Command]:
        """A 200 that carries an error: what the provider said, as a real HTTP error."""
        assert self.answer.failure is not None
        return [Hangup(), *self._lose(self.attempt.passage.failure(self.answer.failure), now)]

    def _fail(self, outcome: Outcome, now: int, detail: str = "", by: EndedBy = EndedBy.UPSTREAM) -> list[Command]:
        """End with an error: a response while none has begun, an error event in a stream, a cut in anything else."""
        told = as_told(FAULTS[outcome], outcome, self._call, self.attempt.target.provider, detail)
        if self.phase is not Phase.STREAMING:
            return self._lose(told, now, by)
        self._finish_reading(now)
        if by is EndedBy.UPSTREAM and self.attempt.account.outcome is None:  # else it is counted already
            self._course.cut(self._lost(outcome, None, now), now)
        self._over(outcome, by, now, told.record)
        if not self.attempt.passage.streams:
            return [Cut()]
        event = stream_error(self._call.dialect, told.status, told.message, code=told.code, request_id=self._call.id)
        # What was sent may stop within a line: a blank line first, so that ours is an event of its own.
        return [*self._go_on(b"\n\n" + event), End()]

    def _lose(self, told: Told, now: int, by: EndedBy = EndedBy.UPSTREAM) -> list[Command]:
        """The try has failed before any of its answer was sent: another one is made, or the client hears of it."""
        attempt = self.attempt
        if by is EndedBy.UPSTREAM:
            lost = self._lost(told.outcome, told.said, now)
            attempt.close(told.outcome, now, told.record)
            following = self._course.lost(lost, now)
            if following is not None:
                return self._turn(following, now)
        if self._shown:
            event = stream_error(
                self._call.dialect, told.status, told.message, code=told.code, request_id=self._call.id
            )
            self._over(told.outcome, by, now, told.record)
            return [*self._go_on(event), End()]
        self.account.status = told.status
        spent = self._tries() > 1  # trying again is what was done already: the official clients would do it, too
        kept = [*without(told.headers, "x-should-retry"), ("x-should-retry", "false")] if spent else told.headers
        kept = with_wait(kept, told.status, self._course.again(now))
        head = self._head([("content-type", "application/json"), *kept])
        self._over(told.outcome, by, now, told.record)
        return [head, *self._go_on(told.body), End()]

    def _lost(self, outcome: Outcome, said: Failure | None, now: int) -> Lost:
        attempt = self.attempt
        sent = self.phase not in (Phase.NEW, Phase.DIALLING, Phase.QUEUED)
        return Lost(attempt.target, outcome, attempt.status, attempt.headers, said, sent, now - attempt.began)

    def _turn(self, following: Next, now: int) -> list[Command]:
        """Make the next try, now or after a wait."""
        raise NotImplementedError

    def _over(self, outcome: Outcome, by: EndedBy, now: int, error: str | None) -> None:
        """Settle the account."""
        if self.phase is Phase.NEW:
            self._began = self.attempt.began = now
        self.phase = Phase.OVER
        self._course.over(now)
        self.attempt.close(outcome, now, error)
        self.account.translation = self.attempt.passage.lost()
        self.account.outcome, self.account.who_ended, self.account.error = outcome, by, error
        self.account.duration_us = now - self._began
        settle(self.account, self.answer, self.plan.prompt)
