"""Each row says what its call cost and whose word that is, or that nobody knows; never 0 for what is unknown."""

import json
from collections.abc import Iterator, Sequence

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, streamed
from tests.fake_dialects import (
    WORDS,
    Json,
    chat_body,
    chat_events,
    chat_usage,
    error_body,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_steps import Chunk, Close, Head
from tests.fake_upstream import Answer
from tests.rig_client import exchange, open_stream, query, receive_until
from tests.rig_gateway import Behind, Gateway, ask, run_gateway

REGISTRY = """\
  one: {{kind: compatible, base_url: {external}/one/v1, dialects: [messages], price: {{input: 1, output: 2}}}}
  two:
    kind: compatible
    base_url: {external}/two/v1
    price: {{input: 10, output: 20, cache_read: 5}}
    quirks: {{accepts_prefill: true}}
  pool:
    kind: compatible
    endpoints: [{{base_url: "http://127.0.0.1:{refused}/v1"}}, {{base_url: "{external}/pool/v1"}}]
    price: {{input: 1, output: 2}}
  home: {{kind: llamacpp, base_url: {external}/home, price: free}}
models:
  dear: {{target: groq/some-model, price: {{input: 100, output: 200, cache_read: 50}}}}
  bargain: {{target: anthropic/claude-sonnet-4-5, price: {{input: 2, output: 3}}}}
  rescued: {{targets: [one/m, two/m], rescue: prefill}}
"""
# Each answer says 11 tokens in, 4 of them cached, and 6 out.
GPT_5 = (7 * 1.25 + 4 * 0.125 + 6 * 10) / 1e6
SONNET = (7 * 3 + 4 * 0.3 + 6 * 15) / 1e6
DEAR = (7 * 100 + 4 * 50 + 6 * 200) / 1e6
TIMINGS = {"prompt_n": 7, "prompt_ms": 12.5, "predicted_n": 6, "predicted_ms": 40.25, "cache_n": 4}


@pytest.fixture(name="running", scope="module")
def fixture_running(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("costs")
    more = REGISTRY.format(external=all_upstreams.external.url, refused=all_upstreams.refused)
    registry = all_upstreams.registry().replace("models:\n", more, 1)
    with run_gateway("serve", all_upstreams, folder, registry=registry, env={"PATCHBAY_ATTEMPTS": "3"}) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


def row_of(gateway: Gateway, dialect: str, model: str, *, stream: bool = False) -> Json:
    answer = gateway.post(*ask(dialect, model, stream=stream))
    exchange_id = answer.get("x-patchbay-id")
    assert exchange_id
    return exchange(gateway.database, exchange_id)


def attempts_of(gateway: Gateway, row: Json) -> list[Json]:
    return query(gateway.database, "select * from attempts where exchange_id = ? order by rowid", row["id"])


def said(row: Json) -> tuple[float | None, str]:
    return (row["cost"], row["price_source"] or "")


def about(cost: float, source: str) -> tuple[object, str]:
    return (pytest.approx(cost), source)


KNOWN = [
    ("openai/gpt-5", "chat", GPT_5, "genai-prices"),
    ("openai/gpt-5", "responses", GPT_5, "genai-prices"),
    ("openai/gpt-5", "messages", GPT_5, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", "messages", SONNET, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", "chat", SONNET, "genai-prices"),
    ("openrouter/openai/gpt-5", "chat", GPT_5, "genai-prices"),
    ("dear", "chat", DEAR, "registry"),
    ("dear", "messages", DEAR, "registry"),
    ("bargain", "messages", (11 * 2 + 6 * 3) / 1e6, "registry"),
    ("two/m", "chat", (7 * 10 + 4 * 5 + 6 * 20) / 1e6, "registry"),
    ("home/llama", "chat", 0.0, "registry"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("model", "dialect", "cost", "source"), KNOWN)
def test_a_call_whose_price_is_known(
    gateway: Gateway, model: str, dialect: str, cost: float, source: str, stream: bool
) -> None:
    row = row_of(gateway, dialect, model, stream=stream)
    assert row["outcome"] == "ok"
    assert said(row) == about(cost, source)
    (attempt,) = attempts_of(gateway, row)
    assert said(attempt) == said(row)
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    assert [attempt[name] for name in tokens] == [row[name] for name in tokens]
    assert attempt["endpoint"] is None


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", ["openai/my-own-model", "groq/some-model", "local/fake-model", "demo"])
def test_a_call_whose_price_nobody_knows(gateway: Gateway, model: str, stream: bool) -> None:
    row = row_of(gateway, "chat", model, stream=stream)
    assert row["outcome"] == "ok"
    assert said(row) == (None, "")


def with_usage(events: list[bytes], told: str, more: Json) -> list[bytes]:
    """The same events with more in each usage object that says ``told``."""
    added = told.encode() + json.dumps(more, separators=(",", ":"))[1:-1].encode() + b","
    return [event.replace(told.encode(), added) for event in events]


OWN = {"cost": 0.0123, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.01}}
CHAT_USAGE = '"usage":{'
OPENROUTER: list[tuple[str, bool, str, Answer]] = [
    ("chat", False, "/chat/completions", json_answer({**chat_body(), "usage": {**chat_usage(WORDS), **OWN}})),
    ("chat", True, "/chat/completions", streamed(with_usage(chat_events(), CHAT_USAGE, OWN))),
    (
        "responses",
        False,
        "/responses",
        json_answer({**responses_body(), "usage": {**responses_body()["usage"], **OWN}}),
    ),
    ("responses", True, "/responses", streamed(with_usage(responses_events(), CHAT_USAGE, OWN))),
    ("messages", False, "/messages", json_answer({**messages_body(), "usage": {**messages_body()["usage"], **OWN}})),
    ("messages", True, "/messages", streamed(with_usage(messages_events(), CHAT_USAGE, OWN))),
]


@pytest.mark.parametrize(("dialect", "stream", "path", "script"), OPENROUTER)
def test_openrouters_own_figure_counts_first(
    gateway: Gateway, dialect: str, stream: bool, path: str, script: Answer
) -> None:
    gateway.external.on(f"/openrouter/api/v1{path}", script)
    row = row_of(gateway, dialect, "openrouter/openai/gpt-5", stream=stream)
    assert said(row) == (0.0123, "provider")


# What stands in the usage object → dollars by hand, None for unknown.
ANTHROPIC_USAGE: list[tuple[Json, float | None]] = [
    ({"cache_creation_input_tokens": 1000}, SONNET + 1000 * 3.75 / 1e6),
    (
        {
            "cache_creation_input_tokens": 1000,
            "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600},
        },
        SONNET + (400 * 3.75 + 600 * 6) / 1e6,
    ),
    ({"output_tokens_details": {"thinking_tokens": 5}}, SONNET),
    ({"server_tool_use": {"web_search_requests": 2}}, SONNET + 0.02),
    ({"input_tokens": 300_000, "cache_read_input_tokens": 0}, (300_000 * 6 + 6 * 22.5) / 1e6),
    ({"service_tier": "priority"}, None),
]


@pytest.mark.parametrize(("usage", "cost"), ANTHROPIC_USAGE)
def test_what_is_priced_apart(gateway: Gateway, usage: Json, cost: float | None) -> None:
    body = messages_body()
    gateway.external.on("/anthropic/v1/messages", json_answer({**body, "usage": {**body["usage"], **usage}}))
    row = row_of(gateway, "messages", "anthropic/claude-sonnet-4-5")
    assert said(row) == ((None, "") if cost is None else about(cost, "genai-prices"))


@pytest.mark.parametrize(("tier", "cost"), [("default", GPT_5), ("flex", GPT_5 / 2), ("scale", None)])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_the_tier_that_served_it(gateway: Gateway, tier: str, cost: float | None, stream: bool) -> None:
    events = [event.replace(b'"object"', b'"service_tier":"%s","object"' % tier.encode()) for event in chat_events()]
    body = {**chat_body(), "service_tier": tier}
    gateway.external.on("/openai/v1/chat/completions", streamed(events) if stream else json_answer(body))
    row = row_of(gateway, "chat", "openai/gpt-5", stream=stream)
    assert said(row) == ((None, "") if cost is None else about(cost, "genai-prices"))


def cut(events: Sequence[bytes]) -> Answer:
    return (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events), Close())


def test_a_cut_call_costs_what_was_told_before(gateway: Gateway) -> None:
    gateway.external.on("/one/v1/messages", cut(messages_events()[:4]))
    row = row_of(gateway, "messages", "one/m", stream=True)
    assert row["outcome"] == "upstream_truncated"
    assert said(row) == about((11 * 1 + 1 * 2) / 1e6, "registry")


def test_a_cut_call_of_which_nothing_was_told_has_no_cost(gateway: Gateway) -> None:
    gateway.external.on("/two/v1/chat/completions", cut(chat_events()[:4]))
    row = row_of(gateway, "chat", "two/m", stream=True)
    assert row["outcome"] == "upstream_truncated"
    assert said(row) == (None, "")


def test_a_client_that_hangs_up_pays_for_what_was_told(gateway: Gateway) -> None:
    events = messages_events()
    gateway.external.on("/one/v1/messages", (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events[:4])))
    with open_stream(gateway.port, *ask("messages", "one/m", stream=True)) as client:
        head = receive_until(client, b"text_delta")
    exchange_id = head.partition(b"x-patchbay-id: ")[2].partition(b"\r\n")[0].decode()
    row = exchange(gateway.database, exchange_id)
    assert row["outcome"] == "client_disconnected"
    assert said(row) == about((11 * 1 + 1 * 2) / 1e6, "registry")


