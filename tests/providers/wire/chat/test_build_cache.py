"""Cache marks in the words of the target, on what can carry them."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.neutral import Cache, Text, Tool, ToolUse
from tests.providers.wire.chat.building_play import OPENAI, ROUTER, assistant, built, noted, request, user

MARKED = user(Text("a", Cache("1h")), Text("b", Cache()))


def parts(target: Capabilities, **more: Any) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = built(request(MARKED, **more), target)[0]["messages"][-1]["content"]
    return content


def test_anthropics_marks() -> None:
    assert [part["cache_control"] for part in parts(ROUTER)] == [
        {"type": "ephemeral", "ttl": "1h"},
        {"type": "ephemeral"},
    ]


def test_openais_breakpoints() -> None:
    assert [part["prompt_cache_breakpoint"] for part in parts(OPENAI)] == [
        {"mode": "explicit", "ttl": "12h"},
        {"mode": "explicit"},
    ]
    assert noted(MARKED, target=OPENAI) == "approximated=cache_control.ttl"


def test_a_server_that_knows_none_gets_none() -> None:
    assert parts(Capabilities()) == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    call = assistant(ToolUse("i", "f", "{}", cache=Cache()))
    assert noted(user(Text("a")), call, user(Text("b")), cache=Cache()) == "dropped=cache_control"


def test_a_mark_on_a_tool() -> None:
    tools = (Tool("function", "f", cache=Cache()), Tool("function", "g"))
    body, notes = built(request(user(Text("a")), tools=tools), ROUTER)
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral"}
    assert notes.header() == ""
    body, notes = built(request(user(Text("a")), tools=tools, system=(Text("You"),)), OPENAI)
    assert body["messages"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert notes.header() == "approximated=cache_control"


def test_a_mark_with_nothing_behind_it_is_noted() -> None:
    call = assistant(ToolUse("i", "f", "{}", cache=Cache()))
    assert noted(user(Text("a")), call, target=ROUTER).startswith("dropped=cache_control")


@pytest.mark.parametrize(
    ("target", "field", "note"),
    [
        (ROUTER, {"type": "ephemeral", "ttl": "5m"}, ""),
        (OPENAI, None, ""),
        (Capabilities(), None, "dropped=cache_control"),
    ],
)
def test_a_mark_on_the_whole_request(target: Capabilities, field: Any, note: str) -> None:
    body, notes = built(request(user(Text("a")), cache=Cache("5m")), target)
    assert (body.get("cache_control"), notes.header()) == (field, note)


def test_four_marks_leave_no_room_for_the_implicit_one() -> None:
    marked = user(*(Text(text, Cache()) for text in "abcd"))
    assert built(request(marked), OPENAI)[0]["prompt_cache_options"] == {"mode": "explicit"}
    assert "prompt_cache_options" not in built(request(MARKED), OPENAI)[0]


def test_an_assistants_text_carries_anthropics_marks_alone() -> None:
    marked = assistant(Text("b", Cache()))
    said = [
        built(request(user(Text("a")), marked, user(Text("c"))), target)[0]["messages"] for target in (ROUTER, OPENAI)
    ]
    assert said[0][1]["content"] == [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    assert said[1][1]["content"] == "b"
    assert said[1][2]["content"] == [{"type": "text", "text": "c", "prompt_cache_breakpoint": {"mode": "explicit"}}]
