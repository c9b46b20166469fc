"""What an earlier answer carried through a Responses client, put back into the turn that it belongs to.

A part of another dialect stands in its place again; a field of a tool call goes back onto that call, a late signature
onto the reasoning before it. A search that was shown beside what it was made of is not said twice.
"""

from dataclasses import replace

from providers.wire import side_channel
from providers.wire.neutral import Json, Opaque, Part, Thinking, ToolUse, Turn
from providers.wire.values import string

SHOWN = "ws_"
"""What the id of a shown search begins with; the provider's own id follows."""


def restore(turn: Turn) -> Turn:
    """The turn with everything in its place."""
    parts: list[Part] = []
    shown: set[str] = set()
    for part in turn.parts:
        if not isinstance(part, Opaque):
            parts.append(part)
        elif part.type == side_channel.OPAQUE:
            _restore_part(part.raw, parts, shown)
        elif part.raw.get("late"):
            _sign(parts, side_channel.thinking_of("", part.type, part.raw))
        elif not (part.type == "web_search_call" and string(part.raw.get("id")) in shown):
            parts.append(part)
    return replace(turn, parts=tuple(parts))


def _restore_part(payload: Json, parts: list[Part], shown: set[str]) -> None:
    if field := side_channel.call_field_of(payload):
        _give_back(parts, *field)
    elif opaque := side_channel.opaque_of(payload):
        parts.append(opaque)
        shown.add(SHOWN + string(opaque.raw.get("id")))


def _give_back(parts: list[Part], call_id: str, name: str, value: object) -> None:
    for at, part in enumerate(parts):
        if isinstance(part, ToolUse) and part.id == call_id:
            parts[at] = replace(part, extra={**part.extra, name: value})


def _sign(parts: list[Part], late: Thinking) -> None:
    """The nearest reasoning without a signature is the one; without any, it stands for itself."""
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if isinstance(part, Thinking) and not (part.signature or part.encrypted):
            parts[at] = replace(late, text=part.text, summary=part.summary, redacted=False)
            return
    parts.append(late)
