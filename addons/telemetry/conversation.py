"""Content addressing: messages become rows whose key is the hash of their content and of everything said before.

Strategy: the key of a message is BLAKE2b-128 over its parent's key and its canonical JSON (sorted keys, no spaces,
UTF-8), so a history that is sent again finds itself. What is stored is free of keys, and the stored key is computed
from the clean text; the key of the unclean one serves only as the name under which a message of the last minutes is
recognised, so that a resent history is neither searched for keys nor written again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from addons.telemetry.cleaning import Cleaner
from providers.wire.request import Message, to_json
from providers.wire.values import mapping, sequence

HASH_SIZE = 16  # bytes
# Characters of a message that the search index sees; the message itself is stored whole.
SEARCHABLE = 100_000
_RECOGNISED = 20_000  # messages: some 5 MB

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_ascii = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: the key of the message as it was heard, and as it is stored."""

    heard: bytes = b""
    stored: bytes | None = None


ROOT = Link()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One row of ``messages``: canonical JSON without keys, and the part of it that can be searched."""

    hash: bytes
    parent: bytes | None
    role: str
    json: str
    text: str

    def row(self) -> tuple[bytes, bytes | None, str, str, str]:
        """Return the values in the order of `rows.MESSAGES`."""
        return self.hash, self.parent, self.role, self.json, self.text


class Recogniser:
    """Turns messages into chains, remembering which of them are stored already.

    Its memory is valid as long as nobody else changes the file: `forget_all` when somebody did, or when a write failed.
    """

    def __init__(self, capacity: int = _RECOGNISED) -> None:
        self._capacity = capacity
        self._stored: dict[bytes, bytes] = {}

    def forget_all(self) -> None:
        """Recognise nothing any longer."""
        self._stored.clear()

    def follow(
        self, messages: Iterable[Message], start: Link, cleaner: Cleaner, pause: Callable[[], None]
    ) -> tuple[list[Link], list[StoredMessage]]:
        """Hang the messages below ``start``: a link for each, and the rows of those that may be new.

        ``pause`` is called after each message: it lets other threads run.
        """
        links: list[Link] = []
        fresh: list[StoredMessage] = []
        for message in messages:
            value = to_json(message)
            text = _canonical(value)
            heard = _digest(start.heard, text)
            stored = self._stored.get(heard)
            if stored is None:
                row = _stored(value, text, heard, start, cleaner)
                fresh.append(row)
                stored = self._remember(heard, row.hash)
            start = Link(heard, stored)
            links.append(start)
            pause()
        return links, fresh

    def _remember(self, heard: bytes, stored: bytes) -> bytes:
        if len(self._stored) >= self._capacity:
            for old in list(self._stored)[: self._capacity // 4]:
                del self._stored[old]
        self._stored[heard] = stored
        return stored


def _digest(parent: bytes | None, text: str) -> bytes:
    hasher = blake2b(parent or b"", digest_size=HASH_SIZE)
    hasher.update(text.encode("utf-8", "surrogatepass"))
    return hasher.digest()


def _stored(value: Mapping[str, object], text: str, heard: bytes, start: Link, cleaner: Cleaner) -> StoredMessage:
    said = text
    if cleaner.suspects(text):  # string by string: JSON inside JSON spells a key in its own way
        value = mapping(without_keys(value, cleaner))
        text = _canonical(value)
    if not _is_unicode(text):
        text = _ascii(value)
    same = text == said and start.heard == (start.stored or b"")
    key = heard if same else _digest(start.stored, text)
    return StoredMessage(key, start.stored, _unicode(str(value["role"])), text, searchable(value))


def without_keys(value: object, cleaner: Cleaner) -> object:
    """Return JSON values whose texts hold no key."""
    match value:
        case str():
            return cleaner.text(value)
        case dict():
            return {name: without_keys(item, cleaner) for name, item in value.items()}
        case list() | tuple():
            return [without_keys(item, cleaner) for item in value]
    return value


def searchable(value: Mapping[str, object]) -> str:
    """Return what a person would search for in a message of this JSON form: its words, without ids and signatures."""
    words = " ".join(_words(value))[:SEARCHABLE]
    return _unicode(words.replace("\0", " "))


def _words(value: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for part in map(mapping, sequence(value.get("parts"))):
        found += (str(part[name]) for name in ("name", "text", "arguments") if part.get(name))
        found += _words(part)
    return found


def _is_unicode(text: str) -> bool:
    """Say whether the text can be encoded: JSON may hold halves of surrogate pairs, SQLite cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unicode(text: str) -> str:
    return text if _is_unicode(text) else text.encode("utf-8", "replace").decode()
