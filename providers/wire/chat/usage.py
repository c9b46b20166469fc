"""Token counts of chat answers, wherever a provider puts them."""

from providers.wire.charges import cost_of, terms_of
from providers.wire.events import Usage
from providers.wire.values import count, mapping

_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_WRITTEN = ("cache_creation_input_tokens",)
_REASONING = ("reasoning_tokens",)
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")


def usage_of(usage: dict[str, object], tier: object = None) -> Usage:
    """The neutral counts of a ``usage`` object; ``tier`` is the ``service_tier`` that stands beside it.

    DeepSeek, Moonshot and Mistral count cache hits outside of the details; gateways in front of Anthropic models use
    Anthropic's own names.
    """
    prompt = mapping(usage.get("prompt_tokens_details"))
    completion = mapping(usage.get("completion_tokens_details"))
    cached, written = count(prompt.get("cached_tokens")), count(prompt.get("cache_write_tokens"))
    reasoning = count(completion.get("reasoning_tokens"))
    reasoning = _first(usage, _REASONING) if reasoning is None else reasoning
    return Usage(
        input=_first(usage, _INPUT),
        output=_output(usage, reasoning),
        cache_read=_first(usage, _CACHED) if cached is None else cached,
        cache_write=_first(usage, _WRITTEN) if written is None else written,
        reasoning=reasoning,
        cache_write_1h=count(mapping(usage.get("cache_creation")).get("ephemeral_1h_input_tokens")),
        cost=cost_of(usage),
        terms=terms_of(tier, (prompt, completion)),
    )


def _output(usage: dict[str, object], reasoning: int | None) -> int | None:
    """What was written, thoughts included: xAI counts them beside the words, and only the total has both."""
    told, total = _first(usage, _OUTPUT), count(usage.get("total_tokens"))
    if not reasoning or told is None or total is None:
        return told
    return told + reasoning if total == (_first(usage, _INPUT) or 0) + told + reasoning else told


def _first(usage: dict[str, object], names: tuple[str, ...]) -> int | None:
    for name in names:
        if (number := count(usage.get(name))) is not None:
            return number
    return None
