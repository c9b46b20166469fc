"""What Responses answers count."""

from typing import Any

import pytest

from providers.wire.events import Usage
from providers.wire.responses.usage import usage_of

COUNTED = {"input_tokens": 9, "output_tokens": 8}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({}, Usage()),
        ({"usage": None, "service_tier": "flex"}, Usage()),
        ({"usage": COUNTED, "service_tier": "default"}, Usage(9, 8)),
        ({"usage": COUNTED, "service_tier": "flex"}, Usage(9, 8, terms="flex")),
        (
            {
                "usage": {
                    **COUNTED,
                    "input_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 1},
                    "output_tokens_details": {"reasoning_tokens": 5},
                    "cost": 0.5,
                }
            },
            Usage(9, 8, 7, 1, 5, cost=0.5),
        ),
        (
            {
                "usage": {
                    **COUNTED,
                    "input_tokens_details": {
                        "cache_write_tokens": 6,
                        "cache_write_tokens_details": {"ttl_30m_tokens": 2, "ttl_12h_tokens": 4},
                    },
                }
            },
            Usage(9, 8, cache_write=6, terms="cache=12h"),
        ),
    ],
)
def test_usage_of(response: dict[str, Any], expected: Usage) -> None:
    assert usage_of(response) == expected


def test_searches_are_charged_for_and_pages_that_are_opened_are_not() -> None:
    actions: list[dict[str, Any]] = [
        {"action": {"type": "search", "query": "a"}},
        {"action": {"type": "open_page"}},
        {"action": {"type": "find_in_page"}},
        {},
    ]
    output: list[Any] = [{"type": "web_search_call", **one} for one in actions]
    output += [{"type": "message", "content": []}, "odd", {"type": "mcp_call"}, {"type": 4}]
    assert usage_of({"usage": COUNTED, "output": output}) == Usage(9, 8, searches=2)


@pytest.mark.parametrize("kind", ["file_search_call", "code_interpreter_call", "image_generation_call"])
def test_other_tools_of_the_providers_own_have_prices_of_their_own(kind: str) -> None:
    assert usage_of({"usage": COUNTED, "output": [{"type": kind}]}) == Usage(9, 8, terms="tools")