@pytest.mark.parametrize("model", ["two/m", "nobody-knows/../this"])
def test_a_call_that_reached_no_model_has_no_cost(gateway: Gateway, model: str) -> None:
    for place in (gateway.local, gateway.external):
        for path in ("/two/v1/chat/completions", "/v1/chat/completions"):
            place.on(path, json_answer(error_body("no"), 400))
    row = row_of(gateway, "chat", model)
    assert row["outcome"] != "ok"
    assert said(row) == (None, "")


def test_a_rescued_call_costs_both_tries(gateway: Gateway) -> None:
    gateway.external.on("/one/v1/messages", cut(messages_events()[:6]))
    row = row_of(gateway, "messages", "rescued", stream=True)
    first, second = attempts_of(gateway, row)
    assert (row["outcome"], row["rescued"]) == ("ok", 1)
    assert said(first) == about((first["input_tokens"] * 1 + first["output_tokens"] * 2) / 1e6, "registry")
    assert said(second) == about((7 * 10 + 4 * 5 + 6 * 20) / 1e6, "registry")
    assert said(row) == about(first["cost"] + second["cost"], "registry")
    for name in ("input_tokens", "output_tokens"):
        assert row[name] == first[name] + second[name]


def test_each_try_says_which_server_it_asked(gateway: Gateway) -> None:
    rows = [row_of(gateway, "chat", "pool/m") for _ in range(2)]  # by turns: one of them begins with the dead one
    asked = [[attempt["endpoint"] for attempt in attempts_of(gateway, row)] for row in rows]
    assert [1, 2] in asked
    assert all(places[-1] == 2 for places in asked)
    assert all(said(row) == about((11 * 1 + 6 * 2) / 1e6, "registry") for row in rows)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_how_long_llama_server_took(gateway: Gateway, stream: bool) -> None:
    events = [
        event.replace(b'"usage"', b'"timings":%s,"usage"' % json.dumps(TIMINGS).encode()) for event in chat_events()
    ]
    body = {**chat_body(), "timings": TIMINGS}
    gateway.local.on("/v1/chat/completions", streamed(events) if stream else json_answer(body))
    row = row_of(gateway, "chat", "local/fake-model", stream=stream)
    assert (row["prompt_us"], row["decode_us"], row["cache_read_tokens"]) == (12_500, 40_250, 4)
    assert said(row) == (None, "")


def test_llama_servers_measure_counts_where_it_counts_nothing_else(gateway: Gateway) -> None:
    body = {**chat_body(), "timings": TIMINGS}
    del body["usage"]
    gateway.local.on("/v1/chat/completions", json_answer(body))
    row = row_of(gateway, "chat", "local/fake-model")
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (11, 6, 4)
    assert row["usage_source"] == "timings"
