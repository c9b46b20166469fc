"""One exchange: a client's call, the attempts to have it answered, and how it ended.

Strategy: a state machine without sockets or clocks. Its driver reports what happened upstream (``opened``, ``head``,
``data``, ``ended``, ``failed``, ``timer``) and downstream (``client_gone``), each with the time in monotonic µs, and
carries out the commands that come back, in order.

    QUEUED ─place─▶ DIALLING ─opened─▶ SENT ─head─▶ HOLDING ─first content─▶ STREAMING ─ended─▶ OVER
                                        └─status ≥ 400─▶ REFUSED ─ended─▶ OVER

Nothing goes to the client before the attempt is committed, which is the step to STREAMING: the first content of a
stream, or the whole of a plain answer (up to ``hold_limit`` bytes). Until then a failure is a real HTTP error in the
client's dialect; afterwards it is an error event in the stream, never a clean end. A committed answer is untouched:
``relay`` tells the driver to pass the bytes on, and reads them later, in slices, for the record.
"""

from collections.abc import Callable

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.answer_head import Headers, is_packed, value_of
from providers.exchange.commands import Command, Hangup, Send, SetTimer, Timer
from providers.exchange.course import Straight
from providers.exchange.ending import Phase, Settings
from providers.exchange.faults import FAULTS, FORBIDDEN_ADDRESS, REDIRECTED, as_told
from providers.exchange.rescue import Rescuing

__all__ = ["Exchange", "Phase", "Settings"]

_ERROR_LIMIT = 64 * 1024  # bytes kept of an error body
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PAGES = ("text/html", "application/xhtml+xml")  # of people: a login, a captcha, an error of whoever stands between


def _nobody() -> None:
    """Wake nobody: a course without lines never does."""


