"""What providers say of the price of a call, and of the terms it was served under."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.charges import cost_of, dollars, terms_of, told_cost

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["total_cost", "upstream_inference_cost"]), inner),
)
FIELDS = ("cost", "cost_details", "cost_in_usd_ticks", "estimated_cost", "is_byok")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, None),
        ({"cost": 0.25}, 0.25),
        ({"cost": 0}, 0.0),  # a free model: its own word, too
        ({"cost": "0.25"}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": 10**400}, None),
        ({"cost": 0.25, "cost_details": {"upstream_inference_cost": 0.2}}, 0.25),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, 19.95),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": 0.95, "is_byok": False, "cost_details": None}, 0.95),
        ({"cost_details": {"upstream_inference_cost": 0.2}}, 0.2),
        ({"cost_details": {"total_cost": 0.3, "upstream_inference_cost": 0.2}}, 0.3),
        ({"cost": {"input_tokens_cost": 0.1, "request_cost": 0.005, "total_cost": 0.106}}, 0.106),
        ({"cost": {"input_tokens_cost": 0.1}}, None),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"estimated_cost": 0.0000268}, 0.0000268),
    ],
)
def test_the_providers_own_figure(usage: dict[str, Any], expected: float | None) -> None:
    assert cost_of(usage) == (pytest.approx(expected) if expected is not None else None)


# Whatever stands in a usage object, the figure is none or an amount that can be one.
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_shape_gives_an_amount_or_nothing(usage: dict[str, Any]) -> None:
    cost = cost_of(usage)
    assert cost is None or 0 <= cost < 1e19


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.00012", 0.00012), ("0.0", None), ("", None), ("a lot", None), ("nan", None), ("-3", None)],
)
def test_a_figure_in_a_header(text: str, expected: float | None) -> None:
    assert told_cost(text) == expected


@pytest.mark.parametrize(
    ("tier", "details", "others", "expected"),
    [
        (None, (), (), None),
        ("default", ({"audio_tokens": 0, "cached_tokens": 5},), (), None),
        ("standard", (), (), None),
        ("auto", (), (), None),
        (7, (), (), None),
        ("flex", (), (), "flex"),
        ("priority", ({},), ["geo"], "geo+priority"),
        (None, ({}, {"audio_tokens": 3, "image_tokens": 2}), (), "audio+image"),
        (None, ({"audio_tokens": 3}, {"audio_tokens": 4}), ["tools"], "audio+tools"),
    ],
)
def test_terms_are_one_text(
    tier: object, details: tuple[dict[str, object], ...], others: list[str], expected: str | None
) -> None:
    assert terms_of(tier, details, others) == expected


def test_an_amount_is_a_number() -> None:
    assert (dollars(3), dollars(None), dollars([1]), dollars(1e18)) == (3.0, None, None, None)
