"""What is known of one call, in every dialect, and that nothing is worked out before it is asked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pool.call_facts import CallFacts
from providers.wire.endpoints import Operation

Json = dict[str, object]
PNG = {"type": "base64", "media_type": "image/png", "data": "aaaa"}


def facts(body: Json, operation: Operation = Operation.CHAT, headers: tuple[tuple[str, str], ...] = ()) -> CallFacts:
    return CallFacts(operation, body, headers, lambda: 61)


def user(*parts: Json) -> Json:
    return {"messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        (Operation.CHAT, user({"type": "image_url", "image_url": {"url": "https://h/x.png"}}), True),
        (Operation.CHAT, user({"type": "text", "text": "an image"}), False),
        (Operation.MESSAGES, user({"type": "image", "source": PNG}), True),
        (
            Operation.MESSAGES,
            user({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": PNG}]}),
            True,
        ),
        (
            Operation.MESSAGES,
            user({"type": "tool_result", "tool_use_id": "t", "content": "none"}, {"type": "image", "source": PNG}),
            True,
        ),
        (
            Operation.RESPONSES,
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://h/x.png"}]}]},
            True,
        ),
        (Operation.RESPONSES, {"input": "image"}, False),
        (Operation.EMBEDDINGS, {"input": "image"}, False),
        (Operation.CHAT, {"messages": "nonsense"}, False),
    ],
)
def test_images_are_found_wherever_they_stand(operation: Operation, body: Json, expected: bool) -> None:
    assert facts(body, operation).has_images is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"tools": [{"type": "function"}]}, True),
        ({"functions": [{"name": "f"}]}, True),
        ({"tools": []}, False),
        ({"tools": None}, False),
        ({}, False),
    ],
)
def test_tools_count_when_at_least_one_is_offered(body: Json, expected: bool) -> None:
    assert facts(body).has_tools is expected


def test_a_prompt_is_estimated_by_the_stated_rule() -> None:
    assert facts(user({"type": "text", "text": "a" * 400})).tokens == 104
    words: Json = {"input": "a" * 400}
    assert facts(words, Operation.EMBEDDINGS).tokens == -(-len(json.dumps(words, separators=(",", ":"))) // 4)


def test_a_body_that_no_parser_takes_is_estimated_by_its_size() -> None:
    assert facts({"messages": "a" * 400}).tokens == 104
    assert facts({}, Operation.RERANK).tokens == 1


def test_session_headers_and_time() -> None:
    call = facts({"prompt_cache_key": "s1"}, headers=(("X-Team", "red"), ("x-team", "blue"), ("other", "x")))
    assert call.session == "s1"
    assert facts({}).session == ""
    assert call.header("x-team") == ["red", "blue"]
    assert call.header("gone") == []
    assert call.minute == 61


def test_the_clock_is_read_once_and_only_when_asked() -> None:
    asked: list[int] = []

    def minute() -> int:
        asked.append(len(asked))
        return 5

    call = CallFacts(Operation.CHAT, {}, (), minute)
    assert (call.has_tools, asked) == (False, [])
    assert (call.minute, call.minute, asked) == (5, 5, [0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["messages", "input", "prompt", "system", "tools", "metadata", "content", "role"])


# Whatever a client sends, its facts can be told: a condition never makes a call fail.
@given(st.dictionaries(KEYS, JSON, max_size=4), st.sampled_from(list(Operation)))
def test_any_body_has_facts(body: Json, operation: Operation) -> None:
    call = facts(body, operation)
    assert call.tokens >= 1
    assert isinstance(call.has_images, bool)
    assert isinstance(call.has_tools, bool)
    assert isinstance(call.session, str)
