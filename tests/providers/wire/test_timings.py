"""llama-server's own measure."""

from typing import Any

import pytest

from providers.wire.events import Event, Timings
from providers.wire.timings import tell_timings, timings_of


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


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, []),
        ({"timings": None}, []),
        ({"timings": {"prompt_ms": "fast"}}, []),
        ({"timings": {"prompt_ms": 1.5}}, [Timings(1500)]),
    ],
)
def test_what_was_not_measured_is_not_told(answer: dict[str, Any], expected: list[Event]) -> None:
    out: list[Event] = []
    tell_timings(answer, out)
    assert out == expected
