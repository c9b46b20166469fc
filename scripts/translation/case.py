"""One line of the matrix: a field or type of a dialect, the smallest request that has it, what becomes of it.

Strategy: a decision is declared in the case's table and observed by running parse and build on its request: the notes,
a refusal, or the body that was built. The table is right when both agree, for every case and provider dialect.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from providers.quirks import capabilities
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.notes import Rejected, Unfetched
from providers.wire.translate import Translation

Json = dict[str, object]


class Decision(StrEnum):
    """What becomes of a field."""

    MAPPED = "mapped"
    CARRIED = "carried"
    KEPT = "kept"
    DROPPED = "dropped"
    APPROXIMATED = "approximated"
    FETCHED = "fetched"
    REJECTED = "rejected"


LETTERS: dict[str, Decision] = {decision.value[0].upper(): decision for decision in Decision}


def providers_of(client: Operation) -> tuple[Dialect, ...]:
    """The dialects that a client's operation is translated to, in the order of a case's letters."""
    own = {Operation.CHAT: Dialect.CHAT, Operation.MESSAGES: Dialect.MESSAGES, Operation.RESPONSES: Dialect.RESPONSES}
    return tuple(dialect for dialect in Dialect if dialect is not own.get(client))


@dataclass(frozen=True, slots=True)
class Case:
    """``name`` is the SDK's own; ``patch`` replaces top-level fields of the operation's least request.

    ``letters`` are the first letters of the decisions for the other dialects, in the order chat, messages, responses
    (completions have all three). ``without`` is what the request is compared with, where that is not the least one:
    the same without what the case is about.
    """

    section: str
    name: str
    patch: Json
    letters: str
    without: Json | None = None

    def declared(self, client: Operation) -> dict[Dialect, Decision]:
        """The decision for each provider dialect."""
        return {dialect: LETTERS[letter] for dialect, letter in zip(providers_of(client), self.letters, strict=True)}


LEAST: dict[Operation, Json] = {
    Operation.CHAT: {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    Operation.COMPLETIONS: {"model": "m", "prompt": "Hi"},
    Operation.MESSAGES: {"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hi"}]},
    Operation.RESPONSES: {"model": "m", "input": "Hi"},
}
_EFFORT = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_OPENAI = replace(
    capabilities("openai", "gpt-4.1"), effort=_EFFORT, cache_marks="openai", reasoning_back="reasoning_content"
)
# Providers that take everything their dialect has: what single models refuse comes on top (providers/model_facts.py).
TARGETS: Mapping[Dialect, Capabilities] = {
    Dialect.CHAT: _OPENAI,
    Dialect.MESSAGES: replace(capabilities("anthropic", "claude-opus-5"), temperature=True, top_p=True, top_k=True),
    Dialect.RESPONSES: _OPENAI,
}


def translate(client: Operation, provider: Dialect, body: Json) -> Translation:
    """The translation of a whole body. Raises Rejected."""
    dialect = Dialect(client) if client is not Operation.COMPLETIONS else Dialect.CHAT
    return Translation.plan(dialect, client, provider, body, TARGETS[provider], "told", id="x", created=0)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one case: ``field`` is what a refusal or the notes name."""

    decision: Decision
    fields: tuple[str, ...] = ()


def observe(client: Operation, provider: Dialect, case: Case) -> Observed:
    """Run the case, and the same request without it, and say what the difference is."""
    before = translate(client, provider, {**LEAST[client], **(case.without or {})})
    try:
        after = translate(client, provider, {**LEAST[client], **case.patch})
    except Unfetched:
        return Observed(Decision.FETCHED)
    except Rejected as refused:
        return Observed(Decision.REJECTED, (refused.field,))
    approximated = tuple(path for path in after.notes.approximated if path not in before.notes.approximated)
    if approximated:
        return Observed(Decision.APPROXIMATED, approximated)
    dropped = tuple(path for path in after.notes.dropped if path not in before.notes.dropped)
    if dropped:
        return Observed(Decision.DROPPED, dropped)
    if json.loads(after.body) == json.loads(before.body):
        return Observed(Decision.KEPT)
    carried = b"patchbay1." in after.body or b"provider_fields" in after.body
    return Observed(Decision.CARRIED if carried else Decision.MAPPED)
