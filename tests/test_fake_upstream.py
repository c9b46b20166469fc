"""The rig is trusted because it is tested: what it records, what it breaks, and that plain clients understand it."""

import json
import socket
import time
from collections.abc import Callable, Iterator

import anthropic
import openai
import pytest

from tests.fake_answers import CHUNKED, SSE, gated, json_answer, speak, streamed
from tests.fake_dialects import Json, chat_events, completions_events, messages_events, responses_events
from tests.fake_ports import black_hole, refused_port
from tests.fake_steps import Chunk, Close, Gate, Head, LastChunk, Raw, Reached, Reset, Sleep, Stall, WaitFor
from tests.fake_upstream import FakeUpstream
from tests.rig_client import dial, get, open_stream, post, read_answer, receive_until, request_bytes, send_raw

Events = Callable[..., list[bytes]]


@pytest.fixture(name="upstream")
def fixture_upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(speak) as upstream:
        yield upstream


def test_it_records_a_request_byte_for_byte(upstream: FakeUpstream) -> None:
    sent = request_bytes("POST", "/Odd%20path?x=1&x=2", b'{"a" : 1}', (("X-Odd", "B "), ("x-odd", "a")))
    assert send_raw(upstream.port, sent).status == 404
    request = upstream.requests[0]
    assert request.head + request.body == sent
    assert (request.method, request.target, request.path) == ("POST", "/Odd%20path?x=1&x=2", "/Odd%20path")
    assert request.all("x-odd") == ["B", "a"]


def test_it_reads_chunked_requests_and_trailers(upstream: FakeUpstream) -> None:
    head = b"POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    send_raw(upstream.port, head + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx-end: 1\r\n\r\n")
    assert upstream.requests[0].body == b"abcde"


def test_one_connection_carries_many_requests(upstream: FakeUpstream) -> None:
    with dial(upstream.port) as connected:
        for _ in range(3):
            connected.sendall(request_bytes("GET", "/props"))
            assert read_answer(connected).status == 200
    assert [request.nth for request in upstream.requests] == [0, 1, 2]
    assert len(upstream.connections) == 1


def test_a_gate_holds_the_stream_until_the_test_opens_it(upstream: FakeUpstream) -> None:
    gate, reached = WaitFor(), Gate()
    first, *rest = streamed([b"data: 1\n\n"])[1:]
    upstream.on("/s", (Head(200, (*SSE, *CHUNKED)), first, Reached(reached), gate, Chunk(b"data: 2\n\n"), *rest))
    with open_stream(upstream.port, "/s", {}) as client:
        assert b"data: 2" not in receive_until(client, b"data: 1\n\n")
        assert reached.wait(1)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        gate.gate.open()
        client.settimeout(5)
        receive_until(client, b"data: 2\n\n")


def test_gated_puts_one_gate_between_two_pieces(upstream: FakeUpstream) -> None:
    gates = [WaitFor(), WaitFor()]
    upstream.on("/s", gated([b"a", b"b", b"c"], gates))
    for gate in gates:
        gate.gate.open()
    assert post(upstream.port, "/s", {}).body == b"abc"


def test_scripts_answer_in_turn_and_the_last_repeats(upstream: FakeUpstream) -> None:
    upstream.on("/a", json_answer({}, 500), json_answer({}, 200))
    assert [post(upstream.port, "/a", {}).status for _ in range(3)] == [500, 200, 200]


def test_it_sees_when_the_peer_goes_away(upstream: FakeUpstream) -> None:
    upstream.on("/s", (Head(200, (*SSE, *CHUNKED)), Chunk(b"data: 1\n\n"), Stall()))
    with open_stream(upstream.port, "/s", {}) as client:
        receive_until(client, b"data: 1")
        connection = upstream.requests[0].connection
        assert not connection.closed.is_open
    left = time.monotonic()
    assert connection.closed.wait(1)
    assert connection.closed_by_peer
    assert connection.closed_at is not None
    assert connection.closed_at - left < 0.2


