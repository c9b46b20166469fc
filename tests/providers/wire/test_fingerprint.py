"""A turn is known by what it says, however a client spells it; a place by everything before it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect
from providers.wire.fingerprint import (
    arguments_of,
    digest,
    is_unguessable,
    place_of_answer,
    places_of,
    said_of,
    told_in,
)
from providers.wire.neutral import (
    Cache,
    Document,
    Image,
    Opaque,
    Part,
    Request,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)

MARK = Cache("1h")
HI = Turn("user", (Text("Hi"),))
CALL = ToolUse("call_1", "f", '{"a": 1}')
PARTS: list[Part] = [
    Text("see"),
    Image(media_type="image/png", data="iVBORw0KGgo="),
    Document(data="JVBERi0=", title="a.pdf"),
    SearchResult("T", "https://x.invalid/", (Text("found"),)),
    ToolResult("call_1", (Text("snow"),)),
]
OBJECTS = st.dictionaries(st.text(max_size=4), st.integers() | st.booleans() | st.none() | st.text(max_size=4))


def request(*turns: Turn, system: tuple[Part, ...] = ()) -> Request:
    return Request(Dialect.CHAT, "m", turns, system)


def said(*parts: Part) -> Turn:
    return Turn("assistant", parts)


# Pieces count one by one: no two lists of pieces run together to the same digest.
@given(one=st.lists(st.text(max_size=3), max_size=4), other=st.lists(st.text(max_size=3), max_size=4))
def test_a_digest_tells_pieces_apart(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_halves_of_characters_have_a_digest() -> None:
    assert digest("\ud83d") != digest("\ude00")


@pytest.mark.parametrize(
    "sent",
    [
        said(Text("I look."), CALL),
        said(Text("I"), Text(" look.", MARK), CALL),
        said(Text("\n I look. "), replace(CALL, cache=MARK)),
        said(Thinking("hm", "SIG"), Text("I look."), CALL, Opaque(Dialect.MESSAGES, "x", {})),
        said(Text("I look."), replace(CALL, arguments='{"a":1.0}', extra={"caller": 1})),
        said(CALL, Text("I look.")),
        said(Text("I look."), replace(CALL, id="another")),
    ],
)
def test_what_a_client_may_change_does_not_matter(sent: Turn) -> None:
    assert said_of(sent).content == said_of(said(Text("I look."), CALL)).content


@pytest.mark.parametrize(
    "sent",
    [
        said(Text("I look")),
        said(Text("I  look."), CALL),
        said(Text("I look."), CALL, CALL),
        said(Text("I look."), replace(CALL, name="g")),
        said(Text("I look."), replace(CALL, arguments='{"a":2}')),
        said(Text("I look."), replace(CALL, arguments='{"a":"1"}')),
        said(Text("I look."), replace(CALL, arguments='{"a":1', custom=False)),
    ],
)
def test_other_words_and_other_calls_do(sent: Turn) -> None:
    assert said_of(sent).content != said_of(said(Text("I look."), CALL)).content


def test_the_ids_of_calls_count_where_they_are_asked_for() -> None:
    one, other = said_of(said(CALL)), said_of(said(replace(CALL, id="call_2")))
    assert one.content == other.content
    assert one.made != other.made


# However a client spells the arguments it was given, they are the same.
@given(value=OBJECTS, indent=st.none() | st.integers(0, 3), ascii_only=st.booleans(), backwards=st.booleans())
def test_arguments_have_one_spelling(
    value: dict[str, Any], indent: int | None, ascii_only: bool, backwards: bool
) -> None:
    ordered = dict(reversed(value.items())) if backwards else value
    spelled = json.dumps(ordered, indent=indent, ensure_ascii=ascii_only)
    assert arguments_of(ToolUse("", "f", spelled)) == arguments_of(ToolUse("", "f", json.dumps(value)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (ToolUse("", "f", ""), "{}"),
        (ToolUse("", "f", "  {} "), "{}"),
        (ToolUse("", "f", "", custom=True), ""),
        (ToolUse("", "f", ' {"b": 1} ', custom=True), '{"b": 1}'),
        (ToolUse("", "f", '{"a": 1.50, "b": 2.0}'), '{"a":1.5,"b":2}'),
        (ToolUse("", "f", '{"a'), '{"a'),
        (ToolUse("", "f", "[" * 100_000), "[" * 100_000),
    ],
)
def test_arguments_of_every_form(call: ToolUse, text: str) -> None:
    assert arguments_of(call) == text


def test_a_place_is_everything_before_it() -> None:
    asked = request(HI, said(CALL), Turn("user", tuple(PARTS)))
    places = list(places_of(asked, told_in(asked)))
    assert len(places) == len(set(places)) == 4
    assert places[-1] == place_of_answer(asked)
    shorter = request(*asked.turns[:2])
    assert [*places_of(shorter, told_in(shorter))] == places[:3]


@pytest.mark.parametrize("part", PARTS)
def test_a_cache_mark_moves_no_place_and_other_content_does(part: Any) -> None:
    def place(*parts: Part) -> bytes:
        return place_of_answer(request(Turn("user", parts)))

    assert place(replace(part, cache=MARK)) == place(part)
    assert len({place(part), place(part, part), place(), place(Opaque(Dialect.CHAT, "x", {}))}) == 4


def test_the_instructions_and_the_role_belong_to_the_place() -> None:
    asked = [request(HI), request(HI, system=(Text("Be brief."),)), request(Turn("system", HI.parts))]
    assert len({place_of_answer(one) for one in asked}) == 3


def test_what_a_client_dropped_does_not_move_the_places_behind_it() -> None:
    kept, dropped = said(Thinking("hm", "SIG"), Text("A "), Text("b"), CALL), said(Text("A b"), CALL)
    assert place_of_answer(request(HI, kept)) == place_of_answer(request(HI, dropped))


@pytest.mark.parametrize(
    "id",
    [
        "toolu_01A09q90qw90lq917835lq9",
        "call_abcdefghijklmnopqrstuvwx",
        "call_f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "chatcmpl-tool-9d1c2b3a4f5e6d7c8b9a0f1e2d3c4b5a",
        "D681PevKs",
        "function-call-17059876543210987654",
    ],
)
def test_random_ids(id: str) -> None:
    assert is_unguessable(id, "get_weather")


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("", ""),
        ("call_0", "f"),
        ("call_12345678", "f"),
        ("functions.get_weather:0", "get_weather"),
        ("functions.getCurrentWeatherForecast:0", "getCurrentWeatherForecast"),
        ("call_transactions2", "f"),
        ("call_1730000000000", "f"),
    ],
)
def test_ids_that_anybody_could_have(id: str, name: str) -> None:
    assert not is_unguessable(id, name)
