"""An exchange across dialects: what the client gets is written anew, and ends as honestly as an untouched one."""

import json
from collections.abc import Callable

import pytest

from providers.exchange.account import ExchangeAccount, Outcome
from providers.exchange.commands import Command, Data, End, Hangup, Head, Timer
from providers.exchange.machine import Exchange, Settings
from providers.exchange.plan import Plan, Target
from providers.provider import Deadlines
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.readers import reader_for
from providers.wire.translate import Translation

EVENTS = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json"), ("content-length", "9"), ("request-id", "req_1")]
ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def chunk(**delta: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


FINISH = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
BODY = json.dumps(
    {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "yes"}, "finish_reason": "stop"}]}
).encode()


def exchange(*, stream: bool, seed: bool = False) -> Exchange:
    """A messages client in front of a chat provider, the request sent."""
    body = {**ASK, "stream": stream, **({"top_k": 5} if seed else {})}
    translation = Translation.plan(
        Dialect.MESSAGES, Operation.MESSAGES, Dialect.CHAT, body, Capabilities(top_k=False), "m", id="pb-1", created=1
    )
    target = Target(
        "acme", "compatible", "m", Deadlines(), "http", "h", 1, "/v1", [], translation.body, translation=translation
    )
    account = ExchangeAccount("pb-1", 0.0, "acme", "compatible", "messages", "messages", "m", "m", stream)
    made = Exchange(account, Plan(target, ""), reader_for, Settings())
    made.begin(0)
    made.opened(1)
    return made


def told(commands: list[Command]) -> bytes:
    return b"".join(c.data for c in commands if isinstance(c, Data))


def test_a_stream_is_written_event_by_event() -> None:
    made = exchange(stream=True, seed=True)
    assert not made.is_untouched
    made.head(200, EVENTS, 2)
    first = made.data(chunk(role="assistant", content="one "), 3)
    head = next(c for c in first if isinstance(c, Head))
    assert ("content-type", "text/event-stream") in head.headers
    assert ("x-patchbay-translation", "dropped=top_k") in head.headers
    assert b"message_start" in told(first)
    assert b"one " in told(first)
    second = made.data(chunk(content="two"), 4)
    assert b"two" in told(second)
    rest = made.data(FINISH + DONE, 5) + made.ended(6)
    assert b"message_stop" in told(rest)
    assert isinstance(rest[-1], End)
    assert made.account.outcome is Outcome.OK
    assert made.account.bytes_out == sum(len(told(part)) for part in (first, second, rest))


@pytest.mark.parametrize("provider_streams", [False, True])
@pytest.mark.parametrize("client_streams", [False, True])
def test_the_client_gets_the_form_it_asked_for(client_streams: bool, provider_streams: bool) -> None:
    made = exchange(stream=client_streams)
    made.head(200, EVENTS if provider_streams else JSON, 2)
    piece = chunk(content="yes") + FINISH + DONE if provider_streams else BODY
    commands = made.data(piece, 3) + made.ended(4)
    head = next(c for c in commands if isinstance(c, Head))
    form = "text/event-stream" if client_streams else "application/json"
    assert [value for name, value in head.headers if name == "content-type"] == [form]
    assert not any(name == "content-length" for name, _ in head.headers)
    assert b"yes" in told(commands)
    assert (b"message_stop" in told(commands)) is client_streams
    assert made.account.outcome is Outcome.OK


def cut(made: Exchange) -> list[Command]:
    return [*made.data(chunk(content="one"), 3), *made.ended(4)]


def stall(made: Exchange) -> list[Command]:
    return [*made.data(chunk(content="one"), 3), *made.timer(Timer.PHASE, 500_000_000)]


def fail_inside(made: Exchange) -> list[Command]:
    error = b'data: {"error":{"message":"we broke","type":"server_error","code":null}}\n\n'
    return [*made.data(chunk(content="one"), 3), *made.data(error, 4)]


def fail_at_the_end(made: Exchange) -> list[Command]:
    error = b'data: {"error":{"message":"we broke","type":"server_error","code":null}}'
    return [*made.data(chunk(content="one"), 3), *made.data(error, 4), *made.ended(5)]


@pytest.mark.parametrize("happens", [cut, stall, fail_inside, fail_at_the_end])
def test_a_stream_that_fails_says_so_in_the_clients_dialect(
    happens: Callable[[Exchange], list[Command]],
) -> None:
    made = exchange(stream=True)
    made.head(200, EVENTS, 2)
    commands = happens(made)
    assert b"event: error" in told(commands)
    assert b"message_stop" not in told(commands)
    assert isinstance(commands[-1], End)
    assert made.account.outcome not in (None, Outcome.OK)
    assert made.data(chunk(content="late"), 600_000_000) == []


