"""Answers side by side, as text for a terminal of 120 columns or for an event log."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

from mitmproxy import http

from addons.flows.client_call import client_call
from addons.flows.marks import cost_said, span_said
from providers.wire.answer import Answer
from providers.wire.endpoints import endpoint_of
from providers.wire.readers import reader_for
from providers.wire.request import MediaPart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart

MOST = 6  # answers that fit beside each other
_WIDTH = 120
_GAP = " │ "
_LONGEST = 20_000  # characters of one answer


@dataclass(frozen=True, slots=True)
class Side:
    """One answer: ``facts`` are its numbers by name (what is not known is not there), ``text`` what was said."""

    title: str
    facts: dict[str, str]
    text: str


def side_of(flow: http.HTTPFlow) -> Side:
    """Read a call's flow: the answer as its client saw it."""
    known = flow.metadata
    title = "/".join(filter(None, (str(known.get("patchbay.provider", "")), str(known.get("patchbay.model", "")))))
    return Side(title or "not answered", _facts(known), _cut(_said(flow)))


def compare(sides: Sequence[Side]) -> str:
    """Lay answers out beside each other, their numbers above."""
    label = max(len(name) for name in _FACTS)
    width = (_WIDTH - label - len(_GAP) * len(sides)) // len(sides)
    rows = [("", [side.title for side in sides])]
    rows += [
        (name, [side.facts.get(name, "") for side in sides])
        for name in _FACTS
        if any(name in side.facts for side in sides)
    ]
    lines = [line for name, cells in rows for line in _row(name, cells, label, width)]
    ruler = "─" * len(lines[0])
    return "\n".join((*lines, ruler, *_row("answer", [side.text for side in sides], label, width)))


def _row(name: str, cells: Sequence[str], label: int, width: int) -> list[str]:
    columns = [_folded(cell, width) for cell in cells]
    return [
        _GAP.join((left.ljust(label), *(part.ljust(width) for part in parts)))
        for left, *parts in zip_longest([name], *columns, fillvalue="")
    ]


def _folded(text: str, width: int) -> list[str]:
    return [part for line in text.splitlines() for part in wrap(line, width, replace_whitespace=False) or [""]]


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _span(value: object) -> str:
    return span_said(value) if isinstance(value, int) else ""


def _cost(value: object) -> str:
    return cost_said(float(value)) if isinstance(value, int | float) else ""


def _word(value: object) -> str:
    return str(value or "")


# Name → where a flow has it, and how it is said.
_FACTS = {
    "outcome": ("patchbay.outcome", _word),
    "tokens in": ("patchbay.input_tokens", _count),
    "cached": ("patchbay.cache_read_tokens", _count),
    "tokens out": ("patchbay.output_tokens", _count),
    "first token": ("patchbay.ttft_us", _span),
    "duration": ("patchbay.duration_us", _span),
    "cost": ("patchbay.cost", _cost),
}


def _facts(known: dict[str, object]) -> dict[str, str]:
    told = {name: say(known.get(key)) for name, (key, say) in _FACTS.items()}
    return {name: text for name, text in told.items() if text}


def _said(flow: http.HTTPFlow) -> str:
    call, body = client_call(flow), flow.metadata.get("patchbay.client_body")
    response = flow.response
    content = body.encode() if isinstance(body, str) else (response.raw_content or b"" if response else b"")
    endpoint = endpoint_of(call.method, call.path) if call is not None else None
    if endpoint is None or not content:
        return flow.error.msg if flow.error else "(no answer)"
    is_stream = content.lstrip()[:1] not in (b"{", b"[")
    reader, answer = reader_for(endpoint.operation, is_stream), Answer()
    for event in (*reader.feed(content), *reader.close()):
        answer.add(event)
    said = [_part(part) for part, _ in answer.parts()]
    said += [f"(failed: {answer.failure.message})"] if answer.failure is not None else []
    return "\n\n".join(filter(None, said)) or "(nothing was said)"


def _part(part: Part) -> str:
    match part:
        case TextPart() | RefusalPart():
            return part.text
        case ReasoningPart():
            return f"(thinking: {len(part.text):,} characters)" if part.text else ""
        case ToolCallPart():
            return f"→ {part.name}({part.arguments})"
        case MediaPart():
            return f"({part.kind}, {part.media_type})"
        case _:
            return ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n(cut here: {len(text):,} characters in all)"
