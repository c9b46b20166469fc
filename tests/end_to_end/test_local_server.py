"""What a client gets directly from the local server it gets through us: every page, method, framing and header."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.fake_requests import Request
from tests.fake_steps import Headers
from tests.rig import Program, run_bare
from tests.rig_client import RawAnswer, dial, read_answer, receive_until, request_bytes, send_raw
from tests.rig_gateway import Behind, Gateway

# method, target, headers, body
PAGES: dict[str, tuple[str, str, Headers, bytes]] = {
    "props": ("GET", "/props", (("accept-encoding", "gzip"), ("X-Odd-Case", "v")), b""),
    "slots": ("GET", "/slots?fail_on_no_slot=1", (), b""),
    "tokenize": ("POST", "/tokenize", (("content-type", "application/json"),), b'{ "content":"a" , "model":"gpt-9"}'),
    "unknown path": ("GET", "/some/where?a=1&a=2&key=k%20v", (("authorization", "Bearer client-secret"),), b""),
    "unknown post": ("POST", "/apply-template", (("cookie", "a=b"),), b"\x00\xff not json"),
    "unknown under v1": ("GET", "/v1/unknown", (("x-api-key", "client-secret"),), b""),
    "head of the root": ("HEAD", "/", (), b""),
    "options": ("OPTIONS", "/v1/chat/completions", (("origin", "http://page.example"),), b""),
    "get on a call's path": ("GET", "/v1/chat/completions", (), b""),
    "delete": ("DELETE", "/slots/0?action=erase", (), b""),
    "encoded path": ("GET", "/a%2Fb/%C3%A9?q=%20+", (), b""),
    "nothing, chunked": ("GET", "/nothing", (), b""),
    "trailers": ("GET", "/trailers", (), b""),
    "gzip": ("GET", "/gzip", (("accept-encoding", "gzip"),), b""),
    "llama-server's admin list": ("GET", "/models", (), b""),
    "load a model": ("POST", "/models/load", (("content-type", "application/json"),), b'{"model":"gpt-9"}'),
}
# Framing belongs to one connection.
FRAMING = ("transfer-encoding", "content-length", "connection", "trailer", "keep-alive")


@pytest.fixture(name="bare", scope="module")
def fixture_bare(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with run_bare(all_upstreams.local.url, tmp_path_factory.mktemp("bare")) as program:
        yield program


def ask_page(port: int, case: str, marker: str, seconds: float = 10.0) -> RawAnswer:
    method, target, headers, body = PAGES[case]
    data = request_bytes(method, target, body, (("x-marker", marker), *headers))
    return send_raw(port, data, method=method, seconds=seconds)


def arrived(upstreams: Behind, marker: str, seconds: float = 5.0) -> Request:
    deadline = time.monotonic() + seconds
    while not (found := [request for request in upstreams.local.requests if request.get("x-marker") == marker]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(found) == 1
    return found[0]


def seen(answer: RawAnswer) -> tuple[int, list[tuple[str, str]], bytes, bool]:
    headers = [(name.lower(), value) for name, value in answer.headers]
    kept = [pair for pair in headers if pair[0] not in FRAMING and not pair[0].startswith("x-patchbay-")]
    return answer.status, kept, answer.body, answer.whole


@pytest.mark.parametrize("case", PAGES)
def test_a_page_is_asked_for_exactly_as_bare_mitmdump_would(gateway: Gateway, bare: Program, case: str) -> None:
    ask_page(gateway.port, case, "same")
    ours = arrived(gateway.behind, "same")
    gateway.local.requests.clear()
    with contextlib.suppress(TimeoutError):  # bare mitmdump never finishes an answer with trailers
        ask_page(bare.port, case, "same", 1.0)
    theirs = arrived(gateway.behind, "same")
    assert ours.head == theirs.head
    assert ours.body == theirs.body
    assert not gateway.external.requests or all(r.get("x-marker") is None for r in gateway.external.requests)


@pytest.mark.parametrize("case", PAGES)
def test_a_page_looks_as_it_does_without_us(gateway: Gateway, case: str) -> None:
    direct = ask_page(gateway.local.port, case, "direct")
    assert seen(ask_page(gateway.port, case, "through us")) == seen(direct)


def test_trailers_reach_the_client(gateway: Gateway) -> None:
    with dial(gateway.port) as client:
        client.sendall(request_bytes("GET", "/trailers"))
        assert b"x-checksum: abc" in receive_until(client, b"abc\r\n\r\n").lower()


def test_pages_share_a_connection_with_calls(gateway: Gateway) -> None:
    with dial(gateway.port) as client:
        for target in ("/props", "/nothing", "/trailers", "/props"):
            client.sendall(request_bytes("GET", target))
            assert read_answer(client, "GET").status in (200, 204)
        client.sendall(request_bytes("POST", "/v1/chat/completions", b'{"model":"gpt-9","messages":[]}'))
        assert read_answer(client).status == 200


def test_the_local_server_gets_the_clients_headers_as_they_came(gateway: Gateway) -> None:
    given = (("Authorization", "Bearer client-secret"), ("X-Api-Key", "k"), ("Cookie", "a=b"), ("X-Odd", "1"))
    for target in ("/v1/chat/completions?key=abc", "/props?key=abc"):
        gateway.local.requests.clear()
        method, body = ("POST", b'{"messages":[]}') if "chat" in target else ("GET", b"")
        send_raw(gateway.port, request_bytes(method, target, body, (("x-marker", "h"), *given)), method=method)
        request = arrived(gateway.behind, "h")
        assert request.target == target
        for pair in given:
            assert pair in request.headers


@pytest.mark.parametrize("loopback", ["127.0.0.1", "::1"])
def test_loopback_means_both_address_families(gateway: Gateway, loopback: str) -> None:
    with dial(gateway.port, loopback) as client:
        client.sendall(request_bytes("GET", "/props"))
        assert read_answer(client, "GET").status == 200
