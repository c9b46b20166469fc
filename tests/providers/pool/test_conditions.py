"""Conditions: when they hold, what is said when they do not, how they read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pool.call_facts import CallFacts
from providers.pool.conditions import MINUTES_OF_DAY, Conditions, in_span, parse_span, unmet
from providers.wire.endpoints import Operation

PLAIN: dict[str, object] = {"messages": [{"role": "user", "content": "a" * 400}]}  # 104 tokens
RICH: dict[str, object] = {
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "prompt_cache_key": "night-7",
    "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://h/x.png"}}]}],
}


def call(body: dict[str, object] = PLAIN, minute: int = 23 * 60, *headers: tuple[str, str]) -> CallFacts:
    return CallFacts(Operation.CHAT, body, headers, lambda: minute)


@pytest.mark.parametrize(
    ("wanted", "plain", "rich"),
    [
        (Conditions(), "", ""),
        (Conditions(has_tools=True), "the call has no tools", ""),
        (Conditions(has_tools=False), "", "the call has tools"),
        (Conditions(has_images=True), "the call has no images", ""),
        (Conditions(has_images=False), "", "the call has images"),
        (Conditions(tokens_over=103), "", ""),
        (Conditions(tokens_over=104), "the prompt has about 104 tokens, not over 104", ""),
        (Conditions(session="night-*"), "the call names no session", ""),
        (Conditions(session="day-*"), "the call names no session", "the session does not fit 'day-*'"),
        (Conditions(time=(1320, 360)), "", ""),
        (Conditions(time=(360, 1320)), "it is 23:00, not 06:00-22:00", "it is 23:00, not 06:00-22:00"),
        # all must hold; the cheap ones are asked first
        (Conditions(has_tools=True, tokens_over=9999), "the call has no tools", "the prompt has about"),
    ],
)
def test_what_holds_and_what_does_not(wanted: Conditions, plain: str, rich: str) -> None:
    for body, expected in ((PLAIN, plain), (RICH, rich)):
        said = wanted.unmet(call(body))
        assert said.startswith(expected) if expected else said == ""


@pytest.mark.parametrize(
    ("pattern", "values", "holds"),
    [
        ("red*", ["red-1"], True),
        ("red*", ["blue", "red-1"], True),
        ("red*", ["Red-1"], False),
        ("red*", [], False),
        ("*", [""], True),
        ("a?[bc]", ["axb"], True),
        ("[!a]*", ["ax"], False),
    ],
)
def test_one_value_of_a_header_must_fit(pattern: str, values: list[str], holds: bool) -> None:
    wanted = Conditions(header=(("x-team", pattern),))
    said = wanted.unmet(call(PLAIN, 0, *(("X-Team", value) for value in values)))
    assert said == ("" if holds else f"the header x-team does not fit {pattern!r}")


def test_a_header_and_a_session_have_patterns_of_their_own() -> None:
    wanted = Conditions(header=(("x-team", "red"), ("x-more", "*")), session="night-*")
    assert wanted.unmet(call(RICH, 0, ("x-team", "red"), ("x-more", "1"))) == ""
    assert wanted.unmet(call(RICH, 0, ("x-team", "red"))) == "the header x-more does not fit '*'"


def test_a_value_of_a_client_is_never_told() -> None:
    wanted = Conditions(header=(("authorization", "x"),), session="x")
    said = wanted.unmet(call({"prompt_cache_key": "canary"}, 0, ("authorization", "x")))
    assert said == "the session does not fit 'x'"
    assert "canary" not in wanted.unmet(call(RICH, 0, ("authorization", "canary")))


def test_several_conditions_all_count() -> None:
    assert unmet((), call()) == ""
    assert unmet((Conditions(has_tools=False), Conditions(has_images=True)), call()) == "the call has no images"


def test_they_read_as_words() -> None:
    wanted = Conditions(
        has_tools=True,
        has_images=False,
        tokens_over=9,
        header=(("x-a", "b*"),),
        session="s?",
        time=(1320, MINUTES_OF_DAY),
    )
    assert str(wanted) == (
        "with tools, without images, over 9 tokens, header x-a like 'b*', session like 's?', from 22:00-24:00"
    )
    assert str(Conditions()) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00-06:00", (1320, 360)),
        ("00:00-24:00", (0, 1440)),
        ("09:30-17:45", (570, 1065)),
        ("23:59-00:00", (1439, 0)),
    ],
)
def test_spans_of_time(text: str, expected: tuple[int, int]) -> None:
    assert parse_span(text) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("22-6", "is no span"),
        ("22:00 - 06:00", "is no span"),
        ("22:60-06:00", "is no span"),
        ("٢٢:00-06:00", "is no span"),
        ("24:00-06:00", "an hour that no day has"),
        ("22:00-24:01", "an hour that no day has"),
        ("25:00-06:00", "an hour that no day has"),
        ("06:00-06:00", "begins when it ends"),
    ],
)
def test_what_is_no_span(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_span(text)


MINUTES = st.integers(0, MINUTES_OF_DAY - 1)


# A span and the one from its end to its beginning share the day out: each minute is in exactly one of them.
@given(MINUTES, MINUTES, MINUTES)
def test_a_span_and_its_reverse_are_the_whole_day(begin: int, end: int, minute: int) -> None:
    if begin != end:
        assert in_span((begin, end), minute) != in_span((end, begin), minute)
        assert in_span((begin, end), begin)
        assert not in_span((begin, end), end)
