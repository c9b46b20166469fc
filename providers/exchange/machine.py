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

from providers.exchange.account import AttemptAccount, EndedBy, Outcome
from providers.exchange.answer_head import Headers, is_packed, value_of
from providers.exchange.commands import Command, Dial, Hangup, Send, SetTimer, Timer
from providers.exchange.ending import Ending, Phase, Settings
from providers.wire.reader import Reader

__all__ = ["Exchange", "Phase", "Settings"]

_ERROR_LIMIT = 64 * 1024  # bytes kept of an error body


class Exchange(Ending):
    """The life of one call: what its driver reports, and what that leads to."""

    def _reader(self, is_events: bool) -> Reader:
        return self._make_reader(self._operation, is_events)

    def _pass(self, data: bytes, now: int) -> bytes:
        """Hear a piece of the answer; return what the client gets of it."""
        self._hear(data, now)
        return data

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
        if self.phase is Phase.STREAMING and self.answer.terminal:  # many clients leave at the last event
            self._over(Outcome.OK, EndedBy.UPSTREAM, now, None)
        else:
            self._over(Outcome.CLIENT_DISCONNECTED, EndedBy.CLIENT, now, None)
        return [Hangup()]

    def rewritten(self, body: bytes) -> bytes:
        """What the client gets when somebody has put ``body`` in the place of the provider's whole answer."""
        return body

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

    def _hold(self, data: bytes, now: int) -> list[Command]:
        piece = self._pass(data, now)
        self._held.append(piece)
        self._held_size += len(piece)
        if self.answer.failure is not None and self.heard.is_events:
            return [Hangup(), *self._fail_as_told(now)]
        if (self._streams and self.heard.content_seen) or self._held_size > self._settings.hold_limit:
            return self._commit(now)
        return []
