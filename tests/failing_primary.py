"""What a primary provider does to a call, in each dialect, and the healthy one behind it."""

import json
from collections.abc import Callable, Sequence

from tests.fake_answers import CHUNKED, SSE, json_answer, streamed, whole
from tests.fake_dialects import (
    Json,
    anthropic_error,
    chat_body,
    chat_events,
    error_body,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Head, LastChunk, Raw, Script, Sleep, Step
from tests.fake_upstream import Answer

EVENTS: dict[str, Callable[..., list[bytes]]] = {
    "chat": chat_events,
    "messages": messages_events,
    "responses": responses_events,
}
BODIES: dict[str, Callable[..., Json]] = {"chat": chat_body, "messages": messages_body, "responses": responses_body}
WORDS = tuple(f" word{number}" for number in range(60))
SAID = WORDS[:40]
SECOND = ("The", " second", " one", " answers", ".")
ANSWER = "".join(SECOND)
REFUSED = "I cannot help with that."
EVENT_HEAD = Head(200, (*SSE, *CHUNKED))
# A reply of the primary: by its dialect, and by whether a stream is asked for.
Reply = Callable[[str, bool], Answer]


def good(dialect: str, stream: bool, words: Sequence[str] = WORDS) -> Script:
    """A whole answer."""
    return streamed(EVENTS[dialect](words)) if stream else json_answer(BODIES[dialect](words))


def asked_to_stream(request: Request) -> bool:
    """Whether a provider is asked for events."""
    return json.loads(request.body).get("stream") is True


def told(request: Request) -> str:
    """The beginning of its answer that a provider is told, "" if none."""
    body = json.loads(request.body)
    asked = body.get("messages") or body["input"]
    last = asked[-1] if isinstance(asked, list) else {"role": "user"}
    if last["role"] != "assistant":
        return ""
    content = last["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def healthy(dialect: str) -> Callable[[Request], Script]:
    """The second provider: it goes on exactly where it is told to stand, and has a word of its own otherwise."""

    def answer(request: Request) -> Script:
        begun = told(request)
        words: Sequence[str] = ("".join(WORDS).removeprefix(begun),) if begun else SECOND
        return good(dialect, asked_to_stream(request), words)

    return answer


def refuses(status: int, message: str = "no", type_: str = "server_error", code: str = "", **headers: str) -> Reply:
    """An error status in the words of the dialect."""
    kept = tuple((name.replace("_", "-"), value) for name, value in headers.items())

    def reply(dialect: str, _stream: bool) -> Script:
        if dialect == "messages":
            return json_answer(anthropic_error(message, type_), status, kept)
        return json_answer(error_body(message, type_=type_, code=code or None), status, kept)

    return reply


def does(*steps: Step) -> Reply:
    """The same in every dialect."""
    return lambda _dialect, _stream: steps


def breaks(*end: Step) -> Reply:
    """Forty of the sixty words, then ``end``; a plain answer ends so within its body."""

    def reply(dialect: str, stream: bool) -> Script:
        if not stream:
            body = json.dumps(BODIES[dialect](WORDS)).encode()
            head = Head(200, (("content-type", "application/json"), ("content-length", str(len(body)))))
            return head, Raw(body[: len(body) * 2 // 3]), *end
        events = EVENTS[dialect](WORDS)
        return (EVENT_HEAD, *map(Chunk, events[: _behind(events)]), *end)

    return reply


def _behind(events: Sequence[bytes]) -> int:
    """How many events hold the first forty words."""
    return next(at for at, event in enumerate(events) if b'" word39"' in event) + 1


def garbles(*pause: Step) -> Reply:
    """One event behind the fortieth word, after a pause, or the plain answer, is JSON that breaks off."""

    def reply(dialect: str, stream: bool) -> Script:
        if not stream:
            body = json.dumps(BODIES[dialect](WORDS)).encode()
            return whole(body[: len(body) * 2 // 3], "application/json")
        events = EVENTS[dialect](WORDS)
        at = _behind(events)
        name, _, data = events[at].rpartition(b"data: ")
        broken = name + b"data: " + data[: len(data) // 2].rstrip() + b"\n\n"
        rest = (broken, *events[at + 1 :])
        return (EVENT_HEAD, *map(Chunk, events[:at]), *pause, *map(Chunk, rest), LastChunk())

    return reply


def unfinished(dialect: str, stream: bool) -> Script:
    """Everything but the last event; the framing is whole."""
    return streamed(EVENTS[dialect](WORDS)[:-1])


def says_late(seconds: float) -> Reply:
    """The head comes at once, what the user sees after so long."""

    def reply(dialect: str, stream: bool) -> Script:
        head, *rest = good(dialect, stream)
        return (head, Sleep(seconds), *rest)

    return reply


def stalls(dialect: str, seconds: float, words: Sequence[str] = WORDS) -> Script:
    """Forty words, nothing for so long, and the rest."""
    events = EVENTS[dialect](words)
    at = _behind(events)
    return (EVENT_HEAD, *map(Chunk, events[:at]), Sleep(seconds), *map(Chunk, events[at:]), LastChunk())


# How each dialect says that the model, or a filter behind it, would not go on.
_REFUSING: dict[str, tuple[tuple[bytes, bytes], ...]] = {
    "chat": ((b'"finish_reason":"stop"', b'"finish_reason":"content_filter"'),),
    "messages": ((b'"stop_reason":"end_turn"', b'"stop_reason":"refusal"'),),
    "responses": (
        (b'"status":"completed","model"', b'"status":"incomplete","model"'),
        (b'"incomplete_details":null', b'"incomplete_details":{"reason":"content_filter"}'),
        (b"response.completed", b"response.incomplete"),
    ),
}


def filtered(dialect: str, stream: bool) -> Script:
    """The model refuses within its answer: words, and the reason for the end."""
    body = json.dumps(BODIES[dialect]([REFUSED]), separators=(",", ":")).encode()
    pieces = EVENTS[dialect]([REFUSED]) if stream else [body]
    for old, new in _REFUSING[dialect]:
        pieces = [piece if b"in_progress" in piece else piece.replace(old, new) for piece in pieces]
    return streamed(pieces) if stream else whole(pieces[0], "application/json")
