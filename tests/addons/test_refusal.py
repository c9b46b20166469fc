"""Our own refusals speak the dialect of the path."""

import json

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons.refusal import _WORDS, refusal_for, refuse


@pytest.mark.parametrize("status", _WORDS)
@pytest.mark.parametrize("path", ["", "/", "/props", "/v1/chat/completions", "/v1/messages?beta=true", "/v1/responses"])
def test_every_status_has_words_in_every_dialect(path: str, status: int) -> None:
    refusal = refusal_for(path, status)
    value = json.loads(refusal.body)
    assert ("request_id" in value) is ("messages" in path)
    assert value["error"]["message"] == _WORDS[status]
    assert dict(refusal.headers) == {"content-type": "application/json", "content-length": str(len(refusal.body))}
    assert "mitmproxy" not in refusal.body.decode()
    assert "not found" not in refusal.body.decode()


def test_a_status_without_words_is_a_fault_of_ours() -> None:
    assert json.loads(refusal_for("/", 418).body)["error"]["message"] == _WORDS[500]


def test_overload_has_the_dialects_status() -> None:
    assert refusal_for("/v1/messages", 503).status == 529
    assert refusal_for("/v1/responses", 503).status == 503


def test_a_flow_is_answered_with_its_own_id() -> None:
    flow: HTTPFlow = tflow.tflow()
    flow.request.path = "/v1/messages"
    refuse(flow, 400, "no", code="because")
    assert flow.response
    value = flow.response.json()
    assert (value["request_id"], value["error"]["details"]) == (flow.id, {"error_code": "because"})
    assert flow.response.headers["x-request-id"] == flow.id
    assert flow.response.headers["content-type"] == "application/json"
    assert len(flow.response.headers.get_all("content-length")) == 1
