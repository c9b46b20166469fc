"""Token counts as chat's ``usage`` object."""

from typing import Any

from providers.wire.events import Usage


class Counts:
    """The counts of one answer: a later number overwrites, None never does."""

    def __init__(self) -> None:
        self._usage = Usage()

    def take(self, usage: Usage) -> None:
        """Take what the provider says now."""
        self._usage = usage.over(self._usage)

    def to_json(self) -> dict[str, Any] | None:
        """The object, or None when the provider said nothing: numbers are not invented."""
        usage = self._usage
        if not usage.counts:
            return None
        prompt, completion = usage.input or 0, usage.output or 0
        counts: dict[str, Any] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        cached = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
        if known := {name: number for name, number in cached.items() if number is not None}:
            counts["prompt_tokens_details"] = known
        if usage.reasoning is not None:
            counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
        return counts
