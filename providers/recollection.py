"""What the answers of translated calls held beside the words of the client's dialect, for clients that drop it.

An answer of another dialect holds what its provider must be sent again: signed and encrypted reasoning, signatures of
tool calls, the order of it all. Clients get it in extension fields (`providers.wire.side_channel`), and many drop what
they do not know. What was in a turn is remembered here, and put back where the client sends the turn without it.

Who gets it: only a client that has the same conversation. A turn is found by its place, which is the digest of all
that was said before it, and by its words; or, where the history was trimmed, by the id of one of its calls, if the id
is a random one and all calls and the text are the same. What is remembered goes to the same provider and to a model of
the same family alone, because signatures are bound to their maker (specs: translation, section 1.5).

The memory is bounded in turns, bytes and age; what was not used for longest goes first. It lives as long as the
program: reasoning is not written anywhere else than into the record, where it can be deleted.
"""

import re
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace

from providers.wire.answer import Answer
from providers.wire.echo import echo
from providers.wire.fingerprint import Said, digest, is_unguessable, place_of_answer, places_of, said_of, told_in
from providers.wire.neutral import Part, Request, Turn
from providers.wire.reattach import is_bare, kept_of, reattached
from providers.wire.translate import Translation

_SNAPSHOT = re.compile(r"(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest))+$")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is remembered: turns, bytes of all of them (roughly), and seconds since a turn was last used."""

    turns: int = 4096
    size: int = 32 << 20
    age: float = 24 * 3600.0


LIMITS = Limits()


@dataclass(slots=True)
class _Memory:
    """One turn; ``names`` are the digests of its calls' ids, ``used`` in seconds since the epoch."""

    scope: str
    parts: tuple[Part, ...]
    made: bytes
    text: str
    names: tuple[bytes, ...]
    size: int
    used: float


def family(model: str) -> str:
    """A model's name without the date of its snapshot: dated and undated names mean the same model."""
    return _SNAPSHOT.sub("", model.lower())


class Recollection:
    """Remembers turns of translated calls. All times are seconds since the epoch."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._memories: OrderedDict[bytes, _Memory] = OrderedDict()  # the one used last stands last
        self._by_call: dict[bytes, bytes] = {}
        self._scopes: Counter[str] = Counter()
        self._size = 0

    def __len__(self) -> int:
        return len(self._memories)

    @property
    def size(self) -> int:
        """Bytes that are remembered, roughly."""
        return self._size

    def remember(self, provider: str, model: str, translation: Translation, answer: Answer, now: float) -> None:
        """Take a whole, good answer of ``provider``'s ``model``."""
        turn = echo(translation, answer)
        parts = kept_of(turn) if turn is not None else ()
        if turn is None or not parts:
            return
        scope, said = _scope(provider, model), said_of(turn)
        names = tuple(digest(scope, id) for id, name, _ in said.calls if is_unguessable(id, name))
        size = len(repr((parts, said.text)).encode("utf-8", "replace"))
        if size > self._limits.size:
            return
        key = digest(scope, place_of_answer(translation.request), said.content)
        self._forget(key)
        self._memories[key] = _Memory(scope, parts, said.made, said.text, names, size, now)
        self._by_call.update(dict.fromkeys(names, key))
        self._scopes[scope] += 1
        self._size += size
        self._shrink(now)

    def recall(self, provider: str, model: str, request: Request, now: float) -> Request:
        """The request with what its client dropped, as far as it is known here and valid for the target."""
        self._shrink(now)
        scope = _scope(provider, model)
        if not self._scopes[scope]:
            return request
        turns, told = list(request.turns), told_in(request)
        places: list[bytes] = []
        for at, (turn, said) in enumerate(zip(turns, told, strict=True)):
            if said is None or not is_bare(turn):
                continue
            key = self._of_calls(scope, said)
            if key is None:
                places = places or list(places_of(request, told))
                key = digest(scope, places[at], said.content)
            turns[at] = self._reattached(turn, key, now)
        return replace(request, turns=tuple(turns))

    def _of_calls(self, scope: str, said: Said) -> bytes | None:
        """The key of the turn that made these very calls, if one of their ids proves that it was seen."""
        for id, _, _ in said.calls:
            key = self._by_call.get(digest(scope, id))
            if key is not None:
                memory = self._memories[key]
                return key if memory.made == said.made and said.text in ("", memory.text) else None
        return None

    def _reattached(self, turn: Turn, key: bytes, now: float) -> Turn:
        memory = self._memories.get(key)
        if memory is None:
            return turn
        memory.used = now
        self._memories.move_to_end(key)
        return reattached(turn, memory.parts)

    def _shrink(self, now: float) -> None:
        limits = self._limits
        while self._memories:
            key, oldest = next(iter(self._memories.items()))
            fits = len(self._memories) <= limits.turns and self._size <= limits.size
            if fits and now - oldest.used <= limits.age:
                return
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        memory = self._memories.pop(key, None)
        if memory is None:
            return
        for name in memory.names:
            if self._by_call.get(name) == key:
                del self._by_call[name]
        self._scopes[memory.scope] -= 1
        if not self._scopes[memory.scope]:
            del self._scopes[memory.scope]
        self._size -= memory.size


def _scope(provider: str, model: str) -> str:
    return f"{provider}\n{family(model)}"
