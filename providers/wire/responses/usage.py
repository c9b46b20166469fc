"""What a Responses answer counted: tokens, searches, and how it was served."""

from collections.abc import Iterator

from providers.wire.charges import cost_of, terms_of
from providers.wire.events import Usage
from providers.wire.values import count, mapping, sequence, string

# Tools that the provider runs and charges for by other measures than tokens and searches.
_CHARGED = frozenset(("file_search_call", "code_interpreter_call", "image_generation_call", "video_generation_call"))


def usage_of(response: dict[str, object]) -> Usage:
    """The neutral counts of a whole response object; nothing where it counted nothing."""
    usage = mapping(response.get("usage"))
    if not usage:
        return Usage()
    read, written = mapping(usage.get("input_tokens_details")), mapping(usage.get("output_tokens_details"))
    output = [mapping(item) for item in sequence(response.get("output"))]
    return Usage(
        input=count(usage.get("input_tokens")),
        output=count(usage.get("output_tokens")),
        cache_read=count(read.get("cached_tokens")),
        cache_write=count(read.get("cache_write_tokens")),
        reasoning=count(written.get("reasoning_tokens")),
        searches=sum(map(_is_search, output)) or None,
        cost=cost_of(usage),
        terms=terms_of(response.get("service_tier"), (read, written), _others(output, read)),
    )


def _is_search(item: dict[str, object]) -> bool:
    """Whether it is a web search that is charged for: opening a page that was found is not."""
    return item.get("type") == "web_search_call" and mapping(item.get("action")).get("type") in (None, "search")


def _others(output: list[dict[str, object]], read: dict[str, object]) -> Iterator[str]:
    if any(string(item.get("type")) in _CHARGED for item in output):
        yield "tools"
    if count(mapping(read.get("cache_write_tokens_details")).get("ttl_12h_tokens")):
        yield "cache=12h"
