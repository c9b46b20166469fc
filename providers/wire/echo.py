"""An answer as a client that keeps everything would send it back in its next request.

Strategy: nothing is mapped here a second time. The answer goes through the client's own writer and parser once more,
one event for each of its parts, so what comes out is the very turn that such a client's history holds.
"""

from collections.abc import Callable, Iterator
from typing import Any

from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.endpoints import Operation
from providers.wire.neutral import Json, Turn
from providers.wire.request import (
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from providers.wire.translate import PARSERS, Translation
from providers.wire.values import mapping, parse, sequence


def echo(translation: Translation, answer: Answer) -> Turn | None:
    """The assistant's turn, None where the operation has no history (a count, an old text completion)."""
    history = _HISTORIES.get(translation.asked)
    if history is None:
        return None
    writer = translation.writer(False)
    for event in (events.Begin(answer.id, answer.model), *_events(answer)):
        writer.write(event)
    body = mapping(parse(writer.close().decode()))
    turns = PARSERS[translation.asked](history(body)).turns
    return turns[0] if len(turns) == 1 and turns[0].role == "assistant" else None


def _events(answer: Answer) -> Iterator[events.Event]:
    for number, (part, beside) in enumerate(answer.parts()):
        yield from _EVENTS[type(part)](part, number)
        for opaque in beside:
            yield _opaque(opaque, number)
        yield events.PartEnd(number)


def _call(part: ToolCallPart, number: int) -> tuple[events.Event, ...]:
    return events.ToolCall(number, part.id, part.name, part.kind), events.ToolArguments(number, part.arguments)


def _reasoning(part: ReasoningPart, number: int) -> events.Event:
    return events.Reasoning(part.text, number, part.signature, part.encrypted, part.id, part.format)


def _opaque(part: OpaquePart, number: int) -> events.Event:
    return events.Opaque(part.raw, part.type, number)


# Each kind of part that an answer can have.
_EVENTS: dict[type[Part], Callable[[Any, int], tuple[events.Event, ...]]] = {
    TextPart: lambda part, number: (events.Text(part.text, number),),
    ReasoningPart: lambda part, number: (_reasoning(part, number),),
    RefusalPart: lambda part, number: (events.Refusal(part.text, number),),
    ToolCallPart: _call,
    MediaPart: lambda part, number: (events.Media(part.kind, part.media_type, part.size, number, part.ref),),
    OpaquePart: lambda part, number: (_opaque(part, number),),
}


def _chat(body: Json) -> Json:
    return {"messages": [mapping(choice).get("message") for choice in sequence(body.get("choices"))[:1]]}


def _messages(body: Json) -> Json:
    return {"messages": [{"role": "assistant", "content": body.get("content")}]}


def _responses(body: Json) -> Json:
    return {"input": body.get("output")}


# The client's operation → its answer as the history of a request.
_HISTORIES: dict[Operation, Callable[[Json], Json]] = {
    Operation.CHAT: _chat,
    Operation.MESSAGES: _messages,
    Operation.RESPONSES: _responses,
}
