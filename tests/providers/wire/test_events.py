"""The vocabulary itself."""

from dataclasses import fields, is_dataclass
from typing import get_args

from providers.wire import events


def test_every_event_is_a_frozen_value_in_the_union() -> None:
    classes = {item for item in vars(events).values() if isinstance(item, type) and is_dataclass(item)}
    assert classes == set(get_args(events.Event))
    assert all("__slots__" in vars(event) and event.__hash__ is not None for event in classes)
    assert all(event in classes for event in events.CONTENT)


def test_every_field_but_the_telling_ones_has_a_default() -> None:
    assert all(not fields(event) or event(*range(len(fields(event)))) for event in get_args(events.Event))
