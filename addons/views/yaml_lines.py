"""JSON values as YAML that people like to read: long text as it stands, small things on one line.

Strategy: text of several lines is a literal block, plain words stand without quotes, and whatever could be read in two
ways is quoted as JSON does it, which YAML understands. So every text comes back as it was. mitmproxy replaces control
characters in what it shows, so none is ever written as itself.
"""

import json
import re

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./()+;-]*(?: [A-Za-z0-9_./()+;!?'-]+)*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_LONGEST_KEY = 500  # characters; YAML allows 1,024
# What YAML 1.1 or 1.2 takes for something else than text.
_WORDS = frozenset("true false null yes no on off y n nan inf".split())
_INVISIBLE = re.compile("[\x7f-\xa0\xad\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\u200b-\u200f\u202a-\u202e]")
_UNBLOCKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\u202a-\u202e]")


def quoted(text: str) -> str:
    """Text in double quotes, with everything escaped that cannot be seen."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def one_line(value: object) -> str:
    """A value without parts, or an empty one, on one line."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return quoted(value)


def key(name: str) -> str:
    """A member's name, without its colon."""
    return name if _KEY.fullmatch(name) and name.lower() not in _WORDS else quoted(name)


def is_key(name: str) -> bool:
    """Whether YAML can have it for a name."""
    return len(name) <= _LONGEST_KEY


def text_lines(text: str, indent: int) -> tuple[str, list[str]]:
    """A text as what stands behind its name, and the lines below, which are indented by so many spaces."""
    if "\n" not in text.rstrip("\n") or _UNBLOCKABLE.search(text):
        return one_line(text), []
    bare = text.rstrip("\n")
    ends = len(text) - len(bare)
    header = "|" + ("2" if text[0] in " \n\t" else "") + ("-" if ends == 0 else "" if ends == 1 else "+")
    lines = bare.split("\n") + [""] * max(0, ends - 1)
    return header, [" " * indent + line if line else "" for line in lines]


def inline(value: object, room: int) -> str | None:
    """A small list or object of values without parts on one line of at most ``room`` characters, or None."""
    if isinstance(value, dict):
        parts = [f"{key(name)}: {_within(item)}" for name, item in value.items() if not _has_parts(item)]
        said = "{" + ", ".join(parts) + "}"
        return said if len(parts) == len(value) and len(said) <= room else None
    items = value if isinstance(value, list) else []
    if any(map(_has_parts, items)):
        return None
    said = "[" + ", ".join(map(_within, items)) + "]"
    return said if len(said) <= room else None


def _has_parts(value: object) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _within(value: object) -> str:
    return one_line(value)
