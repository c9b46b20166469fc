"""How a provider's answer becomes the client's: as it came, or written anew.

An answer in the client's own dialect and form passes byte for byte. One in another dialect is translated; one in the
client's dialect but not in the form that was asked for (a plain answer where a stream was wanted, or the reverse) is
written anew in the same dialect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.errors import error_body, redact, status_for, stream_error
from providers.exchange.account import Outcome
from providers.exchange.answer_head import Headers, client_headers, is_packed, without
from providers.exchange.listening import Listening
from providers.exchange.plan import Target
from providers.exchange.seam import Unbroken
from providers.exchange.upstream_error import retell
from providers.pool.waits import asked_wait, told_wait
from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import Failure
from providers.wire.rate_headers import retold_headers
from providers.wire.reader import Reader, failure_of
from providers.wire.retold import Retold, detail_of, status_of
from providers.wire.translate import Translation
from providers.wire.values import parse

_FRAMED = ("content-length", "content-type", "content-encoding")
_AS_EVENTS = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]  # nobody on the way may hold them back
_AUTH = frozenset((401, 403))
_WAITED_FOR = frozenset((429, 503, 529))
_LONGEST_WAIT = 120.0  # seconds: the official clients refuse longer ones
EVENT_STREAM: Headers = [("content-type", "text/event-stream"), *_AS_EVENTS]


@dataclass(frozen=True, slots=True)
class Call:
    """What all tries of one call have in common; ``streams``: the client asked for events."""

    id: str
    dialect: Dialect
    operation: Operation
    streams: bool
    make_reader: Callable[[Operation, bool], Reader]
    secrets: Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """A failed try as the client would hear of it.

    ``said`` is what the provider said, in its own words; ``detail`` is for the record, never for the client.
    """

    status: int
    body: bytes
    message: str
    outcome: Outcome
    headers: Headers
    code: str | None = None
    said: Failure | None = None
    detail: str = ""

    @property
    def record(self) -> str:
        """What is kept of it."""
        return self.detail or self.message


class Passage:
    """The answer passes as it came. ``streams``: the client gets events, known once the head is here."""

    untouched = True

    def __init__(self, call: Call, target: Target) -> None:
        self._call = call
        self._target = target
        self.streams = False

    def fitting(self, content_type: str) -> "Passage":
        """Return the passage for an answer of this type: another one where the form is not what was asked for."""
        is_events, again = content_type.startswith("text/event-stream"), self._target.rewriting
        misfit = is_events != self._call.streams and (is_events or content_type.startswith("application/json"))
        anew = misfit or (is_events and self._target.resumable)
        translation = again() if anew and again is not None else None
        return self if translation is None else Rewriting(self._call, self._target, translation)

    def begin(self, heard: Listening, *, is_events: bool) -> None:
        """The head of a good answer has come."""
        self.streams = is_events
        heard.start(self._call.make_reader(self._call.operation, is_events), is_events=is_events)

    def passed(self, heard: Listening, data: bytes) -> bytes:
        """Return what the client gets of a piece that was heard."""
        return data

    def rest(self, heard: Listening) -> bytes:
        """Return what the client still gets when a complete answer has ended."""
        return b""

    def is_whole(self, heard: Listening) -> bool:
        """Whether an answer that has ended is complete."""
        return heard.answer.terminal or not heard.is_events

    def says_nothing(self, answer: Answer) -> bool:
        """Whether there is nothing in a complete answer that the client could be told."""
        return False

    def headers(self, headers: Headers, now: float) -> Headers:
        """Return the head of the client's answer, made of the provider's; ``now`` in seconds since the epoch."""
        kept = client_headers(headers, external=self._target.external)
        if not self.streams:
            return kept
        # An event stream may still have to say that it failed, so it has no length.
        return [*without(kept, "content-length", "cache-control", "x-accel-buffering"), *_AS_EVENTS]

    def lost(self) -> str | None:
        """Return what could not be carried between dialects, None where nothing had to be."""
        return None

    def refusal(self, status: int, headers: Headers, body: bytes, now: float) -> Told:
        """Tell of a status of 400 and above; ``now`` in seconds since the epoch."""
        body = b"" if is_packed(headers) else body
        told = retell(
            self._call.dialect,
            status,
            body,
            provider=self._target.provider,
            our_key=self._target.our_key,
            secrets=self._secrets(),
            request_id=self._call.id,
        )
        kept = without(client_headers(headers, external=self._target.external), *_FRAMED)
        kept = _sane_wait(told.status, kept, now)
        if self._target.our_key and status in _AUTH:  # the official clients try a 502 again: the key stays what it is
            kept = [*without(kept, "x-should-retry"), ("x-should-retry", "false")]
        return Told(told.status, told.body, told.message, told.outcome, kept, told.code, _said(body))

    def failure(self, failure: Failure) -> Told:
        """Tell of an answer of status 200 that turned out to be an error."""
        code = None if failure.code.isdecimal() else failure.code or None
        return self._told(
            Retold(status_of(failure), failure.message, code, detail_of(failure)),
            Outcome.UPSTREAM_HTTP_ERROR,
            [],
            failure,
        )

    def failure_event(self, failure: Failure) -> tuple[bytes, str] | None:
        """Return the event and the message for an error within a stream, None where the provider told it itself."""
        return None

    def rewritten(self, heard: Listening, body: bytes) -> bytes:
        """Return what the client gets when somebody has put ``body`` in the place of the provider's whole answer."""
        return body

    def _told(self, retold: Retold, outcome: Outcome, headers: Headers, said: Failure | None) -> Told:
        secrets = self._secrets()
        message = redact(retold.message, secrets)
        status = status_for(self._call.dialect, retold.status)
        body = error_body(
            self._call.dialect,
            status,
            message,
            code=retold.code,
            request_id=self._call.id,
            detail=retold.detail,
            secrets=secrets,
        )
        return Told(status, body, message, outcome, headers, retold.code, said)

    def _secrets(self) -> list[str]:
        return [*self._call.secrets(), *self._target.addresses()]


