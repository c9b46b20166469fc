from dataclasses import replace
from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Reasoning
from tests.providers.wire.responses.building import OPENAI, STRANGER, built, request


@pytest.mark.parametrize(
    ("asked", "expected", "notes"),
    [
        (Reasoning("low"), {"effort": "low"}, ""),
        (Reasoning("max"), {"effort": "xhigh"}, "approximated=output_config.effort"),
        (Reasoning("odd"), {"effort": "medium"}, "approximated=output_config.effort"),
        (Reasoning(mode="disabled"), {"effort": "none"}, ""),
        (Reasoning(mode="between_tools", summary="auto"), {"effort": "none"}, "approximated=thinking.type"),
        (Reasoning(mode="adaptive"), {"summary": "auto"}, ""),
        (Reasoning("high", mode="adaptive"), {"effort": "high", "summary": "auto"}, ""),
        (
            Reasoning(budget=200, mode="enabled"),
            {"effort": "low", "summary": "auto"},
            "approximated=thinking.budget_tokens",
        ),
        (Reasoning(budget=900), {"effort": "xhigh"}, "approximated=thinking.budget_tokens"),
        (Reasoning(summary="detailed"), {"summary": "detailed"}, ""),
        (Reasoning(summary="omitted"), None, ""),
        (Reasoning(), None, ""),
    ],
)
def test_how_much_it_thinks(asked: Reasoning, expected: dict[str, Any] | None, notes: str) -> None:
    body, said = built(request(reasoning=asked, max_tokens=1000))
    assert (body.get("reasoning"), said) == (expected, notes)


def test_a_model_that_does_not_think() -> None:
    target = replace(STRANGER, effort=())
    body, notes = built(request(Dialect.CHAT, reasoning=Reasoning("low", summary="auto")), target)
    assert ("reasoning" in body, notes) == (False, "dropped=reasoning_effort")


def test_off_is_the_least_where_it_cannot_be_off() -> None:
    body, notes = built(request(reasoning=Reasoning(mode="disabled")), STRANGER)
    assert (body["reasoning"], notes) == ({"effort": "low"}, "approximated=thinking.type")


def test_only_what_can_be_read_again_is_asked_for() -> None:
    assert "include" not in built(request(), STRANGER)[0]
    assert built(request(), OPENAI)[0]["include"] == ["reasoning.encrypted_content"]
