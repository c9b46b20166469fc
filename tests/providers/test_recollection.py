"""What a client drops is there again for the provider that made it, and for nobody else."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.calls import ClientRequest, read_call
from providers.planning import plan_call
from providers.quirks import capabilities
from providers.recollection import Limits, Recollection, family
from providers.registry import Registry, load
from providers.wire.answer import Answer
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation, endpoint_of
from providers.wire.neutral import Request, Thinking
from providers.wire.translate import PARSERS, Translation
from tests.providers.wire import lookalikes_messages as m
from tests.providers.wire.calls import CHAT, CLAUDE, GPT, HI, MESSAGES, OPERATIONS, RESPONSES, asked, plain
from tests.providers.wire.playbook import answer_of, play
from tests.providers.wire.test_echo import CASES, history_of

ROUTER = capabilities("openrouter", "anthropic/claude-opus-4.5")
TARGETS: dict[Dialect, Capabilities] = {CHAT: ROUTER, MESSAGES: CLAUDE, RESPONSES: GPT}
RANDOM_ID = "toolu_01A09q90qw90lq917835lq9"
NEXT = {"role": "user", "content": "go on"}
CALLED = json.dumps({"city": "Tromsø", "days": 1.0})
# What a client that knows its dialect, and no extension of it, sends back.
CHAT_FIELDS = ("role", "content", "refusal", "tool_calls", "function_call", "annotations")
RESPONSES_ITEMS = ("message", "function_call", "custom_tool_call")
Recall = Callable[[Request], Request]


def plan(client: Dialect, provider: Dialect, *history: Any, recall: Recall | None = None, **more: Any) -> Translation:
    body, target = asked(client, HI, *history, **more), TARGETS[provider]
    return Translation.plan(client, OPERATIONS[client], provider, body, target, "m", id="x", created=1, recall=recall)


def bare(client: Dialect, history: list[Any]) -> list[Any]:
    """The history without all that the dialect's plain types do not have."""
    if client is CHAT:
        return [{name: message[name] for name in CHAT_FIELDS if name in message} for message in history]
    if client is RESPONSES:
        return [item for item in history if item["type"] in RESPONSES_ITEMS]
    blocks = [block for block in history[0]["content"] if block["type"] in ("text", "tool_use")]
    return [{**history[0], "content": blocks}] if blocks else []


def thought(id: str = RANDOM_ID, *, signature: str = "SIG", text: str = "I look.") -> bytes:
    """Signed reasoning, a text and a call."""
    call = m.tool(2, id, "get_weather", CALLED)
    return m.stream(m.thinking(0, "hm", signature=signature), m.text(1, text), call, stop="tool_use")


