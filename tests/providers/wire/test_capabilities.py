"""The facts of a target: what holds for a server that nobody described."""

import re
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from providers.wire.capabilities import ANY_ID, Capabilities

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def test_an_unknown_server_speaks_chat_as_most_do() -> None:
    target = Capabilities()
    assert (target.token_limit, target.system_role, target.structured) == ("max_tokens", "system", "json_schema")
    assert (target.temperature, target.top_p, target.top_k, target.stop_most) == (True, True, True, 4)
    assert (target.reasoning_back, target.include_usage, target.completions) == ("reasoning_content", True, True)


@pytest.mark.parametrize(
    "name",
    [
        "prefill",
        "adaptive_thinking",
        "reasoning_details",
        "signatures",
        "cache_marks",
        "image_urls",
        "openai_extras",
    ],
)
def test_what_only_some_understand_is_sent_to_nobody_unasked(name: str) -> None:
    """Strict servers answer fields that they do not know with 400."""
    assert not getattr(Capabilities(), name)


def test_efforts_are_the_neutral_ones_lowest_first() -> None:
    efforts = Capabilities().effort
    assert [effort for effort in EFFORTS if effort in efforts] == list(efforts)


@pytest.mark.parametrize(("id_", "fits"), [("call_1", True), ("a\nb", True), ("ž 🐎", True), ("", False)])
def test_any_id_fits_but_none(id_: str, fits: bool) -> None:
    assert bool(re.fullmatch(ANY_ID, id_)) is fits


def test_facts_are_values_and_a_model_overrides_them_in_a_copy() -> None:
    target = Capabilities()
    other = replace(target, temperature=False)
    assert (target.temperature, other.temperature) == (True, False)
    assert {target: 1}[Capabilities()] == 1
    with pytest.raises(FrozenInstanceError):
        target.temperature = False  # type: ignore[misc]  # that is what must fail


def test_every_fact_is_explained() -> None:
    explained = re.findall(r"``(\w+)``", Capabilities.__doc__ or "")
    assert {field.name for field in fields(Capabilities)} <= set(explained)
