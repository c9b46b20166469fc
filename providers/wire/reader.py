"""What every reader is, and what the readers share: bytes of an answer in, neutral events out.

Strategy: the form of the answer is taken from its bytes, not from what was asked for, because providers answer a stream
request with JSON and the other way round. A stream reader decodes events at once and keeps the raw bytes only until the
first event; if none ever comes, the whole is read as a body at the end. A body reader collects, and looks at the first
bytes at the end. Comment lines and white space may stand ahead of either form (OpenRouter sends both while a model
warms up).
"""

import re
from abc import ABC, abstractmethod
from typing import Protocol

from providers.wire.events import Comment, Event, Failure, Opaque, Terminal
from providers.wire.sse import ServerSentEvent, SseDecoder
from providers.wire.values import count, mapping, parse, raw_json, string, whole

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a plain answer that are kept for reading; a longer one is judged by its last byte alone."""
_QUOTED = 500  # characters of an answer that is no JSON, quoted in the failure

_AHEAD = re.compile(r"\s+|:[^\r\n]*(?:[\r\n]|$)")
_EVENT_FIELD = re.compile(r"(?:data|event|id|retry)(?:[:\r\n]|$)")
# Keys of good answers: beside one of them, "message" or "detail" is not a complaint.
_ANSWER_KEYS = ("choices", "content", "output", "data", "results", "embedding", "input_tokens")


class Reader(Protocol):
    """Takes an answer's bytes in any cut and gives its events. Never raises."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; give the events that they complete."""
        ...

    def close(self) -> list[Event]:
        """The bytes have ended, for good or bad; give what is left. ``Terminal`` only if the answer is whole."""
        ...


class BodyReader(ABC):
    """Base of the readers of plain answers; a dialect says how to ``read`` the value and what its ``stream`` is."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._last = b""

    @abstractmethod
    def read(self, value: object, out: list[Event]) -> None:
        """Append the events of a parsed answer that is no error; the base appends ``Terminal``."""

    @abstractmethod
    def stream(self) -> "Reader":
        """A reader for the same answer as events."""

    def failure(self, value: object) -> Failure | None:
        """The failure that the whole body tells, if it is no answer at all."""
        return failure_of(value)

    def feed(self, data: bytes) -> list[Event]:
        """Collect; a plain answer is read when it is whole."""
        self._size += len(data)
        if self._size <= MAX_BODY:
            self._pieces.append(data)
        else:
            self._pieces.clear()
            self._last = data.rstrip()[-1:] or self._last
        return []

    def close(self) -> list[Event]:
        """Read what was collected."""
        if self._size > MAX_BODY:
            unread: list[Event] = [Opaque(f"an answer of {self._size} bytes, not read", "oversized")]
            return [*unread, Terminal()] if self._last in (b"}", b"]") else unread
        body = b"".join(self._pieces)
        self._pieces.clear()
        out: list[Event] = []
        text = skip_ahead(body.decode("utf-8", "replace"), out)
        if _EVENT_FIELD.match(text):
            stream = self.stream()
            return stream.feed(body) + stream.close()
        self.read_text(text, out)
        return out

    def read_text(self, text: str, out: list[Event]) -> None:
        """Append the events of a whole body, given without anything ahead of it; an empty one has none."""
        if not text:
            return
        try:
            value = parse(text)
        except ValueError:
            out.append(_unparsed(text))
            return
        failure = self.failure(value)
        if failure:
            out.append(failure)
            return
        self.read(value, out)
        if not any(isinstance(event, Failure) for event in out):
            out.append(Terminal())


class StreamReader(ABC):
    """Base of the readers of event streams; a dialect says what an event means (``take``) and an end (``finish``)."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._raw: list[bytes] | None = []  # what came before the first event; None from then on
        self._raw_size = 0
        self.failed = False  # the provider said so: whatever follows, there is no good end

    @abstractmethod
    def take(self, event: str, data: str, out: list[Event]) -> None:
        """Append what one event says; ``data`` is not empty."""

    @abstractmethod
    def finish(self, out: list[Event]) -> None:
        """Append what the end of the bytes says, after at least one event."""

    @abstractmethod
    def body(self) -> BodyReader:
        """A reader for the same answer as a plain body."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; give the events that they complete."""
        if self._raw is not None and self._raw_size <= MAX_BODY:
            self._raw.append(data)
            self._raw_size += len(data)
        out: list[Event] = []
        self._take_all(self._decoder.feed(data), out)
        return out

    def close(self) -> list[Event]:
        """The bytes have ended; without one event, they are read as a plain answer."""
        out: list[Event] = []
        self._take_all(self._decoder.close(), out)
        if self._raw is None:
            self.finish(out)
            return out
        text = skip_ahead(b"".join(self._raw).decode("utf-8", "replace"), [])
        self._raw = []
        if not _EVENT_FIELD.match(text):
            self.body().read_text(text, out)
        return out

    def _take_all(self, decoded: list[ServerSentEvent], out: list[Event]) -> None:
        for event in decoded:
            if event.comment is not None:
                out.append(Comment(event.comment))
            elif event.data:
                self._raw = None
                self.take(event.event, event.data, out)
            else:  # some gateways keep a connection alive with empty events
                self._raw = None
                out.append(Comment(event.event))

    def parse(self, event: str, data: str, out: list[Event]) -> dict[str, object] | None:
        """The JSON object of an event, or None when it is none, or an error: then that is appended.

        ``event`` counts only where it says ``error``: providers then send bodies that do not look like one.
        """
        try:
            value = parse(data)
        except ValueError:
            value = None
        is_error = event == "error"
        if isinstance(value, dict):
            if not is_error and "error" not in value and value.get("type") != "error":
                return value
            failure = failure_of(value) or (_complaint(value, value) if is_error else None)
            if failure is None:
                return value
        elif is_error:
            failure = Failure(whole(data))
        else:
            out.append(Opaque(whole(data), "malformed"))
            return None
        self.failed = True
        out.append(failure)
        return None


