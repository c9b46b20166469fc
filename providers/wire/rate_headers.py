"""A provider's answer headers as clients of another dialect look for them (specs: translation, section 9).

Strategy: what the provider says about its limits is read into kinds (requests, tokens, …) of facts (limit, remaining,
reset), and written with the other vocabulary's names. ``retry-after``, ``retry-after-ms``, ``x-should-retry`` and
everything else stand in no table, so they pass as they came. A value that cannot be read is left out: no number is
better than a wrong one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from providers.wire.endpoints import Dialect
from providers.wire.instants import as_duration, as_rfc3339, until

Headers = list[tuple[str, str]]

FACTS = ("limit", "remaining", "reset")
# A kind, and how it is called, best first. OpenRouter names no kind where it counts requests; Cerebras adds the
# window (2026-11-20, its page "Rate limits"); Fireworks counts what is prompted and generated apart (its page of that
# name, the same day). OpenAI has no name for the last two kinds; they are told as Anthropic's are called.
_KINDS: dict[str, tuple[str, ...]] = {
    "requests": ("requests", "", "requests-minute", "requests-day"),
    "tokens": ("tokens", "tokens-minute", "tokens-day"),
    "input-tokens": ("input-tokens", "tokens-prompt"),
    "output-tokens": ("output-tokens", "tokens-generated"),
}
_IDS = ("request-id", "x-request-id")
_DIGITS = 18  # no limit has more

Kinds = dict[str, dict[str, str]]


def _openai_name(kind: str, fact: str) -> str:
    return f"x-ratelimit-{fact}-{kind}" if kind else f"x-ratelimit-{fact}"


def _anthropic_name(kind: str, fact: str) -> str:
    return f"anthropic-ratelimit-{kind}-{fact}"


def _table(name: Callable[[str, str], str], kinds: Iterable[str]) -> dict[str, tuple[str, str]]:
    return {name(kind, fact): (kind, fact) for kind in kinds for fact in FACTS}


# Header → what the provider calls the kind, and the fact; by whether the provider speaks messages.
_SAID: dict[bool, dict[str, tuple[str, str]]] = {
    True: _table(_anthropic_name, _KINDS),
    False: _table(_openai_name, (called for also in _KINDS.values() for called in also)),
}


def retold_headers(headers: Sequence[tuple[str, str]], said_in: Dialect, told_in: Dialect, now: float) -> Headers:
    """Headers that a provider gave in dialect ``said_in``, for a client of ``told_in``; ``now`` in seconds since 1970.

    Limits that already stand there in the client's vocabulary win over retold ones. The provider's id of the request
    is told under both names, because each vendor's client knows one. chat and responses share a vocabulary.
    """
    to_messages = told_in is Dialect.MESSAGES
    if (said_in is Dialect.MESSAGES) is to_messages:
        return list(headers)
    read, used = _read(headers, _SAID[not to_messages])
    if to_messages:
        told = _told(read, now, _anthropic_name, lambda wait: as_rfc3339(now + wait))
    else:
        told = _told(_with_tokens(read), now, _openai_name, as_duration)
    kept = [pair for pair in headers if pair[0].lower() not in used]
    present = {name.lower() for name, _ in kept}
    added = [pair for pair in [*told, *_ids(kept)] if pair[0] not in present]
    return [*kept, *added]


def _read(headers: Iterable[tuple[str, str]], table: Mapping[str, tuple[str, str]]) -> tuple[Kinds, set[str]]:
    """What is said about each kind, and the names of the headers that said it; the first of two equal names counts."""
    found: Kinds = {}
    for name, value in headers:
        if place := table.get(name.lower()):
            found.setdefault(place[0], {}).setdefault(place[1], value.strip())
    chosen = {kind: next((called for called in also if called in found), None) for kind, also in _KINDS.items()}
    called = set(chosen.values())
    used = {name for name, place in table.items() if place[0] in called}
    return {kind: found[called] for kind, called in chosen.items() if called is not None}, used


def _told(read: Kinds, now: float, name: Callable[[str, str], str], reset: Callable[[float], str | None]) -> Headers:
    """Write the kinds under the names that ``name`` gives; ``reset`` writes a number of seconds from now."""
    told = []
    for kind, facts in read.items():
        wait = until(facts.get("reset", ""), now)
        written = {
            "limit": _count(facts.get("limit", "")),
            "remaining": _count(facts.get("remaining", "")),
            "reset": None if wait is None else reset(wait),
        }
        told += [(name(kind, fact), text) for fact, text in written.items() if text is not None]
    return told


def _with_tokens(read: Kinds) -> Kinds:
    """Anthropic's ``tokens`` is the narrowest limit in effect; where only the halves are given, it is found here."""
    halves = [read[half] for half in ("input-tokens", "output-tokens") if half in read]
    if not halves or "tokens" in read:
        return read
    return {**read, "tokens": min(halves, key=lambda facts: int(_count(facts.get("remaining", "")) or 10**_DIGITS))}


def _count(text: str) -> str | None:
    """A limit's number, if it is one; Azure says -1 where it has none."""
    return text if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _ids(headers: Headers) -> Headers:
    """The provider's id of the request, under the names of both vendors."""
    said = next((value for name, value in headers if value and name.lower() in _IDS), "")
    return [(name, said) for name in _IDS] if said else []