def test_it_cuts_a_stream_in_every_way(upstream: FakeUpstream) -> None:
    head = Head(200, (*SSE, *CHUNKED))
    upstream.on("/close", (head, Chunk(b"x"), Close()))
    upstream.on("/short", (Head(200, (("content-length", "100"),)), Raw(b"seven b"), Close()))
    upstream.on("/reset", (head, Chunk(b"x"), Sleep(0.05), Reset()))
    assert post(upstream.port, "/close", {}).whole is False
    assert post(upstream.port, "/short", {}).whole is False
    with pytest.raises(ConnectionResetError):
        post(upstream.port, "/reset", {})


def test_it_closes_idle_connections_on_request(upstream: FakeUpstream) -> None:
    with dial(upstream.port) as connected:
        connected.sendall(request_bytes("GET", "/props"))
        read_answer(connected, "GET")
        upstream.close_idle()
        assert connected.recv(1) == b""
    assert not upstream.connections[0].closed_by_peer


def test_ports_that_refuse_and_ports_that_swallow() -> None:
    with refused_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with black_hole() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.3)


def test_local_pages_show_what_real_servers_do(upstream: FakeUpstream) -> None:
    nothing = get(upstream.port, "/nothing")
    assert (nothing.status, nothing.get("transfer-encoding")) == (204, "chunked")
    with dial(upstream.port) as client:
        client.sendall(request_bytes("GET", "/trailers"))
        assert receive_until(client, b"abc\r\n\r\n").endswith(b"0\r\nx-checksum: abc\r\n\r\n")
    assert get(upstream.port, "/props", method="HEAD").body == b""


@pytest.mark.parametrize("events", [chat_events, messages_events, responses_events, completions_events])
def test_streams_are_server_sent_events_of_json(events: Events) -> None:
    for event in events():
        assert event.endswith(b"\n\n")
        payload = event.partition(b"data: ")[2].strip()
        assert payload == b"[DONE]" or isinstance(json.loads(payload), dict)


CALL = ("get_weather", {"city": "Bergen", "days": 3})


def test_the_openai_sdk_understands_chat_and_responses(upstream: FakeUpstream) -> None:
    upstream.on("/v1/chat/completions", streamed(chat_events(tools=[CALL])))
    upstream.on("/v1/responses", streamed(responses_events(tools=[CALL])))
    with openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="k", max_retries=0) as client:
        with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as chat:
            choice = chat.get_final_completion().choices[0]
        assert choice.message.content == "Patchbay passes every word on."
        calls = choice.message.tool_calls or []
        assert [json.loads(call.function.arguments) for call in calls if call.type == "function"] == [CALL[1]]
        with client.responses.stream(model="m", input="hi") as stream:
            response = stream.get_final_response()
        assert response.output_text == "Patchbay passes every word on."
        call = response.output[1]
        assert call.type == "function_call"
        assert json.loads(call.arguments) == CALL[1]


def test_the_anthropic_sdk_understands_messages(upstream: FakeUpstream) -> None:
    upstream.on("/v1/messages", streamed(messages_events(tools=[CALL])))
    with (
        anthropic.Anthropic(base_url=upstream.url, api_key="k", max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        message = stream.get_final_message()
    block = message.content[1]
    assert block.type == "tool_use"
    assert block.input == CALL[1]
    assert message.stop_reason == "tool_use"


def test_plain_answers_of_every_endpoint(upstream: FakeUpstream) -> None:
    asked: Json = {"model": "m"}
    paths = ("chat/completions", "completions", "messages", "responses", "embeddings", "messages/count_tokens")
    for path in paths:
        answer = post(upstream.port, f"/v1/{path}", asked)
        assert answer.status == 200
        assert answer.json().get("model", "m") == "m"
    assert LastChunk() == LastChunk(())
