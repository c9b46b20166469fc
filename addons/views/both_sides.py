"""The view *Wire vs client*: what a provider was sent and sent itself, beside what the client sent and saw.

Strategy: both bodies are laid out as JSON with their fields in order of their names, and compared line by line. Long
texts stand shortened there, with a mark of their own, so that a difference anywhere in them still shows.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from providers.redaction import redact
from providers.wire.sse import SseDecoder
from providers.wire.values import parse, whole

Fields = Sequence[tuple[str, str]]
_LONGEST_TEXT = 400  # characters
_MOST_LINES = 2_000  # lines of each side that are compared
_MOST_DIFF = 3_000
_MOST_READ = 4 << 20  # bytes of each side
_MOST_VALUES = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """One side of a comparison: ``line`` is its first line (method and path, or status)."""

    line: str
    headers: Fields
    body: bytes
    is_events: bool = False


def compare(client: Part, wire: Part, *, is_request: bool, translation: str | None) -> str:
    """Return what differs between what the client and what the provider has to do with; headers first, then bodies."""
    verb = "sent" if is_request else "got"
    lines = [
        f"client {verb}:   {client.line}",
        f"provider {'got' if is_request else 'sent'}: {wire.line}",
        *_translated(translation),
        *_headers(client, wire, is_request=is_request),
    ]
    if client.body == wire.body:
        lines.append("body: the same, byte for byte")
    else:
        lines += ("body:", *_difference(client, wire))
    return redact("\n".join(whole(line) for line in lines)) + "\n"


def _translated(translation: str | None) -> Iterator[str]:
    if translation is None:
        return
    yield f"translated: {translation.replace(',', ', ') or 'nothing was lost'}"


def _headers(client: Part, wire: Part, *, is_request: bool) -> Iterator[str]:
    """Say which headers are on one side only, or differ there."""
    ours, theirs = _by_name(client.headers), _by_name(wire.headers)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            for sign, value in (("-", ours.get(name)), ("+", theirs.get(name))):
                if value is not None:
                    yield f"header {sign} {name}: {value[:_LONGEST_TEXT]}"


def _by_name(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        low = name.lower()
        found[low] = f"{found[low]}, {value}" if low in found else value
    return found


def _difference(client: Part, wire: Part) -> Iterator[str]:
    ours, theirs = _canonical(client), _canonical(wire)
    if ours == theirs:
        yield "the same values; spelling or order differ"
        return
    ahead = next((n for n, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    start = max(0, (min(len(ours), len(theirs)) if ahead is None else ahead) - 3)
    one, other = ours[start : start + _MOST_LINES], theirs[start : start + _MOST_LINES]
    found = difflib.unified_diff(one, other, "what the client has", "what the provider has", lineterm="")
    yield from islice(found, _MOST_DIFF)
    left = max(len(ours), len(theirs)) - start - _MOST_LINES
    if left > 0:
        yield f"… {left:,} more lines are not compared here …"


def _canonical(part: Part) -> list[str]:
    """The lines of a body: JSON laid out, events one after the other, anything else as it is."""
    body = part.body[:_MOST_READ]
    if part.is_events:
        decoder = SseDecoder()
        decoded = [event for event in (*decoder.feed(body), *decoder.close()) if event.comment is None]
        lines = [line for event in decoded[:_MOST_LINES] for line in (f"event {event.event}", *_laid_out(event.data))]
    else:
        lines = _laid_out(part.body.decode("utf-8", "replace"))
    return lines[: 4 * _MOST_LINES]


def _laid_out(text: str) -> list[str]:
    try:
        value = parse(text)
    except ValueError:
        return [_shortened(line) for line in text[:_MOST_READ].split("\n")]
    return json.dumps(_bounded(value), ensure_ascii=False, sort_keys=True, indent=2).split("\n")


def _bounded(value: object) -> object:
    """The value with its long texts shortened, and with no more than so many values."""
    left = [_MOST_VALUES]

    def bound(inner: object, depth: int) -> object:
        left[0] -= 1
        if isinstance(inner, str):
            return _shortened(inner)
        if isinstance(inner, dict | list) and (left[0] < 0 or depth > 50):
            return f"… {len(inner):,} values …"
        if isinstance(inner, dict):
            return {_shortened(name): bound(item, depth + 1) for name, item in islice(inner.items(), _MOST_LINES)}
        return [bound(item, depth + 1) for item in inner[:_MOST_LINES]] if isinstance(inner, list) else inner

    return bound(value, 0)


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    # A key that is cut would no longer look like one.
    return f"{redact(text[: 2 * _LONGEST_TEXT])[: _LONGEST_TEXT // 2]}… ({len(text):,} characters, {mark})"
