"""Entries below ``models``: what they may hold, and what the policies are given."""

from typing import get_args

import pytest
from pydantic import ValidationError

from providers.pool.conditions import Conditions
from providers.pool.error_class import ErrorClass
from providers.registry_routes import Failed, ModelEntry, TargetEntry, WhenEntry


def test_every_failure_can_be_named_but_those_that_nobody_else_can_mend() -> None:
    assert {*get_args(Failed)} == {*ErrorClass} - {ErrorClass.REQUEST, ErrorClass.ENDED}


def test_conditions_are_what_the_policies_read() -> None:
    written = {
        "has_tools": True,
        "has_images": False,
        "tokens_over": 0,
        "header": {"X-Team": "red*"},
        "session": "s",
        "time": "22:00-06:00",
    }
    assert WhenEntry.model_validate(written).conditions() == Conditions(
        has_tools=True,
        has_images=False,
        tokens_over=0,
        header=(("x-team", "red*"),),
        session="s",
        time=(1320, 360),
    )


@pytest.mark.parametrize("written", [{}, {"has_tools": None}, {"header": {}}])
def test_a_condition_says_something(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="has no condition"):
        WhenEntry.model_validate(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a/b", [TargetEntry(target="a/b")]),
        ({"target": "a/b", "params": {"x": 1}}, [TargetEntry(target="a/b")]),
        ({"targets": ["a", {"target": "b"}]}, [TargetEntry(target="a"), TargetEntry(target="b")]),
        ({"targets": ["a", {"target": "a", "params": {"x": 1}}]}, None),
    ],
)
def test_one_target_or_several(written: object, expected: list[TargetEntry] | None) -> None:
    entries = ModelEntry.model_validate(written).entries()
    assert entries == expected or expected is None
    assert [entry.target for entry in entries]
