"""By what a turn of a conversation is known again when a client sends it back.

Strategy: clients change what means nothing. They move cache marks, spell the JSON of arguments anew, trim white space,
and drop or keep what travels beside the words; so a turn is known by its words and its calls alone. Its place is the
digest of everything that was said before it, instructions included: whoever can name the place has the conversation.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

from providers.wire.neutral import Document, Image, Part, Request, SearchResult, Text, ToolResult, ToolUse, Turn

SIZE = 16  # bytes of a digest
_RUNS = re.compile(r"[A-Za-z0-9]+")
_MIX = re.compile(r"[0-9][A-Za-z]")  # more than a word with a number behind it
_LONG, _MIXED = 16, 9  # letters and digits in a row that nobody guesses: of any kind, and mixed


def digest(*pieces: str | bytes) -> bytes:
    """The digest of some pieces; where one ends and the next begins counts."""
    hasher = blake2b(digest_size=SIZE)
    for piece in pieces:
        content = piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogatepass")
        hasher.update(b"%d:" % len(content))
        hasher.update(content)
    return hasher.digest()


@dataclass(frozen=True)
class Said:
    """What an assistant's turn says. ``text`` without white space around it; ``calls`` are id, name and arguments."""

    text: str
    calls: tuple[tuple[str, str, str], ...]

    @cached_property
    def content(self) -> bytes:
        """The digest of text and calls without their ids, which are made unique within a history."""
        return digest(self.text, *(piece for _, name, arguments in self.calls for piece in (name, arguments)))

    @property
    def made(self) -> bytes:
        """The digest of the calls with their ids."""
        return digest(*(piece for call in self.calls for piece in call))


def said_of(turn: Turn) -> Said:
    """What an assistant's turn says."""
    text = "".join(part.text for part in turn.parts if isinstance(part, Text))
    calls = (part for part in turn.parts if isinstance(part, ToolUse))
    return Said(text.strip(), tuple((call.id, call.name, arguments_of(call)) for call in calls))


def arguments_of(call: ToolUse) -> str:
    """A call's arguments in one spelling; free text, and what is no JSON, as it stands."""
    text = call.arguments.strip()
    if call.custom or not text:
        return text if call.custom else "{}"
    try:
        return _write(_read(text))
    except (ValueError, RecursionError):
        return text


def told_in(request: Request) -> list[Said | None]:
    """What each assistant's turn says, None for the turns of others."""
    return [said_of(turn) if turn.role == "assistant" else None for turn in request.turns]


def places_of(request: Request, told: Iterable[Said | None]) -> Iterator[bytes]:
    """The place of each turn, and that of the answer: one more than there are turns. ``told`` is `told_in` it."""
    hasher = blake2b(digest_size=SIZE)
    hasher.update(digest(*_pieces(request.system)))
    for turn, said in zip(request.turns, told, strict=True):
        yield hasher.digest()
        hasher.update(said.content if said else digest(turn.role, *_pieces(turn.parts)))
    yield hasher.digest()


def place_of_answer(request: Request) -> bytes:
    """The place of the answer to a request."""
    *_, last = places_of(request, told_in(request))
    return last


def is_unguessable(id: str, name: str) -> bool:
    """Whether a call's id was made at random, by its looks: whoever knows such an id has seen the call.

    Counters (``call_0``), also with the tool's ``name`` in front (``functions.weather:0``), are not.
    """
    own = id.replace(name, "-") if name else id
    return any(len(run) >= _LONG or (len(run) >= _MIXED and _MIX.search(run)) for run in _RUNS.findall(own))


def _pieces(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Text():
                yield part.text
            case ToolResult():
                yield part.call_id
                yield from _pieces(part.parts)
            case Image() | Document() | SearchResult():
                yield repr(replace(part, cache=None))
            case _:
                yield repr(part)


def _number(text: str) -> float | int:
    """1.0 and 1 are one number: JavaScript writes the first as the second."""
    value = float(text)
    return int(value) if value.is_integer() else value


_read = json.JSONDecoder(parse_float=_number).decode
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
