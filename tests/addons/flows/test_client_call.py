"""The client's request, out of a flow that shows another one. (How it is replayed: test_replay.)"""

import pytest
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import tflow

from addons.flows.client_call import ClientCall, client_call
from addons.relay.wire_view import client_request


def shown(wire_body: bytes = b'{"model": "big-1"}') -> HTTPFlow:
    """A call as its flow shows it: what acme was sent."""
    flow: HTTPFlow = tflow.tflow(resp=True)
    request = flow.request
    request.method, request.path = "POST", "/v1/chat/completions?x=1"
    sent = {"host": "h", "x-odd": "1", "x-api-key": "mine", "Expect": "100-continue"}
    request.headers = Headers([(name.encode(), value.encode()) for name, value in sent.items()])
    request.data.content = b'{"model": "big"}'
    flow.metadata.update(client_request(request, wire_body))
    flow.metadata["patchbay.provider"] = "acme"
    request.path, request.data.content = "/other", wire_body
    return flow


def test_it_is_what_the_client_sent_without_what_belonged_to_its_connection() -> None:
    assert client_call(shown()) == ClientCall("POST", "/v1/chat/completions?x=1", [("x-odd", "1")], b'{"model": "big"}')


def test_a_body_that_passed_as_it_was_is_the_shown_one() -> None:
    call = client_call(shown(b'{"model": "big"}'))
    assert call is not None
    assert call.body == b'{"model": "big"}'


@pytest.mark.parametrize(
    ("edited", "body"),
    [
        (b'{"model": "big-1", "n": 2}', b'{"model": "acme/big-1", "n": 2}'),
        (b'{"n": 2}', b'{"n": 2}'),
        (b"no json", b"no json"),
        (None, b""),
    ],
)
def test_an_edited_one_goes_to_the_provider_that_is_shown(edited: bytes | None, body: bytes) -> None:
    flow = shown()
    flow.request.data.content = edited
    call = client_call(flow)
    assert call is not None
    assert call.body == body


def test_a_flow_that_was_no_call_has_none() -> None:
    assert client_call(tflow.tflow()) is None
