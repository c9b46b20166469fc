"""What an answer says of its own price: the provider's figure, and under which terms the call was served.

Sources, read on 2026-11-20: https://openrouter.ai/docs/use-cases/usage-accounting (``cost``, ``cost_details``),
https://docs.x.ai/developers/cost-tracking (``cost_in_usd_ticks``); observed: Perplexity's ``cost.total_cost``,
DeepInfra's ``estimated_cost``.

The terms are one text, because a price list either knows them or does not: the words of all that is unusual, in order
of the alphabet, joined by ``+``. A figure of the provider's own counts whatever they are.
"""

from collections.abc import Iterable, Mapping

from providers.wire.values import count, mapping

COST_HEADER = "x-litellm-response-cost"
"""LiteLLM's word for the price of a plain answer, in the answer's head."""

_TICKS = 1e10  # in a dollar
# Words for the tier that the plain price is for: OpenAI's, Anthropic's, Groq's; "auto" is what the client asked for.
_PLAIN = frozenset(("", "default", "standard", "on_demand", "auto"))
# Tokens of other kinds, at other prices, that the counts of a prompt or an answer include.
_OTHER_TOKENS = {"audio_tokens": "audio", "image_tokens": "image", "video_tokens": "video"}


def cost_of(usage: Mapping[str, object]) -> float | None:
    """US dollars by the provider's own word, None if it does not say; 0 is its word, too (a free model)."""
    if (ticks := dollars(usage.get("cost_in_usd_ticks"))) is not None:
        return ticks / _TICKS
    told, details = usage.get("cost"), mapping(usage.get("cost_details"))
    if isinstance(told, dict):
        return dollars(told.get("total_cost"))
    upstream = dollars(details.get("upstream_inference_cost"))
    if (own := dollars(told)) is None:
        named = (dollars(details.get("total_cost")), upstream, dollars(usage.get("estimated_cost")))
        return next((figure for figure in named if figure is not None), None)
    if usage.get("is_byok") is not True:
        return own
    return (
        None if upstream is None else own + upstream
    )  # the gateway's fee, and what the vendor charges the key's owner


def dollars(value: object) -> float | None:
    """An amount that can be one: a number, finite, not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e18 else None


def told_cost(text: str) -> float | None:
    """US dollars as a header says them; LiteLLM says 0.0 of what it does not know."""
    try:
        return dollars(float(text)) or None
    except ValueError:
        return None


def terms_of(tier: object, details: Iterable[Mapping[str, object]], others: Iterable[str] = ()) -> str | None:
    """The terms of a call: its tier, its tokens of other kinds, and ``others``; None if all is as usual."""
    found = {tier} if isinstance(tier, str) and tier not in _PLAIN else set()
    found.update(others)
    found.update(word for part in details for name, word in _OTHER_TOKENS.items() if part and count(part.get(name)))
    return "+".join(sorted(found)) if found else None
