"""Cache marks of chat requests: OpenAI's breakpoints, and Anthropic's marks as OpenRouter and others take them."""

from providers.wire.neutral import Cache, Json
from providers.wire.values import mapping, string

_LONG = "12h"  # OpenAI's only lifetime beside its default; Anthropic's longest is an hour


def cache_of(value: Json) -> Cache | None:
    """The mark that stands on a part, a message, a tool or the whole request.

    A lifetime is given in Anthropic's words: OpenAI's ``12h`` becomes ``1h``, its default none.
    """
    if "cache_control" in value:
        mark = mapping(value["cache_control"])
        return Cache(string(mark.get("ttl"))) if mark.get("type") == "ephemeral" else None
    if "prompt_cache_breakpoint" in value:
        mark = mapping(value["prompt_cache_breakpoint"])
        return Cache("1h" if mark.get("ttl") == _LONG else "") if mark else None
    return None
