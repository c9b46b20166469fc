"""What a client dropped of an assistant's turn, put back into the turn that it sends.

Strategy: what is kept of a turn is its parts in their order without the arguments of its calls. The client's own calls
take their places in it, with their own cache marks; its text is the same as the kept one but for white space, so the
kept one stands, which knows where it was divided. Where the client left the text out it stays out.
"""

from dataclasses import replace

from providers.wire.neutral import Cache, Opaque, Part, Text, Thinking, ToolUse, Turn


def kept_of(turn: Turn) -> tuple[Part, ...]:
    """What is to be kept of a turn; nothing where a client that keeps text and calls alone loses nothing."""
    parts: list[Part] = [part for part in turn.parts if isinstance(part, Text | ToolUse | Thinking | Opaque)]
    if not any(_is_lost(part) for part in parts) and _is_in_order(parts):
        return ()
    return tuple(replace(part, arguments="") if isinstance(part, ToolUse) else part for part in parts)


def is_bare(turn: Turn) -> bool:
    """Whether an assistant's turn came back without what only its provider understands."""
    return turn.role == "assistant" and not any(
        isinstance(part, Opaque) or (isinstance(part, Thinking) and (part.signature or part.encrypted))
        for part in turn.parts
    )


def reattached(turn: Turn, kept: tuple[Part, ...]) -> Turn:
    """The turn with what is kept of it. The client's turn says the same: as many calls, and the same text or none."""
    texts = [part for part in turn.parts if isinstance(part, Text) and part.text.strip()]
    calls = iter([part for part in turn.parts if isinstance(part, ToolUse)])
    parts = [part for part in kept if texts or not isinstance(part, Text)]
    woven = [_own(next(calls), part) if isinstance(part, ToolUse) else part for part in parts]
    _mark(woven, next((text.cache for text in reversed(texts) if text.cache), None))
    replaced = (ToolUse, Thinking) if any(isinstance(part, Thinking) for part in kept) else (ToolUse,)
    rest = [part for part in turn.parts if part not in texts and not isinstance(part, replaced)]
    ahead = [part for part in rest if isinstance(part, Thinking)]
    return replace(turn, parts=(*ahead, *woven, *(part for part in rest if part not in ahead)))


def _mark(parts: list[Part], cache: Cache | None) -> None:
    """Put the client's cache mark on the last text."""
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if cache is not None and isinstance(part, Text):
            parts[at] = replace(part, cache=cache)
            return


def _own(call: ToolUse, kept: ToolUse) -> ToolUse:
    return replace(call, extra={**kept.extra, **call.extra})


def _is_lost(part: Part) -> bool:
    match part:
        case Text():
            return bool(part.citations)
        case ToolUse():
            return bool(part.extra)
        case _:
            return True


def _is_in_order(parts: list[Part]) -> bool:
    """Whether all text stands before all calls, as chat has it."""
    called = [isinstance(part, ToolUse) for part in parts]
    return called == sorted(called)
