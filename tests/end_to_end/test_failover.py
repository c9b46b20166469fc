"""A provider fails and the next one answers: the client sees one healthy answer, in its own dialect and form."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, streamed, whole
from tests.fake_dialects import (
    chat_body,
    chat_events,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_steps import Chunk, Close, Head, Reset, Script, Stall
from tests.rig_client import RawAnswer, exchange, open_stream, query, receive_until
from tests.rig_gateway import DIALECTS, WAYS, Behind, Gateway, ask, assert_told_in_dialect, run_gateway

# Each test has a provider of its own, so that no other test has opened its breaker. All have short deadlines and speak
# every dialect; groq speaks chat alone: behind it everything is translated.
NAMES = ("table", "again", "spent", "long", "quiet", "cut", "flow", "late", "tools", "near")
PROVIDER = """\
  {name}:
    kind: compatible
    base_url: {external}/{name}/v1
    api_key: ${{HASTY_API_KEY}}
    dialects: [chat, messages, responses]
    models: [m]
    deadlines: {{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}}
"""
MODELS = """\
  long-route: {targets: [long/m, groq/some-model], fallback_on: {context_length: openai/gpt-big}}
  patient:    {targets: [quiet/m, groq/some-model], fallback_on: {stall: groq/some-model}}
  pair:       {targets: [refused/m, near/m]}
  with-tools: {targets: [{target: tools/m, when: {has_tools: true}}, groq/some-model]}
  sighted:    {targets: [{target: tools/m, when: {has_images: true}}]}
