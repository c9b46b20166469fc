"""An exchange whose provider speaks another dialect: the same life, but the client gets what a writer makes of it.

Nothing passes untouched here: each piece is read at once, and what its events become goes on. A plain answer is written
when it is complete, so it is never let go before.
"""

from collections.abc import Callable

from providers.errors import redact, stream_error
from providers.exchange.account import EndedBy, ExchangeAccount, Outcome
from providers.exchange.answer_head import Headers, client_headers, without
from providers.exchange.commands import Command, Data, End, Hangup
from providers.exchange.machine import Exchange, Phase, Settings
from providers.exchange.plan import Plan
from providers.wire.endpoints import Operation
from providers.wire.reader import Reader
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
        if self.phase is Phase.STREAMING and self.answer.failure is not None:
            return [*asked, Hangup(), *self._tell_failure(now)]
        return asked

    def _end_stream(self, now: int) -> list[Command]:
        self._finish_reading(now)
        if self.answer.failure is not None:
            return self._tell_failure(now)
        return super()._end_stream(now)

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
