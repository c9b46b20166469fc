"""A provider that does not speak the client's dialect: the official SDKs get its answer piece by piece all the same."""

import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from tests.fake_answers import CHUNKED, SSE, gated, json_answer, streamed
from tests.fake_dialects import (
    INPUT_TOKENS,
    WORDS,
    Tool,
    chat_body,
    chat_events,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_steps import Chunk, Head, Stall, WaitFor
from tests.rig_client import Json, exchange, open_stream, receive_until
from tests.rig_gateway import CLIENT_SECRET, KEYS, WAYS, Behind, Gateway, ask
from tests.rig_translation import (
    PAIRS,
    Call,
    Said,
    assert_valid_request,
    run_translating,
    say,
    say_async,
    upstream_path,
)

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
BODIES = {"chat": chat_body, "messages": messages_body, "responses": responses_body}
SAID = "".join(WORDS)
USED = (INPUT_TOKENS, 4, len(WORDS))
# What each client is told at the end of an answer, and of one that calls tools.
FINISH = {
    "chat": ("stop", "tool_calls"),
    "messages": ("end_turn", "tool_use"),
    "responses": ("completed", "completed"),
}
TOOLS: list[Tool] = [
    ("get_weather", {"city": "Tromsø", "days": 3}),
    ("get_weather", {}),
    ("get_time", {"zone": "日本 \U0001f600"}),
]
IDS = {"chat": "call_{}", "messages": "toolu_{}", "responses": "call_{}"}
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
EVERY_PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_translating(str(request.param), all_upstreams, tmp_path_factory.mktemp("translating")) as gateway:
        yield gateway


def expected(client: str, provider: str, *, tools: bool = False) -> Said:
    calls = [Call(IDS[provider].format(number), *tool) for number, tool in enumerate(TOOLS)] if tools else []
    return Said(SAID, "", tuple(calls), FINISH[client][tools], USED)


def offer_tools(gateway: Gateway, provider: str, *, stream: bool) -> None:
    """Let the provider answer with text and three calls, the second one without arguments."""
    script = streamed(EVENTS[provider](tools=TOOLS)) if stream else json_answer(BODIES[provider](tools=TOOLS))
    gateway.external.on(upstream_path(provider), script)


@STREAMED
@EVERY_PAIR
def test_the_sdk_gets_the_answer(gateway: Gateway, client: str, provider: str, stream: bool) -> None:
    assert say(gateway.url, client, f"only-{provider}/m", stream=stream) == expected(client, provider)


@STREAMED
@EVERY_PAIR
def test_the_sdk_gets_the_tool_calls(gateway: Gateway, client: str, provider: str, stream: bool) -> None:
    offer_tools(gateway, provider, stream=stream)
    assert say(gateway.url, client, f"only-{provider}/m", stream=stream) == expected(client, provider, tools=True)


@STREAMED
@EVERY_PAIR
@pytest.mark.anyio
async def test_the_asynchronous_sdk_gets_the_same(gateway: Gateway, client: str, provider: str, stream: bool) -> None:
    offer_tools(gateway, provider, stream=stream)
    said = await say_async(gateway.url, client, f"only-{provider}/m", stream=stream)
    assert said == expected(client, provider, tools=True)


@STREAMED
@EVERY_PAIR
def test_a_provider_that_answers_in_the_other_manner(
    gateway: Gateway, client: str, provider: str, stream: bool
) -> None:
    """Asked to stream it sends JSON, or the reverse: the client gets what it asked for."""
    offer_tools(gateway, provider, stream=not stream)
    assert say(gateway.url, client, f"only-{provider}/m", stream=stream) == expected(client, provider, tools=True)


@EVERY_PAIR
def test_each_word_reaches_the_client_before_the_next_is_sent(gateway: Gateway, client: str, provider: str) -> None:
    events = EVENTS[provider]()
    first = next(number for number, event in enumerate(events) if b'"Patchbay"' in event)
    pieces = [b"".join(events[: first + 1]), *events[first + 1 :]]
    gates = [WaitFor() for _ in pieces[1:]]
    gateway.external.on(upstream_path(provider), gated(pieces, gates))
    with open_stream(gateway.port, *ask(client, f"only-{provider}/m", stream=True)) as connected:
        for word, gate in zip(WORDS, gates, strict=False):
            receive_until(connected, word.encode())
            gate.gate.open()
        for gate in gates:
            gate.gate.open()
        receive_until(connected, b"0\r\n\r\n")


@EVERY_PAIR
def test_hanging_up_ends_the_providers_work(gateway: Gateway, client: str, provider: str) -> None:
    begun = [Chunk(event) for event in EVENTS[provider]()[:6]]
    gateway.external.on(upstream_path(provider), (Head(200, (*SSE, *CHUNKED)), *begun, Stall()))
    with open_stream(gateway.port, *ask(client, f"only-{provider}/m", stream=True)) as connected:
        receive_until(connected, WORDS[0].encode())
        left_at = time.monotonic()
    connection = gateway.behind.posts()[0].connection
    assert connection.closed.wait(1.0), "the provider goes on working for nobody"
    assert connection.closed_at is not None
    assert connection.closed_at - left_at < 1.0


@STREAMED
@EVERY_PAIR
def test_the_row_tells_it_as_the_client_asked_it(gateway: Gateway, client: str, provider: str, stream: bool) -> None:
    offer_tools(gateway, provider, stream=stream)
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream))
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    want = {
        "provider": f"only-{provider}",
        "dialect": client,
        "operation": client,
        "requested_model": f"only-{provider}/m",
        "model": "m",
        "stream": int(stream),
        "status": 200,
        "outcome": "ok",
        "finish_reason": "tool_calls",
        "input_tokens": INPUT_TOKENS,
        "cache_read_tokens": 4,
        "output_tokens": len(WORDS),
        "usage_source": "upstream",
        "bytes_out": len(answer.body),
    }
    assert {name: row[name] for name in want} == want


