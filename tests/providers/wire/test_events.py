"""The vocabulary itself."""

from dataclasses import fields, is_dataclass
from typing import get_args

import pytest

from providers.wire import events
from providers.wire.events import NO_USAGE, Usage


def test_every_event_is_a_frozen_value_in_the_union() -> None:
    classes = {item for item in vars(events).values() if isinstance(item, type) and is_dataclass(item)}
    assert classes == set(get_args(events.Event))
    assert all("__slots__" in vars(event) and event.__hash__ is not None for event in classes)
    assert all(event in classes for event in events.CONTENT)


def test_every_field_but_the_telling_ones_has_a_default() -> None:
    assert all(not fields(event) or event(*range(len(fields(event)))) for event in get_args(events.Event))


@pytest.mark.parametrize(
    "usage", [Usage(0), Usage(output=0), Usage(cache_read=0), Usage(cache_write=0), Usage(reasoning=0)]
)
def test_any_count_of_tokens_counts(usage: Usage) -> None:
    assert usage.counts


def test_a_price_and_terms_alone_count_nothing() -> None:
    assert not Usage(cost=0.5, terms="flex", searches=1, cache_write_1h=1).counts
    assert not NO_USAGE.counts


def test_a_later_word_counts_and_silence_does_not() -> None:
    full = Usage(1, 2, 3, 4, 5, 6, 7, 8.0, "flex")
    assert NO_USAGE.over(full) == full
    assert full.over(Usage(9, 9, 9, 9, 9, 9, 9, 9.0, "other")) == full
    assert Usage(output=7).over(full) == Usage(1, 7, 3, 4, 5, 6, 7, 8.0, "flex")
