"""Token counts under their many names."""

from typing import Any

import pytest

from providers.wire.chat.usage import timings_of, usage_of
from providers.wire.events import Timings, Usage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, Usage()),
        ({"prompt_tokens": 3, "completion_tokens": None}, Usage(3)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 6},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 8, 7, 6, 5),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, Usage(9, cache_read=4)),
        ({"prompt_tokens": 9, "cached_tokens": 4, "prompt_tokens_details": None}, Usage(9, cache_read=4)),
        ({"prompt_tokens": 9, "num_cached_tokens": 4}, Usage(9, cache_read=4)),
        (
            {"prompt_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
            Usage(9, cache_read=4, cache_write=2),
        ),
        ({"input_tokens": 9, "output_tokens": 3}, Usage(9, 3)),
        ({"completion_tokens": 9.0, "reasoning_tokens": 4}, Usage(output=9, reasoning=4)),
        ({"prompt_tokens": "9", "completion_tokens_details": []}, Usage()),
    ],
)
def test_usage_of(usage: dict[str, Any], expected: Usage) -> None:
    assert usage_of(usage) == expected


@pytest.mark.parametrize(
    ("timings", "expected"),
    [
        ({}, Timings()),
        (
            {"prompt_ms": 12.3456, "predicted_ms": 7, "prompt_n": 4, "predicted_n": 8, "cache_n": 3},
            Timings(12346, 7000, 4, 8, 3),
        ),
        ({"prompt_ms": 0, "predicted_ms": "7", "predicted_n": None}, Timings(0)),
        ({"prompt_ms": -1, "predicted_ms": 1e12}, Timings()),
        ({"prompt_ms": float("nan"), "predicted_ms": float("inf")}, Timings()),
    ],
)
def test_timings_are_microseconds_and_nonsense_is_unknown(timings: dict[str, Any], expected: Timings) -> None:
    assert timings_of(timings) == expected