def skip_ahead(text: str, out: list[Event]) -> str:
    """The text without byte order mark, white space and comment lines ahead of it; comments are appended as events."""
    at = len("\ufeff") if text.startswith("\ufeff") else 0
    while ahead := _AHEAD.match(text, at):
        at = ahead.end()
        comment = ahead.group().strip()
        if comment:
            out.append(Comment(comment.removeprefix(":").removeprefix(" ")))
    return text[at:]


def failure_of(value: object) -> Failure | None:
    """The failure that an error body tells, in any shape seen so far, or None when the value is no error body."""
    if not isinstance(value, dict):
        return None
    error = value.get("error")
    if error:
        return _complaint(mapping(error) or {"message": error}, value)
    if value.get("type") == "error" or value.get("object") == "error":
        return _complaint(value, value)
    if any(key in value for key in _ANSWER_KEYS):
        return None
    complaint = value.get("detail") or value.get("message") or value.get("Message")
    return _complaint({"message": complaint, **value}, value) if complaint else None


def _complaint(error: dict[str, object], whole_body: dict[str, object]) -> Failure:
    """Read ``{message, type, code}``; a code may be a number, or stand outside (xAI), or in details (Anthropic)."""
    message = error.get("message")
    details = mapping(error.get("details"))
    codes = (error.get("code"), details.get("error_code"), whole_body.get("code"))
    code = next((code for code in codes if code not in (None, "")), "")
    return Failure(
        message=whole(message) if isinstance(message, str) and message else raw_json(message or error),
        type=whole(string(error.get("type"))),
        code=str(count(code)) if count(code) is not None else whole(string(code)),
        raw=raw_json(whole_body),
    )


def _unparsed(text: str) -> Event:
    """JSON that breaks off is a cut answer, and no complaint; anything else (a CDN's page) is one."""
    if text.startswith(("{", "[")):
        return Opaque(text, "malformed")
    return Failure(text[:_QUOTED].strip())
