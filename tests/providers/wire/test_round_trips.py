"""There and back: what goes through another dialect and returns is what it was, but for what the matrix names.

Requests and answers of messages through chat and responses; then, for every pair of dialects, answers that hypothesis
makes: crumbs of arguments, calls that interleave, text cut within a character.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.quirks import capabilities
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from tests.providers.wire import lookalikes_chat as c
from tests.providers.wire import lookalikes_messages as m
from tests.providers.wire.calls import CHAT, CLAUDE, MESSAGES, RESPONSES, answered, asked, plan, sent
from tests.providers.wire.chat.chunks import call, chunk
from tests.providers.wire.messages import blocks_play as a
from tests.providers.wire.playbook import cut, named, sse
from tests.providers.wire.sdk_readings import READ, as_told_in, read_messages, same_usage

ROUTER = capabilities("openrouter", "anthropic/claude-opus-4.5")
OPENAI = replace(capabilities("openai", "gpt-4.1"), effort=("low", "medium", "high"), cache_marks="openai")
THROUGH: dict[Dialect, Capabilities] = {CHAT: ROUTER, RESPONSES: OPENAI}
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def use(id_: str, name: str = "f", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def answer(id_: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": list(parts)}


REQUEST: dict[str, Any] = {
    "model": "m",
    "max_tokens": 4000,
    "temperature": 0.5,
    "stream": True,
    "metadata": {"user_id": "u"},
    "system": [text("You are terse."), text("You are kind.")],
    "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}, {"name": "g", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "messages": [
        {
            "role": "user",
            "content": [
                text("Žluť 🐎"),
                {"type": "image", "source": PNG},
                {"type": "document", "source": PDF, "title": "a.pdf"},
            ],
        },
        {"role": "assistant", "content": [text("Let me."), use("toolu_1", x=1), use("toolu_2", "g", x=[{"ž": None}])]},
        {"role": "user", "content": [answer("toolu_1", text("one")), answer("toolu_2", text("two")), text("And?")]},
        {"role": "assistant", "content": [text("Done.")]},
        {"role": "user", "content": [text("Thanks")]},
    ],
}


def there_and_back(body: dict[str, Any], through: Dialect) -> Any:
    """A Messages request as another dialect's provider is sent it, sent on to a Claude by that other client."""
    return sent(through, MESSAGES, sent(MESSAGES, through, body, THROUGH[through]), CLAUDE)


@pytest.mark.parametrize("through", [CHAT, RESPONSES])
def test_a_request_comes_back(through: Dialect) -> None:
    back = there_and_back(REQUEST, through)
    expected = {**REQUEST, "model": "told"}
    assert {key: back.get(key) for key in expected} == expected
    assert set(back) - set(expected) <= {"thinking", "output_config"}


