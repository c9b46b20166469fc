"""Every call leaves a row that says who answered, what it took and how it ended, however it ended."""

import json
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.fake_answers import CHUNKED, SSE, echo_credentials, json_answer, streamed
from tests.fake_dialects import WORDS, chat_body, chat_events, error_body, messages_events, responses_events
from tests.fake_steps import Chunk, Close, Head, LastChunk, Stall
from tests.fake_upstream import Answer
from tests.rig import run_command
from tests.rig_client import Json, exchange, finished, open_stream, query, receive_until
from tests.rig_gateway import CLIENT_SECRET, DIALECTS, KEYS, WAYS, Behind, Gateway, ask, run_gateway

SAID = "".join(WORDS)
HEAD = Head(200, (*SSE, *CHUNKED))
MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
PROVIDERS = {"chat": "openai", "messages": "anthropic", "responses": "openai"}
FINISH = {"chat": "stop", "messages": "stop", "responses": "stop"}
SUFFIX = {"chat": "/chat/completions", "messages": "/messages", "responses": "/responses"}
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}


def row_of(gateway: Gateway, exchange_id: str | None) -> Json:
    assert exchange_id
    return exchange(gateway.database, exchange_id)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_call_that_succeeds(gateway: Gateway, dialect: str, stream: bool) -> None:
    gateway.external.on("/openai/v1/chat/completions", streamed(chat_events()) if stream else json_answer(chat_body()))
    path, body = ask(dialect, MODELS[dialect], stream=stream)
    answer = gateway.post(path, body, (("x-request-id", "from-the-client"), ("user-agent", "tests/1")))
    row = row_of(gateway, answer.get("x-patchbay-id"))
    expected = {
        "provider": PROVIDERS[dialect],
        "kind": PROVIDERS[dialect],
        "dialect": dialect,
        "operation": dialect,
        "requested_model": MODELS[dialect],
        "model": MODELS[dialect],
        "stream": int(stream),
        "status": 200,
        "outcome": "ok",
        "who_ended": "upstream",
        "error": None,
        "input_tokens": 11,
        "output_tokens": len(WORDS),
        "cache_read_tokens": 4,
        "usage_source": "upstream",
        "bytes_in": len(json.dumps(body)),
        "bytes_out": len(answer.body),
        "finish_reason": FINISH[dialect],
    }
    assert {name: row[name] for name in expected} == expected
    assert 0 <= row["connect_us"] <= row["ttfb_us"] <= row["ttft_us"] <= row["duration_us"] < 5_000_000
    assert abs(row["started_at"] - time.time()) < 10
    attempts = query(gateway.database, "select * from attempts where exchange_id = ?", row["id"])
    assert [(a["provider"], a["model"], a["status"], a["outcome"], a["stale"]) for a in attempts] == [
        (PROVIDERS[dialect], MODELS[dialect], 200, "ok", 0)
    ]


def test_an_alias_keeps_both_names(gateway: Gateway) -> None:
    row = row_of(gateway, gateway.post(*ask("chat", "smart")).get("x-patchbay-id"))
    assert (row["requested_model"], row["model"]) == ("smart", "anthropic/claude-opus-4.8")
    row = row_of(gateway, gateway.post(*ask("chat", "")).get("x-patchbay-id"))
    assert (row["requested_model"], row["provider"], row["kind"]) == ("", "local", "llamacpp")


