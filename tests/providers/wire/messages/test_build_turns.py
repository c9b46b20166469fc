"""Turns as messages: results first, instructions in their place."""

from typing import Any

import pytest

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.messages.build_turns import Conversation, instruction
from providers.wire.neutral import Cache, Image, Text, Thinking, Tool, ToolResult, ToolUse, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.messages.building_play import (
    CLAUDE,
    HI,
    OLD,
    assistant,
    body_of,
    building,
    messages,
    noted,
    request,
    user,
)

CALL = ToolUse("c", "f", "{}")
RESULT = ToolResult("c", (Text("done"),))


def system(said: str, role: str = "system") -> Turn:
    return Turn(role, (Text(said),))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def result(said: str, id_: str = "c") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": [text(said)]}


def test_instructions_ahead() -> None:
    body = body_of(system("b"), system("c", "developer"), HI, system=(Text("a"), Text("")))
    assert body["system"] == [text("a"), text("b"), text("c")]
    assert body["messages"] == [{"role": "user", "content": [text("Hi")]}]
    assert "system" not in body_of(HI)


def test_results_stand_first_and_together() -> None:
    calls = assistant(Text("ok"), CALL, ToolUse("d", "f", "{}"))
    said = messages(HI, calls, user(RESULT), user(Text("and")), user(ToolResult("d", (Text("too"),))))
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert said[2]["content"] == [result("done"), result("too", "d"), text("and")]
    assert [block["type"] for block in said[1]["content"]] == ["text", "tool_use", "tool_use"]


def test_what_the_model_said_in_a_row_is_one_message() -> None:
    said = messages(HI, assistant(Text("a")), assistant(Text(" ")), assistant(CALL), user(RESULT))
    assert [len(message["content"]) for message in said] == [1, 2, 1]


def test_a_role_that_is_unknown_here_is_the_users() -> None:
    assert messages(Turn("critic", (Text("a"),)))[0]["role"] == "user"


def test_an_empty_message_is_none() -> None:
    assert messages(HI, assistant(Text("")), user(Text("b"))) == [{"role": "user", "content": [text("Hi"), text("b")]}]


def test_a_later_instruction_keeps_its_place() -> None:
    said = messages(HI, system("x"), system("y", "developer"), assistant(Text("a")), HI, system("z"))
    assert [message["role"] for message in said] == ["user", "system", "assistant", "user", "system"]
    assert said[1]["content"] == [text("x"), text("y")]


@pytest.mark.parametrize(
    ("turns", "roles"),
    [
        ((HI, system("x"), HI), ["user"]),
        ((HI, assistant(Text("a")), system("x")), ["user", "assistant", "user"]),
        ((assistant(Text("a")), system("x"), HI), ["assistant", "user"]),
    ],
)
def test_where_it_may_not_stand_it_is_tagged(turns: tuple[Turn, ...], roles: list[str]) -> None:
    said = messages(*turns)
    assert [message["role"] for message in said] == roles
    blocks = [block["text"] for message in said for block in message["content"]]
    assert "<system>\nx\n</system>" in blocks
    assert noted(*turns) == "approximated=messages.role"


def test_a_model_that_knows_no_later_instructions() -> None:
    said = messages(HI, system("x"), assistant(Text("a")), HI, target=OLD)
    assert said[0]["content"] == [text("Hi"), text("<system>\nx\n</system>")]


def test_an_instruction_in_a_round_of_calls_stands_behind_the_results() -> None:
    said = messages(HI, assistant(CALL), system("x"), user(RESULT))
    assert said[2]["content"] == [result("done"), text("<system>\nx\n</system>")]


def test_an_instruction_is_text() -> None:
    with pytest.raises(Rejected) as refused:
        body_of(Turn("system", (Image(url="u"),)), HI)
    assert refused.value.field == "messages"


def test_instructions_alone_are_asked() -> None:
    body = body_of(system("Tell a joke."))
    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": [text("Tell a joke.")]}]
    assert noted(system("Tell a joke.")) == "approximated=messages.role"
    assert body_of(user())["messages"] == []


def test_a_prefill_is_not_wanted() -> None:
    turns = (HI, assistant(Text("So ")))
    assert messages(*turns)[2] == {"role": "user", "content": [text("Continue.")]}
    assert noted(*turns) == "approximated=messages.assistant"


@pytest.mark.parametrize(("said", "note"), [("So", ""), ("So \n", "approximated=messages.assistant")])
def test_a_prefill_is_continued(said: str, note: str) -> None:
    turns = (HI, assistant(Text(said)))
    assert messages(*turns, target=OLD)[-1] == {"role": "assistant", "content": [text("So")]}
    assert noted(*turns, target=OLD) == note


def test_other_ends_of_the_model_stay() -> None:
    assert messages(HI, assistant(CALL))[-1]["role"] == "assistant"
    thinking = Thinking("hm", "S", format=side_channel.ANTHROPIC)
    assert messages(HI, assistant(thinking), target=OLD)[-1]["content"][0]["type"] == "thinking"


def test_four_marks_at_most_and_the_last_ones() -> None:
    parts = tuple(Text(str(number), Cache()) for number in range(5))
    tool = Tool("function", "f", cache=Cache())
    body = body_of(system("x"), user(*parts), tools=(tool,), cache=Cache())
    marked = [block["text"] for block in body["messages"][0]["content"] if "cache_control" in block]
    assert marked == ["3", "4"]
    assert "cache_control" in body
    assert "cache_control" in body["tools"][0]
    assert noted(user(*parts)).startswith("dropped=")
    assert noted(user(*parts[:4])) == ""


def test_fields_of_a_message() -> None:
    turns = (user(Text("Hi"), name="Ann", id="msg_1"), assistant(Text("a"), phase="final"), HI)
    assert noted(*turns) == "dropped=messages.name,messages.phase"
    with pytest.raises(Rejected) as refused:
        body_of(user(Text("Hi"), audio={"id": "a"}), dialect=Dialect.RESPONSES)
    assert refused.value.field == "input.audio"


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [
        ((HI,), False),
        ((HI, assistant(Text("a")), HI), False),
        ((HI, assistant(CALL), user(RESULT)), True),
        ((HI, assistant(Thinking("hm", "S", format=side_channel.ANTHROPIC), CALL), user(RESULT)), False),
        ((HI, user(RESULT)), False),
    ],
)
def test_a_round_of_calls(turns: tuple[Turn, ...], wanted: bool) -> None:
    assert Conversation(building(request(*turns))).is_in_tool_loop() is wanted


def test_an_instruction_of_ours() -> None:
    assert instruction(building(request(), CLAUDE), "x") == text("x")
