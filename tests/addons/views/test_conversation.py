"""A body as YAML, and back: what was not edited keeps its bytes, what cannot be taken is said with its place."""

import contextlib
import json
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addons.views.conversation import Side, edit_body, show_body
from addons.views.refused import EditRefused
from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_body, messages_body, responses_body

PNG = "iVBORw0KGgo=" * 40
CALL = '{"city": "Paris",  "days": 3.0}'
MESSAGES: dict[str, Any] = {
    "model": "claude-9",
    "max_tokens": 64,
    "system": [{"type": "text", "text": "You are\nhelpful.", "cache_control": {"type": "ephemeral"}}],
    "x_unknown": {"deep": [1, 2.50, None, {"a": True}]},
    "messages": [
        {"role": "user", "content": "Say hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Let me see. " * 40, "signature": "c2ln" * 60},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "sunny\nwarm\n"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "tells it", "input_schema": {"type": "object"}}],
}
CHAT: dict[str, Any] = {
    "model": "gpt-9",
    "messages": [
        {"role": "system", "content": "You are helpful."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        },
        {
            "role": "assistant",
            "reasoning_content": "hm " * 100,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": CALL}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ],
    "temperature": 0.70,
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-9",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": "gAAA" * 50},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": CALL},
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    ],
}
COMPLETIONS: dict[str, Any] = {"model": "m", "prompt": "Once upon\na time", "max_tokens": 5}
REQUESTS = {
    Operation.MESSAGES: MESSAGES,
    Operation.COUNT_TOKENS: MESSAGES,
    Operation.CHAT: CHAT,
    Operation.RESPONSES: RESPONSES,
    Operation.COMPLETIONS: COMPLETIONS,
}
ANSWER = Side(None, False, "an answer")


def side(operation: Operation) -> Side:
    return Side(operation, True, "a request")