"""


def registry(upstreams: Behind) -> str:
    """The standard one, with ``NAME-route`` for each of `NAMES`: that provider, then groq."""
    routes = [f"  {name}-route: {{targets: [{name}/m, groq/some-model]}}\n" for name in NAMES if name != "long"]
    providers = "".join(PROVIDER.format(name=name, external=upstreams.external.url) for name in NAMES)
    return upstreams.registry().replace("models:\n", providers + "models:\n", 1) + MODELS + "".join(routes)


def path(name: str, dialect: str) -> str:
    """Where a provider is asked."""
    return f"/{name}/v1{ask(dialect, '')[0].removeprefix('/v1')}"


SECOND = "/groq/openai/v1/chat/completions"
GOOD = {
    "chat": (chat_events, chat_body),
    "messages": (messages_events, messages_body),
    "responses": (responses_events, responses_body),
}
END = {"chat": b"data: [DONE]", "messages": b"event: message_stop", "responses": b"response.completed"}


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    env = {"PATCHBAY_ATTEMPTS": "3"}
    folder = tmp_path_factory.mktemp("failover")
    with run_gateway(str(request.param), all_upstreams, folder, registry=registry(all_upstreams), env=env) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


def error(status: int, type_: str = "server_error", **headers: str) -> Script:
    told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return json_answer({"error": {"message": "no", "type": type_, "param": None, "code": None}}, status, told)


BROKEN: dict[str, Script] = {
    "500": error(500),
    "503": error(503),
    "529": error(529, "overloaded_error"),
    "429 with a long wait": error(429, "rate_limit_error", retry_after="2"),
    "401": error(401, "authentication_error"),
    "a page": whole(b"<html>log in</html>", "text/html"),
    "an error in the first event": streamed([b'data: {"error":{"message":"full","type":"overloaded_error"}}\n\n']),
    "an error with status 200": json_answer({"error": {"message": "full", "type": "overloaded_error"}}),
}


def assert_healthy(answer: RawAnswer, dialect: str, *, stream: bool) -> None:
    assert answer.status == 200, answer.body
    assert answer.whole
    if stream:
        assert END[dialect] in answer.body
        assert b'"error"' not in answer.body.replace(b'"error":null', b"")
    else:
        assert "error" not in answer.json() or answer.json()["error"] is None
    assert b"Patchbay" in answer.body


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", BROKEN)
def test_the_second_answers_for_the_first(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    gateway.external.on(path("table", dialect), BROKEN[fault])
    answer = gateway.post(*ask(dialect, "table-route", stream=stream))
    assert_healthy(answer, dialect, stream=stream)
    assert answer.get("x-patchbay-provider") == "groq"
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert (row["provider"], row["outcome"], row["status"]) == ("groq", "ok", 200)
    attempts = query(
        gateway.database, "select provider, outcome from attempts where exchange_id = ? order by number", row["id"]
    )
    assert [attempt["provider"] for attempt in attempts][-1] == "groq"
    assert len(attempts) == int(answer.get("x-patchbay-attempts") or 0)
    # Nothing that was meant for one of them went to the other one.
    for request in gateway.behind.posts():
        expected = "groq" if request.path == SECOND else "hasty"
        assert expected in (request.get("authorization") or ""), request


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_refused_connection_costs_little(gateway: Gateway, dialect: str, stream: bool) -> None:
    began = time.monotonic()
    answer = gateway.post(*ask(dialect, "pair", stream=stream))
    assert time.monotonic() - began < 2
    assert_healthy(answer, dialect, stream=stream)
    assert answer.get("x-patchbay-provider") == "near"
    assert "refused" in (answer.get("x-patchbay-reason") or "")


def test_a_single_failure_is_repeated_at_the_same_place(gateway: Gateway) -> None:
    gateway.external.on(path("again", "chat"), error(500), json_answer(chat_body()))
    answer = gateway.post(*ask("chat", "again/m"))
    assert_healthy(answer, "chat", stream=False)
    assert answer.get("x-patchbay-attempts") == "2"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_when_all_is_spent_the_last_error_is_told(gateway: Gateway, dialect: str) -> None:
    gateway.external.on(path("spent", dialect), error(503))
    gateway.external.on(SECOND, error(503))
    answer = gateway.post(*ask(dialect, "spent-route"))
    assert_told_in_dialect(answer, dialect, gateway.behind)
    assert answer.get("x-should-retry") == "false"
    assert answer.status in (503, 529)


def test_a_prompt_that_is_too_long_goes_to_the_larger_model(gateway: Gateway) -> None:
    too_long = {"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}
    gateway.external.on(path("long", "chat"), json_answer(too_long, 400))
    answer = gateway.post(*ask("chat", "long-route"))
    assert_healthy(answer, "chat", stream=False)
    assert (answer.get("x-patchbay-provider"), answer.get("x-patchbay-model")) == ("openai", "gpt-big")


def test_a_provider_that_says_nothing_is_left_where_the_registry_says_so(gateway: Gateway) -> None:
    gateway.external.on(path("quiet", "chat"), (Stall(),))
    answer = gateway.post(*ask("chat", "patient"))
    assert_healthy(answer, "chat", stream=False)
    assert answer.get("x-patchbay-provider") == "groq"
    # Where it says nothing of it, the model may have been at work: nobody else is asked.
    answer = gateway.post(*ask("chat", "quiet-route"))
    assert answer.status == 504


def test_nobody_takes_over_within_a_stream(gateway: Gateway) -> None:
    events = chat_events()
    gateway.external.on(path("cut", "chat"), (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events[:3]), Reset()))
    answer = gateway.post(*ask("chat", "cut-route", stream=True))
    assert b"upstream_truncated" in answer.body
    assert b"[DONE]" not in answer.body
    assert [request.path for request in gateway.behind.posts()] == [path("cut", "chat")]


def test_conditions_choose(gateway: Gateway) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    assert gateway.post(*ask("chat", "with-tools", tools=[tool])).get("x-patchbay-provider") == "tools"
    assert gateway.post(*ask("chat", "with-tools")).get("x-patchbay-provider") == "groq"
    refused = gateway.post(*ask("chat", "sighted"))
    assert_told_in_dialect(refused, "chat", gateway.behind, 400)
    assert refused.json()["error"]["code"] == "no_target"


def test_the_flow_shows_who_answered(gateway: Gateway) -> None:
    gateway.external.on(path("flow", "chat"), (Head(500, (("content-length", "5"),)), Close()))
    answer = gateway.post(*ask("chat", "flow-route"))
    assert json.loads(answer.body)["choices"]
    sent = [json.loads(request.body)["model"] for request in gateway.behind.posts()]
    assert sent[-1] == "some-model"
    assert set(sent[:-1]) == {"m"}


def test_a_stream_that_begins_late_is_still_untouched(gateway: Gateway) -> None:
    gateway.external.on(path("late", "chat"), error(503))
    target, body = ask("chat", "late-route", stream=True)
    with open_stream(gateway.port, target, body) as client:
        received = receive_until(client, b"[DONE]")
    assert b"".join(chat_events(model="some-model")).split(b"\n\n")[1] in received