class Rewriting(Passage):
    """The answer is read, and written anew. Nothing passes untouched: each piece is read at once.

    ``unbroken`` says where the answer stands, if another target may go on with it; ``speaks`` is the dialect that the
    writer's events come from.
    """

    untouched = False
    unbroken: Unbroken | None = None

    def __init__(self, call: Call, target: Target, translation: Translation) -> None:
        super().__init__(call, target)
        self.translation = translation
        self.writer = translation.writer(translation.stream)
        self.streams = translation.stream
        self.speaks = translation.provider

    def fitting(self, content_type: str) -> Passage:
        """Return itself: the client gets the form it asked for anyway."""
        return self

    def begin(self, heard: Listening, *, is_events: bool) -> None:
        """The head of a good answer has come."""
        heard.write_with(self.writer.write)
        reader = self.translation.reader(is_events)
        self.unbroken = Unbroken(reader) if self._target.resumable and self.streams else None
        heard.start(self.unbroken or reader, is_events=is_events)

    def passed(self, heard: Listening, data: bytes) -> bytes:
        """Return what the client gets of a piece that was heard."""
        return heard.take_written()

    def rest(self, heard: Listening) -> bytes:
        """Return what the client still gets when a complete answer has ended."""
        return heard.take_written() + self.writer.close()

    def is_whole(self, heard: Listening) -> bool:
        """Whether an answer that has ended is complete."""
        return heard.answer.terminal

    def says_nothing(self, answer: Answer) -> bool:
        """Whether there is nothing in a complete answer that the client could be told."""
        return not answer.has_content and answer.finish is None and answer.usage.input is None

    def headers(self, headers: Headers, now: float) -> Headers:
        """Return the head of the client's answer, made of the provider's; ``now`` in seconds since the epoch."""
        kept = without(self._in_its_words(headers, now), *_FRAMED, "date")
        if not self.streams:
            return [("content-type", "application/json"), *kept]
        kept = without(kept, "cache-control", "x-accel-buffering")
        return [*EVENT_STREAM, *kept]

    def lost(self) -> str | None:
        """Return what could not be carried, as far as is known by now: "" if all could."""
        return self.translation.notes.header()

    def refusal(self, status: int, headers: Headers, body: bytes, now: float) -> Told:
        """Tell of a status of 400 and above, in the words of the client's dialect."""
        if self._target.our_key and status in _AUTH:
            return super().refusal(status, headers, body, now)
        body = b"" if is_packed(headers) else body
        retold = self.translation.error(status, body, self._target.provider)
        outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.UPSTREAM_HTTP_ERROR
        kept = _sane_wait(status, without(self._in_its_words(headers, now), *_FRAMED), now)
        return self._told(retold, outcome, kept, _said(body))

    def failure(self, failure: Failure) -> Told:
        """Tell of an answer of status 200 that turned out to be an error."""
        retold = self.translation.failure(failure, self._target.provider)
        return self._told(retold, Outcome.UPSTREAM_HTTP_ERROR, [], failure)

    def failure_event(self, failure: Failure) -> tuple[bytes, str] | None:
        """Return the event and the message for an error within a stream."""
        retold = self.translation.failure(failure, self._target.provider)
        secrets = self._secrets()
        message = redact(retold.message, secrets)
        event = stream_error(
            self._call.dialect,
            retold.status,
            message,
            code=retold.code,
            request_id=self._call.id,
            detail=retold.detail,
            secrets=secrets,
        )
        return event, message

    def rewritten(self, heard: Listening, body: bytes) -> bytes:
        """Write an answer that somebody has edited in the provider's dialect."""
        translation = self.translation
        reader, writer = translation.reader(heard.is_events), translation.writer(translation.stream)
        read = [*reader.feed(body), *reader.close()]
        return b"".join(map(writer.write, read)) + writer.close()

    def _in_its_words(self, headers: Headers, now: float) -> Headers:
        translation = self.translation
        kept = client_headers(headers, external=True)
        return retold_headers(kept, translation.provider, translation.client, now)


def _said(body: bytes) -> Failure | None:
    text = body.decode("utf-8", "replace")
    try:
        return failure_of(parse(text))
    except ValueError:
        return Failure(text[:500])


def _sane_wait(status: int, headers: Headers, now: float) -> Headers:
    """Say how long to wait in the one form that all clients read, and not for longer than they would."""
    if status not in _WAITED_FOR:
        return headers
    wait = asked_wait(headers, now, most=_LONGEST_WAIT)
    kept = without(headers, "retry-after", "retry-after-ms")
    return kept if wait is None else [*kept, told_wait(wait)]


def passage_to(call: Call, target: Target) -> Passage:
    """Return the passage for what this target will answer."""
    translation = target.translation
    return Passage(call, target) if translation is None else Rewriting(call, target, translation)
