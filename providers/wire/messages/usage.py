"""Token counts of Messages answers: three counters of the prompt, cumulative, each overwriting its older self."""

from collections.abc import Mapping

from providers.wire.events import Usage
from providers.wire.values import count, mapping, says_something, sequence

_COUNTERS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_READ_HERE = frozenset((*_COUNTERS, "output_tokens_details"))
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

    def __bool__(self) -> bool:
        return bool(self._counted)

    def update(self, usage: Mapping[str, object]) -> Usage | None:
        """Take a ``usage`` object; give the counts if it said anything new."""
        counted = {name: number for name in _COUNTERS if (number := count(usage.get(name))) is not None}
        thinking = count(mapping(usage.get("output_tokens_details")).get("thinking_tokens"))
        if thinking is not None:
            counted["thinking"] = thinking
        self._others |= {name: value for name, value in usage.items() if _is_other(name, value)}
        merged = self._counted | counted
        if merged == self._counted:
            return None
        self._counted = merged
        return self._usage()

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
        )


def _is_other(name: str, value: object) -> bool:
    if name in _READ_HERE or value in _USUAL.get(name, ()) or not says_something(value):
        return False
    passes = sequence(value) if name == "iterations" else []
    return len(passes) != 1 or mapping(passes[0]).get("type") != "message"  # one pass is what the counters say