NAMES = st.sampled_from(["f", "g"])
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(str.strip)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A conversation in which every call is answered; text stands before calls, as chat has it."""
    said: list[dict[str, Any]] = [{"role": "user", "content": [text(draw(TEXTS))]}]
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        calls = [
            use(f"toolu_{(number := number + 1)}", draw(NAMES), **draw(OBJECTS)) for _ in range(draw(st.integers(0, 3)))
        ]
        before = [text(draw(TEXTS))] if not calls or draw(st.booleans()) else []
        said.append({"role": "assistant", "content": [*before, *calls]})
        results = [answer(one["id"], text(draw(TEXTS))) for one in calls]
        after = [text(draw(TEXTS))] if not results or draw(st.booleans()) else []
        said.append({"role": "user", "content": [*results, *after]})
    return said


# Whatever was said and called in a conversation is what a Claude gets after a detour through another dialect.
@pytest.mark.parametrize("through", [CHAT, RESPONSES])
@given(said=turns())
@settings(max_examples=30, deadline=None)
def test_any_conversation_comes_back(through: Dialect, said: list[dict[str, Any]]) -> None:
    back = there_and_back(asked(MESSAGES, *said, tools=REQUEST["tools"]), through)
    assert back["messages"] == said


# An answer that goes from a Claude through another dialect's client back to a Messages client is the same answer.
@pytest.mark.parametrize("through", [CHAT, RESPONSES])
@pytest.mark.parametrize("name", m.STREAMS)
def test_an_answer_comes_back(through: Dialect, name: str) -> None:
    original = read_messages(m.STREAMS[name])
    usage = {"stream_options": {"include_usage": True}} if through is CHAT else {}
    between = answered(plan(through, MESSAGES, asked(through, stream=True, **usage)), m.STREAMS[name])
    back = read_messages(answered(plan(MESSAGES, through, asked(MESSAGES)), between))
    expected = as_told_in(MESSAGES, as_told_in(through, original))
    assert same_usage(back.usage, original.usage)
    assert (back.text, back.calls, back.reasoning) == (
        expected.text,
        expected.calls,
        expected.reasoning,
    )
    assert back.finish in (expected.finish, original.finish)


def crumbs(whole: str, places: Sequence[int]) -> list[str]:
    """A text in pieces, cut between UTF-16 units: also within a character outside the basic plane."""
    units = whole.encode("utf-16-le")
    points = sorted({0, len(units), *(place % (len(units) // 2 + 1) * 2 for place in places)})
    return [units[start:end].decode("utf-16-le", "surrogatepass") for start, end in pairwise(points)]


PLACES = st.lists(st.integers(0, 200), max_size=12)
CALLS = st.lists(st.tuples(NAMES, OBJECTS, PLACES), min_size=1, max_size=4)
CLIENTS = [MESSAGES, RESPONSES]


# However arguments are cut and however calls interleave, each call gets its own arguments, whole and in order.
@pytest.mark.parametrize("client", CLIENTS)
@given(calls=CALLS, order=st.randoms(use_true_random=False), ascii_=st.booleans())
@settings(max_examples=30, deadline=None)
def test_crumbs_and_interleavings(client: Dialect, calls: list[Any], order: Any, ascii_: bool) -> None:
    ascii_ = ascii_ or client is MESSAGES  # see the next test
    queues = [
        [c.function(at, f"call_{at}", name)]
        + [call(at, arguments=crumb) for crumb in crumbs(json.dumps(value, ensure_ascii=ascii_), places)]
        for at, (name, value, places) in enumerate(calls)
    ]
    fragments = []
    while any(queues):
        fragments.append(order.choice([queue for queue in queues if queue]).pop(0))
    stream = sse(*(chunk({"tool_calls": [one]}) for one in fragments), chunk(finish="tool_calls"), done=True)
    seen = READ[client](answered(plan(client, CHAT, asked(client)), stream))
    by_id = {id_: (name, value) for id_, name, value in seen.calls}
    assert by_id == {f"call_{at}": (name, value) for at, (name, value, _) in enumerate(calls)}
    assert seen.finish == "tool_calls"


@pytest.mark.parametrize("client", [MESSAGES, RESPONSES])
def test_arguments_cut_within_a_character(client: Dialect) -> None:
    fragments = [c.function(0, "call_1", "f"), call(0, arguments='{"x": "\ud83d'), call(0, arguments='\ude00"}')]
    stream = sse(*(chunk({"tool_calls": [one]}) for one in fragments), chunk(finish="tool_calls"), done=True)
    seen = READ[client](answered(plan(client, CHAT, asked(client)), stream))
    assert seen.calls == (("call_1", "f", {"x": "😀"}),)


def _chat_answer(thoughts: list[str], texts: list[str]) -> bytes:
    thinking = [chunk({"reasoning_content": piece}) for piece in thoughts]
    return sse(*thinking, *(chunk({"content": piece}) for piece in texts), chunk(finish="stop"), done=True)


def _messages_answer(thoughts: list[str], texts: list[str]) -> bytes:
    thinking = [a.delta(0, "thinking_delta", thinking=piece) for piece in thoughts]
    written = [a.delta(1, "text_delta", text=piece) for piece in texts]
    first = [a.start(0, type="thinking", thinking="", signature=""), *thinking, a.stop(0)]
    second = [a.start(1, type="text", text=""), *written, a.stop(1)]
    return named(a.message_start(), *first, *second, a.message_delta(), a.STOP)


# Text that is cut anywhere, within a character too, and comes in bytes that are cut anywhere, is the same text.
@pytest.mark.parametrize("client", Dialect)
@given(said=st.text(min_size=1, max_size=30), thought=st.text(max_size=20), places=PLACES, cuts=PLACES)
@settings(max_examples=30, deadline=None)
def test_text_in_any_pieces(client: Dialect, said: str, thought: str, places: list[int], cuts: list[int]) -> None:
    provider = CHAT if client is MESSAGES else MESSAGES
    stream = (_chat_answer if provider is CHAT else _messages_answer)(crumbs(thought, places), crumbs(said, places))
    translation = plan(client, provider, asked(client))
    reader, writer = translation.reader(True), translation.writer(True)
    events = [event for piece in cut(stream, cuts) for event in reader.feed(piece)] + reader.close()
    seen = READ[client](b"".join([*map(writer.write, events), writer.close()]))
    assert (seen.text, seen.reasoning) == (said, thought)
