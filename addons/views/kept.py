"""Values of a body that are named but not shown: what nobody can read, what is too long, what holds a key.

A picture is a type and a size, a signature a length, thinking its first words. Such a value stands in the text under a
tag with its number, and goes back into the body as it was.
"""

from dataclasses import dataclass

from providers.redaction import redact
from providers.wire.values import mapping, parse, string

_LONGEST_TEXT = 20_000  # characters of one text
_FOLDED = 160  # characters of thinking that are shown
_OPAQUE = 64  # characters of what nobody reads
_HEAD, _TAIL = 2_000, 500  # characters shown of a text that is longer than that
_OVERLAP = 200  # characters: a key that is cut no longer looks like one, so more is cleaned than is shown
_BEGINNING = 60  # characters quoted of what is not shown
MOST_MEMBERS = 300
_MOST_ITEMS = 500
_MOST_ARGUMENTS = 20_000  # characters of a call's arguments that are laid out

_SECRET_WORDS = frozenset(("signature", "encrypted_content", "thought_signature", "thoughtSignature", "encrypted"))
_THINKING = frozenset(("thinking", "reasoning_content", "reasoning"))
_THINKING_TYPES = frozenset(("reasoning.text", "reasoning.summary", "summary_text", "reasoning_text"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is not shown as it is. ``shown`` stands for it, None where its parts are shown (``!json``).

    ``is_run``: ``value`` is a list, and stands for its items in a row, not for one.
    """

    value: object
    shown: str | None
    is_run: bool = False


def described(value: object, name: str, parent: object) -> str | None:
    """Say what stands in the text for ``value``, the member ``name`` of ``parent``; None where it can be shown."""
    if isinstance(value, str):
        return _text(value, name, parent)
    if isinstance(value, dict):
        return f"{len(value):,} fields" if len(value) > MOST_MEMBERS else None
    if isinstance(value, list):
        return f"{len(value):,} values" if len(value) > _MOST_ITEMS else None
    return "a number" if isinstance(value, float) and value - value != 0 else None  # infinite, or none


def outlined(value: object) -> str:
    """Say what any value is, where there is no room for it."""
    if isinstance(value, dict):
        return f"{len(value):,} fields"
    return f"{len(value):,} values" if isinstance(value, list) else _beginning(str(value))


def laid_out(value: object, name: str, parent: object) -> object | None:
    """Return the object that a call's arguments are, where they are JSON text; None for anything else."""
    if name != "arguments" or not isinstance(value, str) or len(value) > _MOST_ARGUMENTS:
        return None
    if "name" not in mapping(parent):
        return None
    try:
        found = parse(value)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found else None


def _text(text: str, name: str, parent: object) -> str | None:
    """Say it of a text; most are short and can be shown."""
    if len(text) > _OPAQUE:
        if (said := _media(text, name, parent)) is not None:
            return said
        if name in _SECRET_WORDS or (name == "data" and mapping(parent).get("type") in _OPAQUE_TYPES):
            return f"{name}, {len(text):,} characters"
        if len(text) > _FOLDED and _is_thinking(name, parent):
            return f"thinking, {_beginning(text)}"
        if len(text) > _LONGEST_TEXT:
            return _ends(text)
    cleaned = redact(text)
    return cleaned if cleaned != text else None


_OPAQUE_TYPES = ("redacted_thinking", "reasoning.encrypted")


def _is_thinking(name: str, parent: object) -> bool:
    return name in _THINKING or (name in ("text", "summary") and mapping(parent).get("type") in _THINKING_TYPES)


def _media(text: str, name: str, parent: object) -> str | None:
    """Say what media a text holds, in base64."""
    beside = mapping(parent)
    if text.startswith("data:") and "," in text[:200]:
        head, _, data = text.partition(",")
        media_type = head[len("data:") :].partition(";")[0] or "data"
        return f"{redact(media_type)}, {_size(data) if head.endswith(';base64') else len(data):,} bytes"
    kind = string(beside.get("media_type")) or string(beside.get("format"))
    if name == "data" and (kind or "transcript" in beside) and beside.get("type") != "text":
        return f"{redact(kind) or 'audio'}, {_size(text):,} bytes"
    is_file = name in ("file_data", "b64_json") or beside.get("type") == "image_generation_call"
    if is_file and " " not in text[:_FOLDED]:
        return f"{redact(string(beside.get('filename'))) or 'a file'}, {_size(text):,} bytes"
    return None


def _size(base64: str) -> int:
    """How many bytes base64 holds."""
    return len(base64) * 3 // 4 - base64.count("=", max(0, len(base64) - 2))


def _ends(text: str) -> str:
    """Show the beginning and the end of a long text."""
    head, tail = redact(text[: _HEAD + _OVERLAP])[:_HEAD], redact(text[-_TAIL - _OVERLAP :])[-_TAIL:]
    return f"{head}\n… {len(text) - _HEAD - _TAIL:,} of {len(text):,} characters are not shown …\n{tail}"


def _beginning(text: str) -> str:
    words = redact(" ".join(text[: _BEGINNING + _OVERLAP].split()))
    return f"{len(text):,} characters: {words[:_BEGINNING]}{'…' if len(words) > _BEGINNING else ''}"
