"""Token counts and timings of chat answers, wherever a provider puts them."""

from providers.wire.events import Timings, Usage
from providers.wire.values import count, mapping

_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")


def usage_of(usage: dict[str, object]) -> Usage:
    """The neutral counts of a ``usage`` object.

    DeepSeek, Moonshot and Mistral count cache hits outside of the details; gateways in front of Anthropic models use
    Anthropic's own names.
    """
    prompt = mapping(usage.get("prompt_tokens_details"))
    completion = mapping(usage.get("completion_tokens_details"))
    cached = (prompt.get("cached_tokens"), *(usage.get(name) for name in _CACHED))
    written = (prompt.get("cache_write_tokens"), usage.get("cache_creation_input_tokens"))
    reasoning = (completion.get("reasoning_tokens"), usage.get("reasoning_tokens"))
    return Usage(
        input=_first((usage.get("prompt_tokens"), usage.get("input_tokens"))),
        output=_first((usage.get("completion_tokens"), usage.get("output_tokens"))),
        cache_read=_first(cached),
        cache_write=_first(written),
        reasoning=_first(reasoning),
    )


def timings_of(timings: dict[str, object]) -> Timings:
    """llama-server's ``timings``: milliseconds as floats, tokens."""
    return Timings(
        prompt_us=_us(timings.get("prompt_ms")),
        decode_us=_us(timings.get("predicted_ms")),
        prompt=count(timings.get("prompt_n")),
        decoded=count(timings.get("predicted_n")),
        cached=count(timings.get("cache_n")),
    )


def _first(values: tuple[object, ...]) -> int | None:
    return next((number for value in values if (number := count(value)) is not None), None)


def _us(milliseconds: object) -> int | None:
    if not isinstance(milliseconds, int | float) or not 0 <= milliseconds < 1e12:
        return None
    return round(milliseconds * 1000)