def test_a_failure_inside_hangs_up_and_is_told_once() -> None:
    made = exchange(stream=True)
    made.head(200, EVENTS, 2)
    commands = fail_inside(made)
    assert any(isinstance(c, Hangup) for c in commands)
    assert told(commands).count(b"event: error") == 1
    assert b"we broke" in told(commands)


def test_a_plain_answer_that_is_cut_is_an_http_error() -> None:
    made = exchange(stream=False)
    made.head(200, JSON, 2)
    commands = made.data(BODY[:20], 3) + made.failed(Outcome.UPSTREAM_RESET, 4)
    assert next(c for c in commands if isinstance(c, Head)).status == 502
    assert json.loads(told(commands))["type"] == "error"


def test_an_answer_that_says_nothing_is_no_answer() -> None:
    made = exchange(stream=False)
    made.head(200, JSON, 2)
    commands = made.data(b'{"hello":"world"}', 3) + made.ended(4)
    assert next(c for c in commands if isinstance(c, Head)).status == 502
    assert made.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("status", "told_as", "outcome"),
    [
        (400, 400, Outcome.UPSTREAM_HTTP_ERROR),
        (401, 502, Outcome.UPSTREAM_HTTP_ERROR),
        (429, 429, Outcome.RATE_LIMITED),
        (503, 529, Outcome.UPSTREAM_HTTP_ERROR),
    ],
)
def test_a_refusal_is_told_in_the_clients_dialect(status: int, told_as: int, outcome: Outcome) -> None:
    made = exchange(stream=True)
    made.head(status, [*JSON, ("retry-after", "7")], 2)
    commands = made.data(b'{"error":{"message":"no","type":"x","code":null}}', 3) + made.ended(4)
    head = next(c for c in commands if isinstance(c, Head))
    assert head.status == told_as
    assert ("retry-after", "7") in head.headers
    assert json.loads(told(commands))["type"] == "error"
    assert made.account.outcome is outcome


def test_an_error_ahead_of_all_content_has_the_status_that_it_means() -> None:
    made = exchange(stream=True)
    made.head(200, EVENTS, 2)
    commands = made.data(b'data: {"error":{"message":"later","type":"rate_limit_error","code":null}}\n\n', 3)
    assert next(c for c in commands if isinstance(c, Head)).status == 429
    assert json.loads(told(commands))["error"]["message"] == "later"


def test_the_last_event_is_the_end_where_the_provider_stays() -> None:
    made = exchange(stream=True)
    made.head(200, EVENTS, 2)
    commands = made.data(chunk(content="one"), 3) + made.data(FINISH + DONE, 4)
    assert b"message_stop" in told(commands)
    assert isinstance(commands[-1], End)
    assert made.ended(5) == []


@pytest.mark.parametrize("stream", [False, True])
def test_an_edited_answer_is_written_too(stream: bool) -> None:
    made = exchange(stream=stream)
    made.head(200, JSON, 2)
    made.data(BODY, 3)
    made.ended(4)
    edited = made.rewritten(BODY.replace(b"yes", b"no, edited"))
    assert b"no, edited" in edited
    assert b"choices" not in edited


def test_a_prompt_that_nobody_can_count_is_estimated() -> None:
    translation = Translation.plan(
        Dialect.MESSAGES, Operation.COUNT_TOKENS, Dialect.CHAT, ASK, Capabilities(), "m", id="pb-1", created=1
    )
    target = Target("acme", "compatible", "m", Deadlines(), "http", "h", 1, "/v1", [], b"", translation=translation)
    counted = target.estimate()
    assert counted is not None
    assert json.loads(counted)["input_tokens"] > 0
    assert Target("acme", "compatible", "m", Deadlines(), "http", "h", 1, "/v1", [], b"").estimate() is None


def test_an_untouched_stream_is_relayed_and_may_be_left_at_its_last_event() -> None:
    account = ExchangeAccount("pb-1", 0.0, "acme", "compatible", "chat", "chat", "m", "m", True)
    target = Target("acme", "compatible", "m", Deadlines(), "http", "h", 1, "/v1", [], b"{}")
    made = Exchange(account, Plan(target, ""), reader_for, Settings())
    made.begin(0)
    made.opened(1)
    made.head(200, EVENTS, 2)
    assert told(made.data(chunk(content="one"), 3)) == chunk(content="one")
    made.relay(FINISH + DONE, 4)
    assert account.bytes_out == len(chunk(content="one") + FINISH + DONE)
    assert [type(command) for command in made.client_gone(5)] == [Hangup]
    assert account.outcome is Outcome.OK
    assert made.rewritten(b"edited") == b"edited"
