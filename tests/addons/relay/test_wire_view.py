"""What a flow shows, and what leaves in its name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import tflow, tutils
from pydantic import SecretStr

from addons.exchanges import InHand
from addons.relay.wire_view import WireView, body_hash, byte_headers, client_request, outcome_of, text_headers
from providers.addresses import parse_base_url
from providers.compatible import Compatible
from providers.exchange.account import Outcome
from providers.exchange.commands import Head
from providers.exchange.machine import Exchange, Settings
from providers.exchange.pace import read_pace
from providers.provider import Provider, Replica
from tests.providers.exchange.playbook import (
    JSON,
    TARGET,
    Playbook,
    begin,
    client_gone,
    data,
    ended,
    exchange,
    failed,
    head,
    opened,
)

KEY = "acme-canary-0123456789"
BODY = b'{"choices":[]}'


def acme(key: str | None = KEY) -> Provider:
    secret = None if key is None else SecretStr(key)
    return Compatible(name="acme", base_url="https://api.acme.example/v1", key=secret, key_name="ACME_API_KEY")


def flow_to_acme() -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    request = flow.request
    request.scheme, request.host, request.port, request.path = "https", TARGET.host, TARGET.port, TARGET.path
    request.headers = Headers([(b"host", b"api.acme.example"), (b"authorization", b"Bearer <ACME_API_KEY>")])
    return flow


def view_of(flow: HTTPFlow, played: Exchange | None = None, provider: Provider | None = None) -> WireView:
    in_hand = InHand(provider=provider or acme(), secrets=(KEY,))
    return WireView(flow, in_hand, played or exchange())


def test_the_key_stands_on_a_copy() -> None:
    flow = flow_to_acme()
    sent = view_of(flow).request_with_key()
    assert sent.headers.fields == ((b"host", b"api.acme.example"), (b"authorization", b"Bearer " + KEY.encode()))
    assert KEY not in repr(flow.get_state())
    assert (sent.method, sent.path, sent.raw_content) == (flow.request.method, flow.request.path, b"content")
    assert sent.http_version == "HTTP/1.1"


@pytest.mark.parametrize(("part", "value"), [("scheme", "http"), ("host", "evil.example"), ("port", 8443)])
def test_the_key_goes_nowhere_else(part: str, value: object) -> None:
    flow = flow_to_acme()
    setattr(flow.request, part, value)
    assert KEY.encode() not in b"".join(value for _, value in view_of(flow).request_with_key().headers.fields)


def several() -> Provider:
    servers = tuple(Replica(parse_base_url(f"https://{name}.acme.example/v1")) for name in ("api", "b"))
    key = SecretStr(KEY)
    return Compatible(name="acme", base_url=str(servers[0].url), endpoints=servers, key=key, key_name="ACME_API_KEY")


def test_the_key_goes_to_all_servers_of_its_provider() -> None:
    flow = flow_to_acme()
    flow.request.host = "b.acme.example"
    assert view_of(flow, provider=several()).request_with_key().headers["authorization"] == f"Bearer {KEY}"
    flow.request.host = "c.acme.example"
    assert KEY not in view_of(flow, provider=several()).request_with_key().headers["authorization"]


def test_another_server_is_sent_what_somebody_made_of_the_request() -> None:
    flow = flow_to_acme()
    view = view_of(flow, provider=several())
    flow.request.content, flow.request.headers["x-mine"] = b"edited", "1"
    view.show(replace(TARGET, host="b.acme.example", path="/v1/b"))
    sent = view.request_with_key()
    assert (sent.host, sent.path, sent.raw_content) == ("b.acme.example", "/v1/b", b"edited")
    assert (sent.headers["host"], sent.headers["x-mine"]) == ("b.acme.example", "1")
    assert sent.headers["authorization"] == f"Bearer {KEY}"


def test_a_provider_without_a_key_is_sent_what_is_shown() -> None:
    flow = flow_to_acme()
    del flow.request.headers["authorization"]
    assert "authorization" not in view_of(flow, provider=acme(None)).request_with_key().headers


def test_the_clients_head_has_one_framing() -> None:
    view = view_of(flow_to_acme())
    answer = Head(200, [("content-length", "3"), ("x", "y")])
    assert view.client_head(answer, length=7).headers.fields == ((b"x", b"y"), (b"content-length", b"7"))
    assert view.client_head(answer, length=None).headers.fields == ((b"content-length", b"3"), (b"x", b"y"))
    unknown = view.client_head(Head(200, [("x", "y")]), length=None)
    assert unknown.headers.fields == ((b"x", b"y"), (b"transfer-encoding", b"chunked"))


def test_a_client_of_http_1_0_is_told_by_the_end_of_the_connection() -> None:
    flow = flow_to_acme()
    flow.request.http_version = "HTTP/1.0"
    assert view_of(flow).client_head(Head(200, []), length=None).headers.fields == ()


def test_a_client_that_closes_is_told_that_we_do() -> None:
    view = WireView(flow_to_acme(), InHand(client_closes=True), exchange())
    assert (b"connection", b"close") in view.client_head(Head(200, []), length=0).headers.fields


def test_the_reason_is_the_providers_or_the_standards() -> None:
    flow = flow_to_acme()
    view = view_of(flow)
    assert view.client_head(Head(404, []), length=0).reason == "Not Found"
    assert view.client_head(Head(799, []), length=0).reason == ""
    flow.response = tutils.tresp(status_code=200, reason=b"Fine")
    assert view.client_head(Head(200, []), length=0).reason == "Fine"
    assert view.client_head(Head(502, []), length=0).reason == "Bad Gateway"


def test_a_good_answer_is_shown_whole() -> None:
    flow = flow_to_acme()
    flow.response = tutils.tresp(content=b"")
    play = Playbook() >> begin() >> opened() >> head(200, JSON) >> data(BODY) >> ended()
    view = view_of(flow, play.exchange)
    assert view.settle(play.head, play.body) is True
    assert flow.response.raw_content == BODY
    assert flow.error is None
    told = flow.metadata
    assert (told["patchbay.provider"], told["patchbay.model"], told["patchbay.outcome"]) == ("acme", "big", "ok")
    assert told["patchbay.client_status"] == 200
    assert "patchbay.client_body" not in told  # it is the provider's, byte for byte
    assert "patchbay.body_cut" not in told


def test_a_refusal_of_the_providers_is_an_answer_and_shown_without_our_key() -> None:
    flow = flow_to_acme()
    flow.response = tutils.tresp(status_code=429, content=b"")
    play = Playbook(exchange(settings=Settings(secrets=lambda: [KEY]))) >> begin() >> opened() >> head(429, JSON)
    play >> data(b'{"error":"' + KEY.encode() + b'"}') >> ended()
    assert view_of(flow, play.exchange).settle(play.head, play.body) is True
    assert flow.response.raw_content == b'{"error":"[redacted]"}'
    assert KEY not in repr(flow.get_state())


@pytest.mark.parametrize("answered", [False, True])
def test_anything_else_is_an_error(answered: bool) -> None:
    flow = flow_to_acme()
    play = Playbook() >> begin() >> opened()
    if answered:
        flow.response = tutils.tresp(content=b"")
        play >> head(200, JSON) >> data(b'{"cho')
    play >> (failed() if answered else client_gone())
    assert view_of(flow, play.exchange).settle(None, None) is False
    assert flow.error
    assert flow.error.msg.startswith(str(play.account.outcome))
    if flow.response:
        assert flow.response.raw_content == b'{"cho'


def test_a_body_that_was_cut_says_so() -> None:
    flow = flow_to_acme()
    flow.response = tutils.tresp(content=b"")
    play = Playbook(exchange(settings=Settings(keep_limit=5))) >> begin() >> opened() >> head(200, JSON)
    play >> data(BODY) >> ended()
    view_of(flow, play.exchange).settle(None, None)
    assert flow.response.raw_content == BODY[:5]
    assert flow.metadata["patchbay.body_cut"] is True
    assert "after 5 bytes" in flow.comment


def test_what_is_not_edited_is_sent_as_it_is() -> None:
    flow = flow_to_acme()
    flow.response = tutils.tresp(content=b"")
    play = Playbook() >> begin() >> opened() >> head(200, JSON) >> data(BODY) >> ended()
    view = view_of(flow, play.exchange)
    assert play.head
    assert view.edited(play.head, BODY) == (play.head, BODY)
    view.settle(play.head, BODY)
    assert view.edited(play.head, BODY) == (play.head, BODY)
    flow.response.status_code = 201
    flow.response.content = None
    assert view.edited(play.head, BODY) == (replace(play.head, status=201), b"")


ERRORS = {
    "[Errno 111] Connect call failed ('10.0.0.1', 443)": Outcome.UPSTREAM_REFUSED,
    "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), …": Outcome.UPSTREAM_REFUSED,
    "[Errno -2] Name or service not known": Outcome.UPSTREAM_DNS,
    "[Errno -3] Temporary failure in name resolution": Outcome.UPSTREAM_DNS,
    "[Errno 8] nodename nor servname provided, or not known": Outcome.UPSTREAM_DNS,
    "[Errno 110] Connect call failed": Outcome.UPSTREAM_TIMEOUT_CONNECT,
    "[Errno 60] Operation timed out": Outcome.UPSTREAM_TIMEOUT_CONNECT,
    "Certificate verify failed: hostname mismatch": Outcome.UPSTREAM_TLS,
    "OpenSSL Error([('SSL routines', '', 'wrong version number')])": Outcome.UPSTREAM_TLS,
    "connection closed": Outcome.UPSTREAM_RESET,
    "[Errno 104] Connection reset by peer": Outcome.UPSTREAM_RESET,
    "[Errno 54] Connection reset by peer": Outcome.UPSTREAM_RESET,
    "": Outcome.UPSTREAM_REFUSED,
}


@pytest.mark.parametrize("error", ERRORS, ids=range(len(ERRORS)))
def test_what_a_connect_error_means(error: str) -> None:
    assert outcome_of(error) is ERRORS[error]


# Header fields become text and come back without loss, whatever their bytes.
@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12))))
def test_headers_come_back(fields: list[tuple[bytes, bytes]]) -> None:
    assert byte_headers(text_headers(tuple(fields))) == tuple(fields)


def test_what_the_client_sent_holds_plain_values_alone() -> None:
    flow: HTTPFlow = tflow.tflow()
    flow.request.path = "/v1/messages?x=1&api_key=s"
    flow.request.headers = Headers([(b"X-API-Key", b"s"), (b"cookie", b"s"), (b"x", b"\xff")])
    flow.request.data.content = b"\xffbody"
    told = client_request(flow.request, b"other")
    assert told.pop("patchbay.wire_body_hash") == body_hash(b"other")
    assert told == {
        "patchbay.client_request": "GET /v1/messages?x=1",
        "patchbay.client_request_headers": [["x", "\ufffd"]],
        "patchbay.client_request_body": "\ufffdbody",
    }
    assert "patchbay.client_request_body" not in client_request(flow.request, b"\xffbody")


def test_a_stream_says_when_its_pieces_came() -> None:
    flow = flow_to_acme()
    flow.response = tutils.tresp(content=b"")
    play = Playbook() >> begin() >> opened() >> head(200, [("content-type", "text/event-stream")])
    play >> data(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n') >> data(b"data: [DONE]\n\n") >> ended()
    view_of(flow, play.exchange).settle(play.head, None)
    pieces = read_pace(flow.metadata["patchbay.pace"])
    assert [size for size, _ in pieces] == [57, 14]
    assert sum(size for size, _ in pieces) == len(flow.response.raw_content or b"")