class Conversation:
    """A chat client before a provider of messages; it drops what chat does not know."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.memory = Recollection(limits) if limits else Recollection()

    def answer(
        self, stream: bytes, *before: Any, to: tuple[str, str] = ("anthropic", "claude-x"), now: float = 1, **more: Any
    ) -> Any:
        """Let the provider answer to what was said ``before``; the message as the client sends it back."""
        made = plan(CHAT, MESSAGES, *before, **more)
        self.memory.remember(*to, made, answer_of(play(made.reader(True), [stream])), now)
        return bare(CHAT, [plain(made, stream)["choices"][0]["message"]])[0]

    def recalled(
        self, *history: Any, to: tuple[str, str] = ("anthropic", "claude-x"), now: float = 2, **more: Any
    ) -> list[Thinking]:
        """The reasoning in the next request as the provider would get it."""
        request = PARSERS[Operation.CHAT](asked(CHAT, HI, *history, **more))
        turns = self.memory.recall(*to, request, now).turns
        return [part for turn in turns for part in turn.parts if isinstance(part, Thinking)]


@pytest.fixture(name="registry")
def fixture_registry(tmp_path: Path) -> Registry:
    (tmp_path / "registry.yaml").write_text(
        "providers: {claude: {kind: anthropic, base_url: 'http://127.0.0.1:9901', api_key: '${CLAUDE_KEY}'}}"
    )
    return load({"CLAUDE_KEY": "claude-key-0123456789"}, tmp_path, root=None)


SIGNED = [Thinking("hm", "SIG", format="anthropic-claude-v1")]


def result(message: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "snow"}


# Whatever the answer held, a client that drops it all and one that keeps it all lead to the same next request.
@pytest.mark.parametrize(("client", "provider", "stream"), CASES)
def test_a_client_that_drops_is_served_like_one_that_keeps(client: Dialect, provider: Dialect, stream: bytes) -> None:
    made = plan(client, provider)
    history = history_of(client, plain(made, stream))
    left = bare(client, history)
    if not left:
        return  # nothing to put anything back into
    memory = Recollection()
    memory.remember("p", "m", made, answer_of(play(made.reader(True), [stream])), 1)
    recall = partial(memory.recall, "p", "m", now=2)
    kept = plan(client, provider, *history, NEXT).body
    assert plan(client, provider, *left, NEXT, recall=recall).body == kept


def test_the_reasoning_is_back_before_the_call() -> None:
    chat = Conversation()
    said = chat.answer(thought())
    recall = partial(chat.memory.recall, "anthropic", "claude-x", now=2)
    body = json.loads(plan(CHAT, MESSAGES, said, result(said), recall=recall).body)
    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "SIG"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": RANDOM_ID, "name": "get_weather", "input": {"city": "Tromsø", "days": 1.0}},
    ]


def test_a_turn_of_words_alone_is_known_by_its_place() -> None:
    chat = Conversation()
    said = chat.answer(m.stream(m.thinking(0, "hm", signature="SIG"), m.text(1, "Hello.")))
    assert chat.recalled({**said, "content": " Hello.\n"}, NEXT) == SIGNED
    assert chat.recalled(NEXT, said, NEXT) == []
    assert chat.recalled({**said, "content": "Hello!"}, NEXT) == []


def test_each_turn_of_a_long_conversation_is_known() -> None:
    chat = Conversation()
    history: list[Any] = []
    for number in range(4):
        said = chat.answer(thought("call_0", signature=f"S{number}"), *history)
        history += [said, result(said)]
    assert [part.signature for part in chat.recalled(*history)] == ["S0", "S1", "S2", "S3"]


@pytest.mark.parametrize(
    ("id", "found"),
    [("call_0", []), ("functions.get_weather:0", []), (RANDOM_ID, SIGNED)],
    ids=["0", "named", "random"],
)
def test_only_a_random_id_finds_a_turn_elsewhere(id: str, found: list[Thinking]) -> None:
    """A history that was trimmed, or other instructions: a random id shows that it is the same turn all the same."""
    chat = Conversation()
    said = chat.answer(thought(id))
    assert chat.recalled(said, result(said)) == SIGNED
    assert chat.recalled(NEXT, said, result(said)) == found
    instructions = {"role": "system", "content": "Answer as a pirate."}
    assert chat.recalled(said, result(said), messages=[instructions, HI, said, result(said)]) == found


def test_other_content_under_the_same_id_gets_nothing() -> None:
    chat = Conversation()
    said = chat.answer(thought())
    call = said["tool_calls"][0]
    elsewhere = {**call, "function": {**call["function"], "arguments": '{"city": "Bergen", "days": 1}'}}
    for other in ({"tool_calls": [elsewhere]}, {"content": "I guess."}, {"tool_calls": [call, {**call, "id": "c2"}]}):
        assert chat.recalled({**said, **other}, result(said)) == []


def test_the_call_is_known_without_its_text_and_in_another_spelling() -> None:
    chat = Conversation()
    said = chat.answer(thought())
    call = said["tool_calls"][0]
    respelled = {**call, "function": {**call["function"], "arguments": '{"days":1,"city":"Troms\\u00f8"}'}}
    assert chat.recalled(NEXT, {**said, "content": None, "tool_calls": [respelled]}, result(said)) == SIGNED


@pytest.mark.parametrize(
    ("to", "found"),
    [
        (("anthropic", "claude-x-20260101"), SIGNED),
        (("anthropic", "Claude-X-latest"), SIGNED),
        (("anthropic", "claude-y"), []),
        (("bedrock", "claude-x"), []),
    ],
)
def test_only_the_same_provider_and_family_gets_it(to: tuple[str, str], found: list[Thinking]) -> None:
    chat = Conversation()
    said = chat.answer(thought())
    assert chat.recalled(said, result(said), to=to) == found


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("Claude-Opus-4-latest", "claude-opus-4"),
        ("gemini-3-pro", "gemini-3-pro"),
        ("llama3:8b", "llama3:8b"),
    ],
)
def test_the_family_of_a_model(model: str, name: str) -> None:
    assert family(model) == name


def test_what_the_client_kept_is_left_as_it_is() -> None:
    chat = Conversation()
    said = chat.answer(thought())
    own = {"type": "reasoning.text", "text": "edited", "signature": "S", "format": "anthropic-claude-v1"}
    assert chat.recalled({**said, "reasoning_details": [own]}, result(said)) == [
        Thinking("edited", "S", format="anthropic-claude-v1")
    ]
    assert chat.recalled({**said, "reasoning_content": "hm"}, result(said)) == SIGNED


def test_a_turn_that_loses_nothing_is_not_remembered() -> None:
    chat = Conversation()
    chat.answer(m.stream(m.text(0, "Hello.")))
    chat.answer(m.stream(m.tool(0, RANDOM_ID, "f", "{}"), stop="tool_use"))
    assert (len(chat.memory), chat.memory.size) == (0, 0)


def test_what_has_no_history_is_not_remembered() -> None:
    memory = Recollection()
    made = Translation.plan(CHAT, Operation.COMPLETIONS, MESSAGES, {"prompt": "a"}, CLAUDE, "m", id="x", created=1)
    memory.remember("p", "m", made, Answer(), 1)
    assert len(memory) == 0


def test_an_answer_that_comes_again_takes_the_place_of_the_first() -> None:
    chat = Conversation()
    said = chat.answer(thought())
    size = chat.memory.size
    chat.answer(thought(signature="NEW"))
    assert (len(chat.memory), chat.memory.size) == (1, size)
    assert chat.recalled(said, result(said)) == [replace(SIGNED[0], signature="NEW")]


def test_the_latest_turn_of_an_id_is_the_one_it_leads_to() -> None:
    chat = Conversation(Limits(turns=1))
    chat.answer(thought())
    said = chat.answer(thought(signature="NEW"), NEXT)
    assert [part.signature for part in chat.recalled(NEXT, NEXT, said, result(said))] == ["NEW"]


def test_what_was_not_used_for_longest_goes_first() -> None:
    chat = Conversation(Limits(turns=2))
    first = chat.answer(thought("call_1", text="one"), now=1)
    second = chat.answer(thought("call_2", text="two"), now=2)
    assert chat.recalled(first, result(first), now=3) == SIGNED
    third = chat.answer(thought("call_3", text="three"), now=4)
    found = [bool(chat.recalled(said, result(said), now=5)) for said in (first, second, third)]
    assert found == [True, False, True]


def test_what_is_old_is_forgotten() -> None:
    chat = Conversation(Limits(age=10))
    said = chat.answer(thought(), now=100)
    assert chat.recalled(said, result(said), now=110) == SIGNED
    assert chat.recalled(said, result(said), now=120) == SIGNED, "use keeps it alive"
    assert chat.recalled(said, result(said), now=131) == []
    assert (len(chat.memory), chat.memory.size) == (0, 0)


def test_what_is_larger_than_all_room_is_not_kept() -> None:
    chat = Conversation(Limits(size=1000))
    small = chat.answer(thought(signature="S"))
    chat.answer(thought(signature="S" * 1000, text="large"))
    assert chat.recalled(small, result(small)) != []


# Whatever is remembered and asked for, in whatever order, the memory stays within its limits and counts right.
@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300), st.integers(0, 8), st.booleans()), max_size=25),
    turns=st.integers(1, 4),
    size=st.integers(200, 2000),
)
@settings(max_examples=60, deadline=None)
def test_the_memory_is_bounded(steps: list[tuple[int, int, int, bool]], turns: int, size: int) -> None:
    chat, now = Conversation(Limits(turns=turns, size=size, age=20)), 0
    said: Any = None
    for number, long, later, answers in steps:
        now += later
        if answers or said is None:
            said = chat.answer(thought(f"call_{number}", signature="s" * long, text=f"{number}"), now=now)
        else:
            chat.recalled(said, result(said), now=now)
        assert len(chat.memory) <= turns
        assert chat.memory.size <= size
        assert (chat.memory.size == 0) == (len(chat.memory) == 0)
    chat.recalled(now=now + 21)
    assert (len(chat.memory), chat.memory.size) == (0, 0)


def test_the_plan_asks_for_what_was_dropped_in_the_name_of_its_target(registry: Registry) -> None:
    chat = Conversation()
    said = chat.answer(thought(), to=("claude", "opus"))
    for model, found in (("claude/opus-latest", True), ("claude/sonnet", False)):
        body = json.dumps({**asked(CHAT, HI, said, result(said)), "model": model}).encode()
        endpoint = endpoint_of("POST", "/v1/chat/completions")
        assert endpoint
        call = read_call(ClientRequest(endpoint, "", [], body), 10_000)
        target = plan_call(registry, (), call, id="pb-1", created=2, recollection=chat.memory).plan.first
        assert (b"SIG" in target.body) is found
        target = plan_call(registry, (), call, id="pb-1", created=2).plan.first
        assert b"SIG" not in target.body
