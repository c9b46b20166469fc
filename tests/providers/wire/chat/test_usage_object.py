"""Counts as chat has them."""

from providers.wire.chat.usage_object import Counts
from providers.wire.events import Usage


def test_a_later_number_overwrites_and_none_does_not() -> None:
    counts = Counts()
    counts.take(Usage(10, 1, 4, 2))
    counts.take(Usage(output=7, reasoning=3))
    assert counts.to_json() == {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_numbers_are_not_invented() -> None:
    counts = Counts()
    assert counts.to_json() is None
    counts.take(Usage(output=7))
    assert counts.to_json() == {"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7}