# ------------------------------------------------------------------------------------------------ what is sent upstream

SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
# The same conversation in each dialect: instructions, a question, a call with words, its result, another question.
CONVERSATIONS: dict[str, Json] = {
    "chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather in Tromsø?"}]},
            {
                "role": "assistant",
                "content": "I look it up.",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Tromsø"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "snow"},
            {"role": "user", "content": "And tomorrow?"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}],
    },
    "messages": {
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Weather in Tromsø?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look it up."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Tromsø"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "snow"},
                    {"type": "text", "text": "And tomorrow?"},
                ],
            },
        ],
        "tools": [{"name": "weather", "input_schema": SCHEMA}],
    },
    "responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Weather in Tromsø?"},
            {"role": "assistant", "content": "I look it up."},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Tromsø"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "snow"},
            {"role": "user", "content": "And tomorrow?"},
        ],
        "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}],
    },
}


@EVERY_PAIR
def test_the_provider_is_sent_a_request_of_its_own_dialect(gateway: Gateway, client: str, provider: str) -> None:
    path, _ = ask(client, "")
    credentials = (("authorization", f"Bearer {CLIENT_SECRET}"), ("x-api-key", CLIENT_SECRET), ("anthropic-beta", "b"))
    answer = gateway.post(path, {"model": f"only-{provider}/m", **CONVERSATIONS[client]}, credentials)
    assert answer.status == 200
    (request,) = gateway.behind.posts()
    assert request.path == upstream_path(provider)
    sent = json.loads(request.body)
    assert_valid_request(provider, sent)
    assert sent["model"] == "m"
    told = json.dumps(sent, ensure_ascii=False)
    for words in ("Be brief.", "Weather in Tromsø?", "I look it up.", "weather", "snow", "And tomorrow?"):
        assert words in told
    places = [told.index(words) for words in ("Weather in", "I look it up.", "snow", "And tomorrow?")]
    assert places == sorted(places)
    assert CLIENT_SECRET not in repr((request.head, request.body))
    assert KEYS["GROQ_API_KEY"] in repr(request.head)
    assert (request.get("anthropic-version"), request.get("anthropic-beta")) == (
        ("2023-06-01", "b") if provider == "messages" else (None, None)
    )


@STREAMED
@pytest.mark.parametrize(
    ("client", "model", "path"),
    [
        ("chat", "claude-9", "/anthropic/v1/messages"),
        ("responses", "claude-9", "/anthropic/v1/messages"),
        ("messages", "gpt-9", "/openai/v1/chat/completions"),
    ],
)
def test_the_official_kinds_are_translated_to(
    gateway: Gateway, client: str, model: str, path: str, stream: bool
) -> None:
    said = say(gateway.url, client, f"{'openai' if model == 'gpt-9' else 'anthropic'}/{model}", stream=stream)
    assert (said.text, said.finish, said.usage) == (SAID, FINISH[client][0], USED)
    (request,) = gateway.behind.posts()
    assert request.path == path
    assert (request.get("anthropic-version") is not None) == path.endswith("/messages")


def test_many_translated_streams_at_once_do_not_mix(gateway: Gateway) -> None:
    words = {provider: [f"{provider} {number}," for number in range(30)] for provider in EVENTS}
    for provider in EVENTS:
        gateway.external.on(upstream_path(provider), streamed(EVENTS[provider](words[provider]), gap=0.005))
    with contextlib.ExitStack() as stack:
        streams = [
            (provider, stack.enter_context(open_stream(gateway.port, *ask(client, f"only-{provider}/m", stream=True))))
            for client, provider in PAIRS * 2
        ]
        for provider, connected in streams:
            body = receive_until(connected, b"0\r\n\r\n").decode()
            places = [body.index(json.dumps(word)) for word in words[provider]]
            assert places == sorted(places)
