"""Token counts and timings of chat answers, wherever a provider puts them."""

from providers.wire.events import Timings, Usage
from providers.wire.values import count, mapping

_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_WRITTEN = ("cache_creation_input_tokens",)
_REASONING = ("reasoning_tokens",)
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")


def usage_of(usage: dict[str, object]) -> Usage:
    """The neutral counts of a ``usage`` object.

    DeepSeek, Moonshot and Mistral count cache hits outside of the details; gateways in front of Anthropic models use
    Anthropic's own names.
    """
    prompt = mapping(usage.get("prompt_tokens_details"))
    completion = mapping(usage.get("completion_tokens_details"))
    cached, written = count(prompt.get("cached_tokens")), count(prompt.get("cache_write_tokens"))
    reasoning = count(completion.get("reasoning_tokens"))
    return Usage(
        input=_first(usage, _INPUT),
        output=_first(usage, _OUTPUT),
        cache_read=_first(usage, _CACHED) if cached is None else cached,
        cache_write=_first(usage, _WRITTEN) if written is None else written,
        reasoning=_first(usage, _REASONING) if reasoning is None else reasoning,
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


def _first(usage: dict[str, object], names: tuple[str, ...]) -> int | None:
    for name in names:
        if (number := count(usage.get(name))) is not None:
            return number
    return None


def _us(milliseconds: object) -> int | None:
    if not isinstance(milliseconds, int | float) or not 0 <= milliseconds < 1e12:
        return None
    return round(milliseconds * 1000)
