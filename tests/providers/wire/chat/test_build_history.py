"""Turns as messages: results first, instructions in their place, nothing empty."""

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Cache, Image, OutputFormat, Part, Text, Thinking, ToolResult, ToolUse, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import OPENAI, ROUTER, assistant, messages, noted, user

HI, CALL = user(Text("Hi")), assistant(ToolUse("a", "f", "{}"), ToolUse("b", "g", "{}"))
PICTURE = Image(url="https://x.invalid/p.png")


def results(*parts: Part) -> list[tuple[str, object]]:
    said = messages(HI, CALL, user(*parts))
    return [(message["role"], message["content"]) for message in said[2:]]


def test_results_come_first_and_what_was_said_before_them_comes_after() -> None:
    parts = (Text("so:"), ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"), Text("3"))), Text("go on"))
    texts = [{"type": "text", "text": text} for text in ("2", "3")]
    said = [{"type": "text", "text": text} for text in ("so:", "go on")]
    assert results(*parts) == [("tool", "1"), ("tool", texts), ("user", said)]


def test_results_in_several_turns_are_gathered_before_instructions_too() -> None:
    said = messages(
        HI,
        CALL,
        user(ToolResult("a", (Text("1"),)), Text("one")),
        Turn("developer", (Text("be brief"),)),
        user(ToolResult("b", ())),
        user(Text("two")),
    )
    assert [message["role"] for message in said[2:]] == ["tool", "tool", "user", "system", "user"]
    assert said[3]["content"] == ""


def test_a_picture_without_a_word_behind_it_gets_its_own_message() -> None:
    shown = [
        {"type": "text", "text": "Result of the tool call a:"},
        {"type": "image_url", "image_url": {"url": "https://x.invalid/p.png"}},
    ]
    assert results(ToolResult("a", (Text("see"), PICTURE))) == [("tool", "see"), ("user", shown)]
    assert noted(HI, CALL, user(ToolResult("a", (PICTURE,)))) == "approximated=messages.tool_result.content"


@pytest.mark.parametrize(("parts", "text"), [((), "[tool error] "), ((Text("bad"),), "[tool error] bad")])
def test_an_error_says_so(parts: tuple[Part, ...], text: str) -> None:
    assert results(ToolResult("a", parts, is_error=True)) == [("tool", text)]
    assert noted(HI, CALL, user(ToolResult("a", parts, True))) == "approximated=messages.tool_result.is_error"


def test_a_mark_on_a_result_stands_on_its_last_text_or_on_what_follows() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    parts = (ToolResult("a", (Text("1"), Text("2")), cache=Cache()), ToolResult("b", (), cache=Cache()), Text("so"))
    said = messages(HI, CALL, user(*parts), target=ROUTER)
    assert said[2]["content"] == [{"type": "text", "text": "1"}, {"type": "text", "text": "2", **mark}]
    assert said[4]["content"] == [{"type": "text", "text": "so", **mark}]


def test_ids_are_made_valid_on_both_sides_alike() -> None:
    target = Capabilities(tool_id="[a-zA-Z0-9]{9}", tool_id_length=9)
    said = messages(HI, CALL, user(ToolResult("a", ()), ToolResult("b", ())), target=target)
    sent = [call["id"] for call in said[1]["tool_calls"]]
    assert sent == [message["tool_call_id"] for message in said[2:]]
    assert len(set(sent)) == 2
    assert all(len(id_) == 9 for id_ in sent)


def test_instructions_stay_in_their_place() -> None:
    middle = Turn("system", (Text("be brief"),))
    said = messages(HI, CALL, user(ToolResult("a", ()), ToolResult("b", ())), middle, target=OPENAI)
    assert said[-1] == {"role": "developer", "content": "be brief"}


def test_where_they_may_not_stand_they_are_a_marked_message_of_the_user() -> None:
    target = Capabilities(mid_system=False, cache_marks="anthropic")
    said = messages(HI, Turn("system", (Text("be brief"),)), target=target)
    assert said[1] == {"role": "user", "content": "<system>\nbe brief\n</system>"}
    several = Turn("system", (Text("a"), Text("b")))
    assert [part["text"] for part in messages(HI, several, target=target)[1]["content"]] == [
        "<system>",
        "a",
        "b",
        "</system>",
    ]
    assert noted(HI, several, target=target) == "approximated=messages.system"
    assert messages(HI, Turn("system", ()), target=target) == [{"role": "user", "content": "Hi"}]


def test_the_billing_line_of_claude_code_is_left_out() -> None:
    """Also in a request that no parser has cleaned; another client may say what it likes."""
    system = (Text("x-anthropic-billing-header: cch=1;"), Text("You"))
    assert messages(HI, system=system)[0]["content"] == "You"
    assert noted(HI, system=system) == "dropped=system.x-anthropic-billing-header"
    assert len(messages(HI, system=system, dialect=Dialect.RESPONSES)[0]["content"]) == 2


def test_instructions_are_text() -> None:
    with pytest.raises(Rejected) as caught:
        messages(HI, system=(PICTURE,))
    assert caught.value.field == "system.image_url"
    with pytest.raises(Rejected, match="instructions"):
        messages(HI, Turn("developer", (PICTURE,)))


def test_a_turn_of_nothing_stays_a_turn() -> None:
    assert messages(user(), assistant(Text("?"))) == [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "?"},
    ]


def test_an_answer_that_was_begun_is_not_continued_by_most() -> None:
    turns = (HI, assistant(Text("{")))
    assert noted(*turns) == "approximated=messages.prefill"
    assert noted(*turns, target=Capabilities(prefill=True)) == ""


def test_the_shape_of_the_answer_is_said_behind_the_clients_instructions() -> None:
    """A server that keeps to no schema is told it in words."""
    wanted = OutputFormat("json_schema", {"type": "object"})
    for system in ((Text("You"),), ()):
        first = messages(HI, system=system, output=wanted, target=Capabilities(structured=""))[0]
        content = first["content"] if system else [{"type": "text", "text": first["content"]}]
        assert (first["role"], [part["text"] for part in content[:-1]]) == ("system", [part.text for part in system])
        assert '{"type":"object"}' in content[-1]["text"]


def test_an_answer_of_which_nothing_can_be_said_is_no_message() -> None:
    """Chat servers refuse a message without content; sealed reasoning means something to its maker alone."""
    sealed = assistant(Thinking(encrypted="e", redacted=True))
    assert messages(HI, sealed, user(Text("so"))) == [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "so"},
    ]
    assert noted(HI, sealed, user(Text("so"))) == "dropped=messages.thinking"