EVENT = chat_events()
# what the upstream does → (streamed, outcome, who ended it, status)
ENDINGS: dict[str, tuple[Answer, bool, str, str, int]] = {
    "closes without a word": ((Close(),), False, "upstream_reset", "upstream", 502),
    "never answers": ((Stall(),), False, "upstream_timeout_first_byte", "upstream", 504),
    "refuses the key": (echo_credentials, False, "upstream_http_error", "upstream", 502),
    "reports an error": (json_answer(error_body("bad"), 400), False, "upstream_http_error", "upstream", 400),
    "is truncated": ((HEAD, *map(Chunk, EVENT[:4]), Close()), True, "upstream_truncated", "upstream", 200),
    "ends too early": ((HEAD, *map(Chunk, EVENT[:4]), LastChunk()), True, "upstream_truncated", "upstream", 200),
    "stalls": ((HEAD, *map(Chunk, EVENT[:4]), Stall()), True, "upstream_timeout_idle", "upstream", 200),
    "is cut short": (
        (Head(200, (("content-type", "application/json"), ("content-length", "99"))), Chunk(b"{"), Close()),
        False, "upstream_truncated", "upstream", 502,
    ),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_call_whose_upstream(gateway: Gateway, ending: str) -> None:
    script, stream, outcome, who, status = ENDINGS[ending]
    gateway.external.on("/hasty/v1/chat/completions", script)
    answer = gateway.post(*ask("chat", "hasty/m", stream=stream))
    row = row_of(gateway, answer.get("x-patchbay-id"))
    assert (row["outcome"], row["who_ended"], row["status"], row["provider"]) == (outcome, who, status, "hasty")
    assert row["error"]
    assert not [value for value in KEYS.values() if value in repr(row)]
    assert row["duration_us"] > 0
    if status == 200:
        assert row["ttft_us"] is not None


@pytest.mark.parametrize(
    ("model", "outcome"), [("refused/m", "upstream_refused"), ("hole/m", "upstream_timeout_connect")]
)
def test_a_call_whose_upstream_cannot_be_reached(gateway: Gateway, model: str, outcome: str) -> None:
    row = row_of(gateway, gateway.post(*ask("chat", model)).get("x-patchbay-id"))
    assert (row["outcome"], row["provider"]) == (outcome, model.partition("/")[0])
    assert row["ttfb_us"] is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_client_that_hangs_up(gateway: Gateway, dialect: str) -> None:
    events = EVENTS[dialect]()[:6]
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", (HEAD, *map(Chunk, events), Stall()))
    with open_stream(gateway.port, *ask(dialect, "hasty/m", stream=True)) as client:
        received = receive_until(client, events[-1])
    head = received.partition(b"\r\n\r\n")[0].decode().lower()
    exchange_id = next(line for line in head.split("\r\n") if line.startswith("x-patchbay-id")).partition(": ")[2]
    row = finished(
        gateway.database, "select * from exchanges where outcome is not null and lower(id) = ?", exchange_id
    )[0]
    assert (row["outcome"], row["who_ended"], row["status"]) == ("client_disconnected", "client", 200)
    assert row["ttft_us"] is not None


def test_a_call_that_is_refused_has_a_provider_too(gateway: Gateway) -> None:
    before = query(gateway.database, "select count(*) as n from exchanges")[0]["n"]
    for body in (b"{", b'{"model":7}', b""):
        assert gateway.post("/v1/chat/completions", body).status == 400
    assert gateway.post(*ask("responses", "claude-9", previous_response_id="resp_1")).status == 400
    sql = "select * from exchanges where outcome = 'client_error'"
    rows = finished(gateway.database, sql)
    assert rows
    assert all(row["provider"] and row["kind"] for row in query(gateway.database, "select * from exchanges"))
    assert query(gateway.database, "select count(*) as n from exchanges")[0]["n"] >= before


def test_the_conversation_can_be_read(gateway: Gateway) -> None:
    tools = [("get_weather", {"city": "Bergen"})]
    gateway.external.on("/anthropic/v1/messages", streamed(messages_events(tools=tools)))
    path, body = ask("messages", "claude-9", stream=True)
    body["messages"][0]["content"] = "What is the weather in Bergen, says Ægir?"
    answer = gateway.post(path, body)
    row = row_of(gateway, answer.get("x-patchbay-id"))
    shown = run_command(["show", row["id"]], gateway.env, gateway.folder)
    assert shown.returncode == 0, shown.stderr
    for text in ("What is the weather in Bergen, says Ægir?", SAID, "get_weather", "Bergen"):
        assert text in shown.stdout
    log = run_command(["log"], gateway.env, gateway.folder)
    assert log.returncode == 0, log.stderr
    for text in ("anthropic", "claude-9"):
        assert text in log.stdout


def test_a_history_that_is_sent_again_is_stored_once(gateway: Gateway) -> None:
    history = [{"role": "user", "content": "an unusual first question"}]
    for _ in range(3):
        path, body = ask("chat", "gpt-9")
        answer = gateway.post(path, {**body, "messages": history})
        row_of(gateway, answer.get("x-patchbay-id"))
        history += [answer.json()["choices"][0]["message"], {"role": "user", "content": "and then?"}]
    sql = "select count(*) as n from messages where text = 'an unusual first question'"
    assert query(gateway.database, sql)[0]["n"] == 1


def test_a_stale_connection_is_an_attempt_of_its_own(gateway: Gateway) -> None:
    gateway.external.on("/openai/v1/chat/completions", lambda r: (Close(),) if r.nth else json_answer(chat_body()))
    with gateway.openai() as client:
        create = client.chat.completions.with_raw_response.create
        _, second = (create(model="gpt-9", messages=[{"role": "user", "content": "hi"}]) for _ in range(2))
    row = row_of(gateway, second.headers.get("x-patchbay-id"))
    assert row["outcome"] == "ok"
    sql = "select stale, outcome from attempts where exchange_id = ? order by number"
    assert [(a["stale"], a["outcome"]) for a in query(gateway.database, sql, row["id"])] == [
        (1, "upstream_reset"),
        (0, "ok"),
    ]


def test_no_secret_is_in_the_database(gateway: Gateway) -> None:
    gateway.external.on("/openai/v1/chat/completions", echo_credentials)
    with gateway.openai() as client, pytest.raises(Exception, match="key"):
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "hi"}])
    tables = ("exchanges", "attempts", "messages")
    dump = repr([query(gateway.database, f"select * from {table}") for table in tables])
    assert CLIENT_SECRET not in dump
    assert not [value for value in KEYS.values() if value in dump]


