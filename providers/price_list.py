"""Prices as a provider's own list of models tells them: OpenRouter's form, which others have taken over.

A ``pricing`` object with US dollars per token, per request and per search, as text. A kind that is 0 where others are
not is none that the model has a price for; a negative one (``openrouter/auto``) says that nobody can know beforehand.
Source: https://openrouter.ai/docs/api-reference/models/get-models (read 2026-11-20).
"""

from collections.abc import Mapping

from pydantic import JsonValue

from providers.exchange.price import Price, rates

SOURCE = "provider list"
_KINDS = {
    "cache_read": "input_cache_read",
    "cache_write": "input_cache_write",
    "reasoning": "internal_reasoning",
}


def listed_price(raw: Mapping[str, JsonValue]) -> Price | None:
    """Return what an entry of a list says that a model's tokens cost, None where it does not."""
    pricing = raw.get("pricing")
    if not isinstance(pricing, dict):
        return None
    prompt, answer = _number(pricing.get("prompt")), _number(pricing.get("completion"))
    if prompt is None or answer is None:
        return None
    # Nothing is what a search costs where there is none, and all that a free model costs.
    kinds = {ours: _rate(pricing.get(theirs)) for ours, theirs in _KINDS.items()}
    search, request = _number(pricing.get("web_search")), _number(pricing.get("request"))
    listed = rates(
        prompt * 1e6,
        answer * 1e6,
        **kinds,
        search=None if not search else search * 1e3,
        request=None if request is None else request * 1e3,
    )
    return Price(listed, SOURCE)


def _number(value: JsonValue) -> float | None:
    """A rate that is told as text: other lists have numbers, by other measures."""
    try:
        number = float(value) if isinstance(value, str) else -1.0
    except ValueError:
        return None
    return number if 0 <= number < 1e3 else None


def _rate(value: JsonValue) -> float | None:
    number = _number(value)
    return number * 1e6 if number else None
