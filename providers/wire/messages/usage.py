"""Token counts of Messages answers: three counters of the prompt, cumulative, each overwriting its older self."""

from collections.abc import Iterator, Mapping

from providers.wire.charges import cost_of, terms_of
from providers.wire.events import Usage
from providers.wire.values import count, mapping, says_something, sequence, string

_COUNTERS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_READ_HERE = frozenset((*_COUNTERS, "output_tokens_details"))
# Counts that stand within objects: our name → the object, its field.
_INNER = {
    "thinking": ("output_tokens_details", "thinking_tokens"),
    "hour": ("cache_creation", "ephemeral_1h_input_tokens"),
    "searches": ("server_tool_use", "web_search_requests"),
}
# What newer answers always say, and what it is nearly always.
_USUAL: dict[str, tuple[object, ...]] = {"service_tier": ("standard",), "inference_geo": ("not_available", "global")}
# Bedrock's own summary on message_stop, for streams that carry no usage.
_BEDROCK = dict(
    zip(
        ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
        _COUNTERS,
        strict=True,
    )
)


class Counters:
    """The counters so far. A field that a later ``usage`` leaves out keeps its value; input tokens may grow."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}
        self._others: dict[str, object] = {}
        self._cost: float | None = None
        self._told = Usage()

    def __bool__(self) -> bool:
        return bool(self._counted)

    def update(self, usage: Mapping[str, object]) -> Usage | None:
        """Take a ``usage`` object; give the counts if it said anything new."""
        counted = {name: number for name in _COUNTERS if (number := count(usage.get(name))) is not None}
        inner = {name: count(mapping(usage.get(where)).get(what)) for name, (where, what) in _INNER.items()}
        counted |= {name: number for name, number in inner.items() if number is not None}
        self._others |= {name: value for name, value in usage.items() if _is_other(name, value)}
        self._counted |= counted
        cost = cost_of(usage)
        self._cost = self._cost if cost is None else cost
        told = self._usage()
        if told == self._told:
            return None
        self._told = told
        return told

    def others(self) -> dict[str, object]:
        """What was counted beside tokens (searches, passes of a turn, how long a cache entry lives), as it came."""
        return self._others

    def update_bedrock(self, metrics: Mapping[str, object]) -> Usage | None:
        """Take Bedrock's metrics, in its own words."""
        return self.update({_BEDROCK.get(name, name): number for name, number in metrics.items()})

    def _usage(self) -> Usage:
        read, written = self._counted.get("cache_read_input_tokens"), self._counted.get("cache_creation_input_tokens")
        fresh = self._counted.get("input_tokens")
        return Usage(
            input=None if fresh is None else fresh + (read or 0) + (written or 0),
            output=self._counted.get("output_tokens"),
            cache_read=read,
            cache_write=written,
            reasoning=self._counted.get("thinking"),
            cache_write_1h=self._counted.get("hour"),
            searches=self._counted.get("searches"),
            cost=self._cost,
            terms=terms_of(self._others.get("service_tier"), (), _others(self._others)),
        )


def _others(others: Mapping[str, object]) -> Iterator[str]:
    """How it was served beside its tier, where that changes what it costs."""
    if speed := string(others.get("speed")).replace("standard", ""):
        yield f"speed={speed}"
    if string(others.get("inference_geo")):
        yield "geo"
    # Passes that are no message (compaction, an advisor) are counted in no sum.
    if any(mapping(one).get("type") != "message" for one in sequence(others.get("iterations"))):
        yield "passes"


def _is_other(name: str, value: object) -> bool:
    if name in _READ_HERE or value in _USUAL.get(name, ()) or not says_something(value):
        return False
    passes = sequence(value) if name == "iterations" else []
    return len(passes) != 1 or mapping(passes[0]).get("type") != "message"  # one pass is what the counters say