@pytest.fixture(name="short_lived", params=WAYS)
def fixture_short_lived(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of its own for tests that end it."""
    with run_gateway(str(request.param), upstreams, tmp_path) as gateway:
        yield gateway


def begin_stream(gateway: Gateway) -> Generator[None]:
    gateway.external.on("/openai/v1/chat/completions", (HEAD, *map(Chunk, EVENT[:4]), Stall()))
    with open_stream(gateway.port, *ask("chat", "gpt-9", stream=True)) as client:
        receive_until(client, EVENT[3])
        yield
        client.settimeout(5)
        while client.recv(65536):
            pass


def test_a_stream_that_is_cut_by_our_shutdown(short_lived: Gateway) -> None:
    for _ in begin_stream(short_lived):
        assert short_lived.program.stop() == 0, short_lived.program.output
    row = finished(short_lived.database, "select * from exchanges")[0]
    assert (row["outcome"], row["who_ended"], row["provider"]) == ("shutdown", "gateway", "openai")
    assert "Traceback" not in short_lived.program.output


def test_a_stream_that_is_cut_by_a_crash(short_lived: Gateway, upstreams: Behind) -> None:
    stream = begin_stream(short_lived)
    next(stream)
    finished(short_lived.database, "select * from exchanges")
    short_lived.program.kill()
    stream.close()
    assert query(short_lived.database, "select outcome from exchanges") == [{"outcome": None}]
    with run_gateway(short_lived.way, upstreams, short_lived.folder) as again:
        row = finished(again.database, "select * from exchanges where outcome is not null")[0]
        assert (row["outcome"], row["provider"]) == ("aborted_by_crash", "openai")
        assert again.post(*ask("chat", "whatever")).status == 200