class Exchange(Rescuing):
    """The life of one call: what its driver reports, and what that leads to."""

    @property
    def began(self) -> int:
        """When the request was complete and admitted, in monotonic µs; 0 before."""
        return self._began

    # What the driver reports.

    def begin(self, now: int, wake: Callable[[], None] = _nobody, *, once: bool = False) -> list[Command]:
        """The request is complete and admitted; ``once``: its answer is there already, and no other is asked for.

        ``wake`` is called while it stands in line, when its turn has come: `Timer.PLACE` is due then. It is called in
        the middle of another call's affairs, so it may do no more than see to that.
        """
        self._began, self._wake = now, wake
        if once:
            self._course = Straight()
        total = self.attempt.target.deadlines.total
        first = self._course.begin(self.plan, now, now + int(total * 1e6))
        self._turns += [first.why] if first.why else []
        waiting: list[Command] = [SetTimer(Timer.HOLD, self._settings.hold)] if self._call.streams else []
        return [SetTimer(Timer.TOTAL, total), *waiting, *self._ask(first.target, now)]

    def opened(self, now: int, *, reused: bool = False) -> list[Command]:
        """There is a connection to the target; ``reused`` if it has served an earlier call."""
        if self.phase is not Phase.DIALLING:
            return []
        attempt = self.attempt
        attempt.reused = reused
        self.account.connect_us = attempt.account.connect_us = now - attempt.began
        self.phase = Phase.SENT
        return [SetTimer(Timer.PHASE, attempt.target.deadlines.head), Send(attempt.target)]

    def head(self, status: int, headers: Headers, now: int) -> list[Command]:
        """The target's response head has come."""
        if self.phase is not Phase.SENT:
            return []
        attempt = self.attempt
        attempt.status, attempt.headers, attempt.last_data = status, headers, now
        attempt.account.status = status
        attempt.account.ttfb_us = self.account.ttfb_us = now - self._began
        self.account.request_id_upstream = value_of(headers, "x-request-id") or value_of(headers, "request-id") or None
        content_type = value_of(headers, "content-type").lower()
        if status >= 400:
            self.phase = Phase.REFUSED
            return [SetTimer(Timer.PHASE, attempt.target.deadlines.gap)]
        if not 200 <= status < 300 or content_type.startswith(_PAGES) or is_packed(headers):
            return [Hangup(), *self._no_answer(status, content_type, now)]
        self.phase = Phase.HOLDING
        is_events = content_type.startswith("text/event-stream")
        attempt.passage = attempt.passage.fitting(content_type)
        attempt.passage.begin(self.heard, is_events=is_events)
        if self._shown and not attempt.passage.streams:
            return [Hangup(), *self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now, f"no stream, but {content_type}")]
        return [SetTimer(Timer.PHASE, attempt.target.deadlines.first_content)]

    def data(self, data: bytes, now: int) -> list[Command]:
        """A piece of the target's response body has come."""
        match self.phase:
            case Phase.STREAMING:
                return self._stream(data, now)
            case Phase.HOLDING:
                return self._hold(data, now)
            case Phase.REFUSED:
                attempt = self.attempt
                attempt.last_data = now
                attempt.account.bytes_in += len(data)
                self.heard.keep(data)
                if attempt.held_size < _ERROR_LIMIT:
                    attempt.hold(data)
        return []

    def relay(self, data: bytes, now: int) -> None:
        """Take note of a piece of a committed answer; the driver sends it to the client untouched."""
        self._hear(data, now)
        self.account.bytes_out += len(data)

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
            case Phase.SENT if outcome is Outcome.UPSTREAM_RESET and self.attempt.had_been_closed(now):
                # The provider has not seen this request (specs: faults, F18).
                self.attempt.account.stale = True
                self.attempt.close(Outcome.UPSTREAM_RESET, now, "idle connection had been closed")
                return self._dial(self.attempt.target, now, fresh=True)
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
            return self._waited(now)
        if self.phase is Phase.WAITING:
            return self._ask(self._following, now) if name is Timer.RETRY else []
        if self.phase is Phase.QUEUED:
            return self._leave_line(name, now)
        if name in (Timer.RETRY, Timer.PLACE):
            return []
        # A plain answer is read at its end: until then what counts is that it goes on.
        flows = self.phase is Phase.STREAMING and (self.heard.content_seen or not self.heard.is_events)
        if flows or self.phase is Phase.REFUSED:
            left = int(self.attempt.target.deadlines.gap * 1e6) - (now - self.attempt.last_data)
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
        self._course.left(self.attempt.target, now)
        if self.phase is Phase.STREAMING and self.heard.garbled:  # its parser may have broken at that
            self._over(self.heard.flaw, EndedBy.UPSTREAM, now, "the client left where the answer cannot be read")
        elif self.phase is Phase.STREAMING and self.answer.terminal:  # many clients leave at the last event
            self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        else:
            self._over(Outcome.CLIENT_DISCONNECTED, EndedBy.CLIENT, now, None)
        return [Hangup()]

    def abandon(self, outcome: Outcome, now: int, detail: str = "") -> list[Command]:
        """We end it ourselves: shutdown, or a fault of ours."""
        if self.phase is Phase.OVER:
            return []
        self._course.left(self.attempt.target, now)
        return [Hangup(), *self._fail(outcome, now, detail, EndedBy.GATEWAY)]

    def forbidden(self, address: str, now: int) -> list[Command]:
        """The target's name leads to ``address``, where nothing may be sent to; nothing was."""
        if self.phase is not Phase.DIALLING:
            return []
        told = as_told(FORBIDDEN_ADDRESS, Outcome.UPSTREAM_DNS, self._call, self.attempt.target.provider, address)
        return self._lose(told, now)

    # How an attempt goes on.

    def _no_answer(self, status: int, content_type: str, now: int) -> list[Command]:
        """What has begun is no answer to a call; somebody else's page, above all."""
        outcome, provider = Outcome.UPSTREAM_PROTOCOL_ERROR, self.attempt.target.provider
        fault = REDIRECTED if status in _REDIRECTS else FAULTS[outcome]
        detail = f"status {status}, {content_type}".rstrip(", ")
        return self._lose(as_told(fault, outcome, self._call, provider, detail), now)

    def _waited(self, now: int) -> list[Command]:
        """Nothing has come for the client for a while."""
        again: list[Command] = [SetTimer(Timer.HOLD, self._settings.alive)]
        if self.phase is not Phase.STREAMING:
            return [*self._sign_of_life(), *again]
        if not self.attempt.passage.streams:
            return []
        left = int(self._settings.hold * 1e6) - (now - self.attempt.last_data)
        if left > 0:  # something came meanwhile
            return [SetTimer(Timer.HOLD, left / 1e6)]
        return [*(self._sign_of_life() if self.attempt.is_between_events() else []), *again]

    def _hear(self, data: bytes, now: int) -> None:
        attempt = self.attempt
        attempt.last_data, attempt.last_piece = now, data
        attempt.account.bytes_in += len(data)
        attempt.heard.hear(data)
        if attempt.heard.is_events:
            attempt.heard.pace.add(len(data), now - self._began)
        if self.account.ttft_us is None and attempt.heard.content_seen:
            self.account.ttft_us = now - self._began

    def _hold(self, data: bytes, now: int) -> list[Command]:
        attempt = self.attempt
        self._hear(data, now)
        attempt.hold(attempt.passage.passed(self.heard, data))
        if self.answer.failure is not None and self.heard.is_events:
            return self._fail_as_told(now)
        if self.heard.garbled:
            return [Hangup(), *self._fail(self.heard.flaw, now)]
        if (attempt.passage.streams and self.heard.content_seen) or attempt.held_size > self._settings.hold_limit:
            return self._follow(self._commit(now), now)
        return []

    def _stream(self, data: bytes, now: int) -> list[Command]:
        self._hear(data, now)
        return self._follow(self._go_on(self.attempt.passage.passed(self.heard, data)), now)

    def _follow(self, asked: list[Command], now: int) -> list[Command]:
        """Where the answer is written anew its end is ours to see, and so is an error in it."""
        if self.is_untouched:
            return asked
        if self.answer.failure is not None:
            return [*asked, Hangup(), *self._end_failed(now, told=True)]
        if self.heard.garbled:
            return [*asked, Hangup(), *self._fail(self.heard.flaw, now)]
        # The last event is the end, also where the provider leaves its connection open.
        return [*asked, *self._end_stream(now)] if self.answer.terminal else asked