def written(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def edit(operation: Operation, old: str, new: str, body: bytes | None = None) -> bytes:
    body = body or written(REQUESTS[operation])
    text = show_body(body, side(operation))
    assert old in text, text
    return edit_body(text.replace(old, new, 1), body, side(operation))


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_request_is_shown_and_comes_back_as_it_was(operation: Operation) -> None:
    body = written(REQUESTS[operation])
    text = show_body(body, side(operation))
    assert edit_body(text, body, side(operation)) == body
    assert edit_body(text.replace("\n", "  \n").rstrip(), body, side(operation)) == body
    assert PNG not in text
    # also by the long way, where something is edited that does not count
    assert edit_body(f"# mine\n{text}", body, side(operation)) == body


def test_what_people_read_of_a_request() -> None:
    text = show_body(written(MESSAGES), side(Operation.MESSAGES))
    for line in (
        "# a request",
        "  cache_control: {type: ephemeral}",
        "    You are",
        "- role: user",
        "  content: Say hello",
        '    thinking: !kept.1 "thinking, 480 characters: Let me see. Let me see.',
        '    signature: !kept.2 "signature, 240 characters"',
        "    name: weather",
        "    input: {city: Paris}",
        "      warm",
        '      data: !kept.3 "image/png, 359 bytes"',
    ):
        assert line in text, text


def test_a_long_text_is_shown_by_its_ends() -> None:
    body = written({"model": "m", "prompt": "begin\n" + "x" * 50_000 + "\nend"})
    text = show_body(body, side(Operation.COMPLETIONS))
    assert "prompt: !kept.1 |-\n  begin\n  xxx" in text
    assert "\n  … 47,510 of 50,010 characters are not shown …\n" in text
    assert text.endswith("xxx\n  end\n")
    assert edit(Operation.COMPLETIONS, "model: m", "model: z", body) == body.replace(b'"m"', b'"z"')


def test_what_people_read_of_a_chat() -> None:
    text = show_body(written(CHAT), side(Operation.CHAT))
    assert '      url: !kept.1 "image/png, 359 bytes"' in text
    assert "      arguments: !json.3\n        city: Paris\n        days: 3.0\n" in text


# operation, what is replaced, by what → the change in the body
EDITS: list[tuple[Operation, str, str, str, str]] = [
    (Operation.MESSAGES, "content: Say hello", "content: Say goodbye", "Say hello", "Say goodbye"),
    (Operation.MESSAGES, "max_tokens: 64", "max_tokens: 65", ": 64", ": 65"),
    (Operation.MESSAGES, "    warm", "    cold", "warm", "cold"),
    (Operation.COUNT_TOKENS, "model: claude-9", "model: claude-10", "claude-9", "claude-10"),
    (Operation.CHAT, "city: Paris", "city: Rome", "Paris", "Rome"),
    (Operation.CHAT, "content: sunny", "content: rainy", "sunny", "rainy"),
    (Operation.RESPONSES, "text: hi", "text: bye", '"hi"', '"bye"'),
    (Operation.RESPONSES, "days: 3.0", "days: 4", "3.0", "4"),
    (Operation.COMPLETIONS, "  a time", "  a day", "a time", "a day"),
]


@pytest.mark.parametrize(("operation", "old", "new", "was", "becomes"), EDITS)
def test_an_edit_changes_what_it_says_and_no_other_byte(
    operation: Operation, old: str, new: str, was: str, becomes: str
) -> None:
    body = written(REQUESTS[operation])
    assert edit(operation, old, new) == body.replace(was.encode(), becomes.encode(), 1)


def test_turns_are_added_moved_and_taken_away() -> None:
    added = edit(Operation.MESSAGES, "- role: assistant\n", "- role: user\n  content: Wait\n- role: assistant\n")
    expected = json.loads(written(MESSAGES))
    expected["messages"].insert(1, {"role": "user", "content": "Wait"})
    assert json.loads(added) == expected
    gone = edit(Operation.MESSAGES, "- role: user\n  content: Say hello\n", "")
    assert json.loads(gone) == {**MESSAGES, "messages": MESSAGES["messages"][1:]}
    call = (
        '  - id: c2\n    type: function\n    function:\n      name: f\n      arguments: !json {"a": [1]}\n- role: tool'
    )
    called = json.loads(edit(Operation.CHAT, "- role: tool", call))
    assert called["messages"][2]["tool_calls"][1]["function"]["arguments"] == '{"a":[1]}'


# operation, what is replaced, by what → what is said
REFUSED: list[tuple[Operation, str, str, str]] = [
    (Operation.MESSAGES, "role: assistant", "role: robot", "messages[1].role: must be one of assistant, system, user"),
    (Operation.CHAT, "role: tool", "role: robot", "messages[3].role: must be one of assistant, developer, function"),
    (Operation.MESSAGES, "max_tokens: 64", "max_tokens: lots", "line 4, max_tokens: must be a whole number"),
    (Operation.MESSAGES, "max_tokens: 64", "max_tokens: .inf", "line 4, max_tokens: .inf is no number that JSON has"),
    (Operation.MESSAGES, "max_tokens: 64", "max_tokens: 064", "line 4, max_tokens: 064 is no number that JSON has"),
    (Operation.MESSAGES, "max_tokens: 64", "max_tokens: 64\nmax_tokens: 65", "line 5, max_tokens: this field stands"),
    (Operation.MESSAGES, "model: claude-9", "model: &m claude-9", "line 3, model: anchors"),
    (Operation.MESSAGES, "model: claude-9", "model: !!binary YQ==", "line 3, model: the tag tag:yaml.org,2002:binary"),
    (Operation.MESSAGES, "model: claude-9", "model: [a", "this is not YAML: expected ',' or ']'"),
    (Operation.MESSAGES, "model: claude-9", "model: a\x01", "this is not YAML: "),
    (Operation.MESSAGES, "model: claude-9", "? [a]\n: 1", "line 3: the name of a field is a text"),
    (Operation.MESSAGES, "!kept.1 ", "!kept.77 ", "thinking: there is no such number in this text"),
    (Operation.MESSAGES, "!kept.1 ", "!kept ", "thinking: there is no such number in this text"),
    (Operation.MESSAGES, "240 characters", "241 characters", "signature: !kept stands for a value as it is"),
    (Operation.MESSAGES, "!kept.1 ", "!kept.1 [] #", "thinking: !kept stands for a value as it is"),
    (Operation.CHAT, "!kept.1 ", "!kept.3 ", "url: !kept stands for a value as it is"),
    (Operation.MESSAGES, "content: Say hello", "content: 7", "messages[0].content: must be a text or a list"),
    (Operation.MESSAGES, "  - type: tool_use\n    id", "  - id", "content[1].type: this field is required"),
    (Operation.CHAT, "  content: sunny", "  content: [1]", "messages[3].content[0]: must be an object with a type"),
    (Operation.MESSAGES, "- role: user\n  content: Say", "- content: Say", "line 18, messages[0].role: this field is"),
    (Operation.MESSAGES, "messages:", "mesages:", "messages: this field is required"),
    (Operation.RESPONSES, "- role: user", "- role: robot", "input[0].role: must be one of assistant, developer"),
    (Operation.COMPLETIONS, "model: m", "model: 5", "model: must be a text"),
]


@pytest.mark.parametrize(("operation", "old", "new", "said"), REFUSED)
def test_an_edit_that_cannot_be_taken_names_its_place(operation: Operation, old: str, new: str, said: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edit(operation, old, new)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"), [("", "must be an object"), ("- 1\n", "line 1: "), ("a: 1\n---\nb: 2", "YAML")]
)
def test_what_is_no_object_is_refused(text: str, said: str) -> None:
    with pytest.raises(EditRefused, match=said):
        edit_body(text, written(CHAT), side(Operation.CHAT))


def test_what_was_odd_before_may_stay_odd() -> None:
    odd = written({**CHAT, "temperature": "hot", "messages": [{"role": "critic", "content": 7}]})
    assert edit(Operation.CHAT, "model: gpt-9", "model: gpt-10", odd) == odd.replace(b"gpt-9", b"gpt-10")


BAD_BODIES = [b"", b" ", b"[1]", b"{", b'{"a":}', b"\xff\xfe", b'{"a":"\xc3"}', b"x" * 30_000, b'{"a":' * 5000]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_what_is_no_json_object_is_shown_as_it_is_and_cannot_be_edited(body: bytes) -> None:
    text = show_body(body, ANSWER)
    assert text.startswith("# an answer\n# ")
    assert len(text) < 21_000
    assert edit_body(text, body, ANSWER) == body
    with pytest.raises(EditRefused):
        edit_body("a: 1", body, ANSWER)


ANSWERS = [chat_body(tools=[("f", {"a": 1})]), messages_body(tools=[("f", {"a": 1})]), responses_body()]


@pytest.mark.parametrize("answer", ANSWERS, ids=["chat", "messages", "responses"])
def test_a_plain_answer_is_edited_like_a_request(answer: Any) -> None:
    body = written(answer)
    text = show_body(body, ANSWER)
    assert edit_body(text, body, ANSWER) == body
    assert edit_body(text.replace("Patchbay passes", "Somebody passes"), body, ANSWER) == body.replace(
        b"Patchbay passes", b"Somebody passes"
    )


def test_no_key_is_shown_and_none_is_lost() -> None:
    key = "sk-ant-api03-canary0123456789"
    body = written({"model": "m", "messages": [{"role": "user", "content": f"my key:\n{key}\nis it?"}]})
    text = show_body(body, side(Operation.CHAT))
    assert key not in text
    assert edit(Operation.CHAT, "model: m", "model: other", body) == body.replace(b'"m"', b'"other"')
    with pytest.raises(EditRefused, match="kept"):
        edit(Operation.CHAT, "is it?", "is it!", body)
    named = written({key: 1, "model": "m"})
    assert key not in show_body(named, side(Operation.CHAT))
    with pytest.raises(EditRefused, match="without some of its fields"):
        edit(Operation.CHAT, "model: m", "model: other", named)


def test_too_long_an_edit_is_refused() -> None:
    with pytest.raises(EditRefused, match="longer than"):
        edit_body("x" * 2_000_001, written(CHAT), side(Operation.CHAT))


def test_a_body_that_cannot_be_read_or_is_nested_too_deeply_is_refused() -> None:
    deep, limit = b'{"a":' + b"[" * 900 + b"1" + b"]" * 900 + b"}", sys.getrecursionlimit()
    sys.setrecursionlimit(700)  # it may have been raised
    try:
        with pytest.raises(EditRefused, match="nested too deeply"):
            edit_body(show_body(deep, ANSWER) + "b: 1\n", deep, ANSWER)
    finally:
        sys.setrecursionlimit(limit)
    with pytest.raises(EditRefused, match="edit the body itself"):
        edit_body("a: 1", b"[]", ANSWER)
    assert edit_body('"\\ud800é": 1\n', b'{"a":1}', ANSWER) == b'{"\\ud800\\u00e9":1}'


HUGE: list[dict[str, Any]] = [
    {"model": "m", "messages": [{"role": "user", "content": f"hello {n} " * 12} for n in range(80_000)]},
    {"model": "m", "messages": [{"role": "user", "content": "x y\n" * 2_500_000}]},
    {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": [n]} for n in range(300_000)]}]},
    {"model": "m", "tools": [{"name": f"t{n}", "d": "text " * 500} for n in range(400)] * 9, "messages": []},
    {"model": "m", **{f"field{n}": "value" * 5 for n in range(250_000)}},
]


@pytest.mark.parametrize("body", HUGE, ids=range(len(HUGE)))
def test_a_large_body_is_shown_at_once(body: dict[str, object]) -> None:
    raw = json.dumps(body).encode()
    assert len(raw) > 8_000_000
    began = time.process_time()
    text = show_body(raw, side(Operation.CHAT))
    assert time.process_time() - began < 5  # under 0.5 s, without the reckoning of coverage
    assert len(text) < 400_000


def test_a_large_body_can_be_edited() -> None:
    raw = json.dumps({**HUGE[1], "tools": HUGE[3]["tools"]}).encode()
    assert edit(Operation.CHAT, "model: m", "model: z", raw) == raw.replace(b'"m"', b'"z"', 1)


ODD_TEXTS = [
    *("", "null", "y", "1", "a: b", "- x", "# x", "a\nb", "\n", "a\n", "\n\na\n\n", " a\n b", "\ta\nb", "a\rb\n", "'"),
    *('"', "{}", "\ufeffa\nb", "\u2028\nx", "\x85\nx", "a \n b", "---\nx", "...\nx", "!kept.1", "|", "x\n#y", "%"),
    *("\ud800\nx", "\U0001f600\nx", "@a", "`", "&a"),
]
TEXTS = st.text() | st.sampled_from(ODD_TEXTS)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


# Whatever a body holds: shown and taken back with one field more, it is the same body with one field more.
@settings(max_examples=100)
@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.booleans())
def test_every_body_comes_back(body: dict[str, object], compact: bool) -> None:
    raw = json.dumps(body, separators=(",", ":") if compact else None).encode()
    text = show_body(raw, ANSWER)
    assert edit_body(text, raw, ANSWER) == raw
    if body and "mine" not in body:
        more = json.loads(edit_body(f"{text}mine: 1\n", raw, ANSWER))
        assert json.dumps(more) == json.dumps({**json.loads(raw), "mine": 1})


# Garbage in any form is shown, never raised.
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_garbage_is_shown(body: bytes) -> None:
    assert edit_body(show_body(body, ANSWER), body, ANSWER) == body


# Whatever somebody writes, it is taken or refused, and nothing else happens.
@given(st.text(max_size=80))
def test_any_edit_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(EditRefused):
        assert isinstance(json.loads(edit_body(text, written(CHAT), side(Operation.CHAT))), dict)
