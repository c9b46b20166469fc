"""Token counts of Messages answers: three counters of the prompt, cumulative, each overwriting its older self."""

from collections.abc import Mapping

from providers.wire.events import Usage
from providers.wire.values import count, mapping

_COUNTERS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
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

    def __bool__(self) -> bool:
        return bool(self._counted)

    def update(self, usage: Mapping[str, object]) -> Usage | None:
        """Take a ``usage`` object; give the counts if it said anything new."""
        counted = {name: number for name in _COUNTERS if (number := count(usage.get(name))) is not None}
        thinking = count(mapping(usage.get("output_tokens_details")).get("thinking_tokens"))
        if thinking is not None:
            counted["thinking"] = thinking
        merged = self._counted | counted
        if merged == self._counted:
            return None
        self._counted = merged
        return self._usage()

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
