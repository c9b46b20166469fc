"""Token counts under their many names."""

from typing import Any

import pytest

from providers.wire.chat.usage import usage_of
from providers.wire.events import Usage


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
        (
            {
                "prompt_tokens": 9,
                "cache_creation_input_tokens": 6,
                "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4},
            },
            Usage(9, cache_write=6, cache_write_1h=4),
        ),
        ({"prompt_tokens": 9, "cost": 0.25}, Usage(9, cost=0.25)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"audio_tokens": 3}}, Usage(9, terms="audio")),
    ],
)
def test_usage_of(usage: dict[str, Any], expected: Usage) -> None:
    assert usage_of(usage) == expected


def test_the_tier_stands_beside_the_counts() -> None:
    assert usage_of({"prompt_tokens": 9}, "flex") == Usage(9, terms="flex")
    assert usage_of({"prompt_tokens": 9}, "default") == Usage(9)


@pytest.mark.parametrize(
    ("total", "output"),
    [(800, 763), (567, 530), (None, 530), (801, 530)],
    ids=["xAI", "within", "no total", "something else"],
)
def test_thoughts_are_a_part_of_the_answer_whoever_counts_them_apart(total: int | None, output: int) -> None:
    details = {"reasoning_tokens": 233}
    usage = {"prompt_tokens": 37, "completion_tokens": 530, "completion_tokens_details": details, "total_tokens": total}
    assert usage_of(usage) == Usage(37, output, reasoning=233)
