"""What was kept of a turn goes back into the turn that the client sends, and nothing of the client's is lost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect
from providers.wire.fingerprint import said_of
from providers.wire.neutral import Audio, Cache, Opaque, Part, Refusal, Text, Thinking, ToolUse, Turn
from providers.wire.reattach import is_bare, kept_of, reattached

MARK = Cache("1h")
THOUGHT, AGAIN = Thinking("hm", "SIG", format="anthropic-claude-v1"), Thinking("so", "SIG2")
REDACTED = Thinking(encrypted="b3Bh", redacted=True)
SEARCH = Opaque(Dialect.MESSAGES, "server_tool_use", {"id": "s"})
ONE, TWO = ToolUse("call_1", "f", '{"a": 1}'), ToolUse("call_2", "g", "")
SIGNED = replace(ONE, extra={"extra_content": {"google": {"thought_signature": "S"}}})
PARTS = st.one_of(
    st.builds(Text, st.sampled_from(["I", " look", " "])),
    st.sampled_from([THOUGHT, AGAIN, REDACTED, SEARCH, Thinking("plain"), ONE, TWO, SIGNED]),
)


def turn(*parts: Part) -> Turn:
    return Turn("assistant", parts)


def dropped(answer: Turn) -> Turn:
    """The turn as a chat client sends it that knows text and calls alone."""
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    calls = [replace(part, extra={}) for part in answer.parts if isinstance(part, ToolUse)]
    return turn(*([Text(text)] if text else []), *calls)


# Whatever the answer was, the turn of a client that dropped all but text and calls becomes the answer again.
@given(parts=st.lists(PARTS, max_size=6))
def test_what_was_dropped_comes_back(parts: list[Part]) -> None:
    answer = turn(*parts)
    sent, kept = dropped(answer), kept_of(answer)
    back = reattached(sent, kept) if kept else sent
    assert said_of(back) == said_of(sent)
    if said_of(sent).text:
        assert back.parts == answer.parts or not kept
    else:
        assert [part for part in back.parts if not isinstance(part, Text)] == [
            part for part in (answer.parts if kept else sent.parts) if not isinstance(part, Text)
        ]


@pytest.mark.parametrize(
    "parts", [(), (Text("a"),), (Text("a"), Text("b"), ONE, TWO), (ONE,), (Text("a"), Refusal("no"))]
)
def test_nothing_is_kept_where_nothing_can_be_lost(parts: tuple[Part, ...]) -> None:
    assert kept_of(turn(*parts)) == ()


@pytest.mark.parametrize(
    "parts",
    [
        (THOUGHT, Text("a")),
        (Thinking("plain"), Text("a")),
        (SEARCH, Text("a")),
        (SIGNED,),
        (Text("a", citations=({"type": "char_location"},)),),
        (ONE, Text("a")),
    ],
)
def test_what_can_be_lost_is_kept_without_arguments(parts: tuple[Part, ...]) -> None:
    kept = kept_of(turn(*parts, Refusal("no")))
    assert [type(part) for part in kept] == [type(part) for part in parts]
    assert all(part.arguments == "" for part in kept if isinstance(part, ToolUse))


@pytest.mark.parametrize(
    ("sent", "bare"),
    [
        (turn(), True),
        (turn(Text("a"), SIGNED, Thinking("plain")), True),
        (turn(THOUGHT), False),
        (turn(REDACTED), False),
        (turn(SEARCH), False),
        (Turn("user", (Text("a"),)), False),
    ],
)
def test_a_turn_is_bare_without_a_seal(sent: Turn, bare: bool) -> None:
    assert is_bare(sent) is bare


def test_the_clients_own_marks_fields_and_arguments_stay() -> None:
    kept = kept_of(turn(THOUGHT, Text("I "), AGAIN, Text("look."), SIGNED))
    own = replace(ONE, arguments='{"a":1}', cache=MARK, extra={"own": 1})
    sent = Turn("assistant", (Text(" I look. ", MARK), own), {"name": "bot"})
    call = replace(own, extra={**SIGNED.extra, "own": 1})
    want = (THOUGHT, Text("I "), AGAIN, Text("look.", MARK), call)
    assert reattached(sent, kept) == Turn("assistant", want, {"name": "bot"})


def test_plain_reasoning_gives_way_to_the_sealed_and_only_to_that() -> None:
    sent = turn(Thinking("hm"), Text("a"), ONE)
    assert reattached(sent, kept_of(turn(THOUGHT, Text("a"), ONE))).parts == (THOUGHT, Text("a"), ONE)
    assert reattached(sent, kept_of(turn(Text("a"), SIGNED))).parts == (Thinking("hm"), Text("a"), SIGNED)


def test_a_text_that_the_client_left_out_stays_out() -> None:
    kept = kept_of(turn(THOUGHT, Text("I look."), ONE))
    assert reattached(turn(ONE), kept).parts == (THOUGHT, ONE)
    assert reattached(turn(Text(" ", MARK), ONE), kept).parts == (THOUGHT, ONE, Text(" ", MARK))


def test_what_has_no_part_in_it_stays() -> None:
    sent = turn(Text("a"), Audio(id="v"), Refusal("no"))
    assert reattached(sent, kept_of(turn(THOUGHT, Text("a")))).parts == (
        THOUGHT,
        Text("a"),
        Audio(id="v"),
        Refusal("no"),
    )
