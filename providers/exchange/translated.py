"""An exchange whose provider speaks another dialect: the same life, but the client gets what a writer makes of it.

Nothing passes untouched here: each piece is read at once, and what its events become goes on. A plain answer is written
when it is complete, so it is never let go before.
"""

from collections.abc import Callable

from providers.errors import error_body, redact, status_for, stream_error
from providers.exchange.account import EndedBy, ExchangeAccount, Outcome
from providers.exchange.answer_head import Headers, client_headers, without
from providers.exchange.commands import Command, Data, End, Hangup
from providers.exchange.machine import Exchange, Phase, Settings
from providers.exchange.plan import Plan
from providers.wire.endpoints import Operation
from providers.wire.reader import Reader
from providers.wire.retold import Retold
from providers.wire.translate import Translation


class TranslatedExchange(Exchange):
    """The life of one call across dialects."""

    def __init__(
        self,
        account: ExchangeAccount,
        plan: Plan,
        make_reader: Callable[[Operation, bool], Reader],
        settings: Settings,
        translation: Translation,
    ) -> None:
        super().__init__(account, plan, make_reader, settings)
        self._translation = translation
        self._writer = translation.writer(translation.stream)
        self.heard.write_with(self._writer.write)

    @property
    def is_untouched(self) -> bool:
        """Nothing is."""
        return False

    @property
    def _streams(self) -> bool:
        return self._translation.stream

    def _reader(self, is_events: bool) -> Reader:
        return self._translation.reader(is_events)

    def _pass(self, data: bytes, now: int) -> bytes:
        self._hear(data, now)
        return self.heard.take_written()

    def _is_whole(self) -> bool:
        return self.answer.terminal

    def _rest(self) -> bytes:
        return self.heard.take_written() + self._writer.close()

    def data(self, data: bytes, now: int) -> list[Command]:
        """A piece of the target's response body has come; a failure in it is told in the client's dialect."""
        asked = super().data(data, now)
        if self.phase is not Phase.STREAMING:
            return asked
        if self.answer.failure is not None:
            return [*asked, Hangup(), *self._tell_failure(now)]
        # The last event is the end, also where the provider leaves its connection open.
        return [*asked, *self._end_stream(now)] if self.answer.terminal else asked

    def rewritten(self, body: bytes) -> bytes:
        """Write an answer that somebody has edited in the provider's dialect."""
        translation = self._translation
        reader, writer = translation.reader(self.heard.is_events), translation.writer(translation.stream)
        read = [*reader.feed(body), *reader.close()]
        return b"".join(map(writer.write, read)) + writer.close()

    def _end_stream(self, now: int) -> list[Command]:
        self._finish_reading(now)
        if self.answer.failure is not None:
            return self._tell_failure(now)
        return super()._end_stream(now)

    def _end_held(self, now: int) -> list[Command]:
        self._finish_reading(now)
        answer = self.answer
        nothing = not answer.has_content and answer.finish is None and answer.usage.input is None
        if answer.terminal and answer.failure is None and nothing:
            return self._fail(Outcome.UPSTREAM_PROTOCOL_ERROR, now, "the answer holds nothing that can be translated")
        return super()._end_held(now)

    def _retell(self, now: int) -> list[Command]:
        if self._target.our_key and self._status in (401, 403):
            return super()._retell(now)
        told = self._translation.error(self._status, self._refusal_body(), self._target.provider)
        outcome = Outcome.RATE_LIMITED if self._status == 429 else Outcome.UPSTREAM_HTTP_ERROR
        kept = without(
            client_headers(self._headers, external=True), "content-length", "content-type", "content-encoding"
        )
        return self._tell(told, outcome, kept, now)

    def _fail_as_told(self, now: int) -> list[Command]:
        failure = self.answer.failure
        assert failure is not None
        told = self._translation.failure(failure, self._target.provider)
        return self._tell(told, Outcome.UPSTREAM_HTTP_ERROR, [], now)

    def _tell(self, told: Retold, outcome: Outcome, headers: Headers, now: int) -> list[Command]:
        """Answer with the provider's error in the client's words."""
        secrets = [*self._settings.secrets(), *self._target.addresses()]
        message = redact(told.message, secrets)
        status = status_for(self._dialect, told.status)
        body = error_body(self._dialect, status, message, code=told.code, request_id=self.account.id)
        return self._answer_error(status, body, outcome, EndedBy.UPSTREAM, now, message, headers)

    def _tell_failure(self, now: int) -> list[Command]:
        failure = self.answer.failure
        assert failure is not None
        told = self._translation.failure(failure, self._target.provider)
        message = redact(told.message, self._settings.secrets())
        self._over(Outcome.UPSTREAM_HTTP_ERROR, EndedBy.UPSTREAM, now, message)
        event = stream_error(self._dialect, told.status, message, code=told.code, request_id=self.account.id)
        self.account.bytes_out += len(event)
        return [Data(event), End()]

    def _answer_headers(self) -> Headers:
        kept = without(
            client_headers(self._headers, external=True), "content-type", "content-length", "content-encoding", "date"
        )
        if not self._streams:
            return [("content-type", "application/json"), *kept]
        kept = without(kept, "cache-control", "x-accel-buffering")
        events = [("content-type", "text/event-stream"), ("cache-control", "no-cache"), ("x-accel-buffering", "no")]
        return [*events, *kept]

    def _named(self) -> Headers:
        notes = self._translation.notes.header()
        return [*super()._named(), *([("x-patchbay-translation", notes)] if notes else [])]


def make_exchange(
    account: ExchangeAccount, plan: Plan, make_reader: Callable[[Operation, bool], Reader], settings: Settings
) -> Exchange:
    """Make the exchange that fits the plan's first target."""
    translation = plan.targets[0].translation
    if translation is None:
        return Exchange(account, plan, make_reader, settings)
    return TranslatedExchange(account, plan, make_reader, settings, translation)
