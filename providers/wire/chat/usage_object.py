"""Token counts as chat's ``usage`` object."""

from typing import Any

from providers.wire.events import Usage


class Counts:
    """The counts of one answer: a later number overwrites, None never does."""

    def __init__(self) -> None:
        self._usage = Usage()

    def take(self, usage: Usage) -> None:
        """Take what the provider says now."""
        old = self._usage
        self._usage = Usage(
            old.input if usage.input is None else usage.input,
            old.output if usage.output is None else usage.output,
            old.cache_read if usage.cache_read is None else usage.cache_read,
            old.cache_write if usage.cache_write is None else usage.cache_write,
            old.reasoning if usage.reasoning is None else usage.reasoning,
        )

    def to_json(self) -> dict[str, Any] | None:
        """The object, or None when the provider said nothing: numbers are not invented."""
        usage = self._usage
        if usage == Usage():
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
