"""A provider's error answer in the client's words."""

import json

import pytest

from providers.exchange.account import Outcome
from providers.exchange.upstream_error import RetoldError, retell
from providers.wire.endpoints import Dialect

SECRET = "canary-0123456789abcdef"
CHAT = b'{"error": {"message": "bad tool", "type": "invalid_request_error", "param": null, "code": "c"}}'
MESSAGES = b'{"type": "error", "error": {"type": "invalid_request_error", "message": "bad tool"}}'


def told(dialect: Dialect, status: int, body: bytes, *, our_key: bool = False) -> RetoldError:
    return retell(dialect, status, body, provider="acme", our_key=our_key, secrets=[SECRET], request_id="pb-1")


@pytest.mark.parametrize(
    ("dialect", "body"), [(Dialect.CHAT, CHAT), (Dialect.RESPONSES, CHAT), (Dialect.MESSAGES, MESSAGES)]
)
def test_an_error_in_the_clients_dialect_passes_byte_for_byte(dialect: Dialect, body: bytes) -> None:
    error = told(dialect, 400, body)
    assert (error.status, error.body, error.message) == (400, body, "bad tool")
    assert error.outcome is Outcome.UPSTREAM_HTTP_ERROR


# body → what it says, in the shapes seen in the wild
SAID = {
    b'{"error":{"message":"m","code":"x"}}': ("m", "x"),
    b'{"error":{"message":"m","code":404}}': ("m", None),
    b'{"error":"m"}': ("m", None),
    b'{"message":"m","code":"y"}': ("m", "y"),
    b'{"detail":"m"}': ("m", None),
    b'{"detail":[{"loc":["body"],"msg":"m"}]}': ('[{"loc":["body"],"msg":"m"}]', None),
    b'["m"]': ('["m"]', None),
    b"  plain words\n": ("plain words", None),
    b"": ("acme answered with status 418.", None),
    b"<html><title>502</title>": ("acme answered with status 418.", None),
    b"\xff\xfe": ("\ufffd\ufffd", None),
    b"[" * 100_000: ("[" * 500, None),
}


@pytest.mark.parametrize("body", SAID, ids=range(len(SAID)))
def test_any_other_shape_is_rebuilt_around_what_it_says(body: bytes) -> None:
    message, code = SAID[body]
    error = told(Dialect.MESSAGES, 418, body)
    value = json.loads(error.body)
    assert (value["type"], value["error"]["message"], value["request_id"]) == ("error", message, "pb-1")
    further = {"detail": json.loads(message)} if message.startswith("[{") else None  # FastAPI's list of findings
    assert value["error"].get("details") == ({"error_code": code} if code else further)
    assert error.message == message


def test_an_anthropic_error_reaches_an_openai_client_in_openais_shape() -> None:
    value = json.loads(told(Dialect.CHAT, 400, b'{"type":"error","error":{"type":"t"}}').body)
    assert set(value) == {"error"}
    assert set(value["error"]) == {"message", "type", "param", "code"}


def test_overload_has_the_status_that_the_client_knows() -> None:
    assert told(Dialect.CHAT, 529, MESSAGES).status == 503
    assert told(Dialect.MESSAGES, 503, CHAT).status == 529


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_of_ours_that_is_refused_is_our_fault(status: int) -> None:
    error = told(
        Dialect.CHAT, status, b'{"error":{"message":"Incorrect API key: ' + SECRET.encode() + b'"}}', our_key=True
    )
    assert error.status == 502
    value = json.loads(error.body)["error"]
    assert value["code"] == "upstream_auth"
    assert SECRET not in value["message"]
    assert str(status) in value["message"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_of_the_clients_that_is_refused_is_told(status: int) -> None:
    error = told(Dialect.CHAT, status, CHAT)
    assert (error.status, error.body) == (status, CHAT)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("body", [CHAT, MESSAGES, b"bad tool"])
def test_no_key_is_passed_on(dialect: Dialect, body: bytes) -> None:
    error = told(dialect, 400, body.replace(b"bad tool", f"{SECRET} sk-proj-abcdefghijklmnop".encode()))
    for said in (error.body.decode(), error.message):
        assert SECRET not in said
        assert "sk-proj-" not in said


def test_a_rate_limit_is_one_in_the_record() -> None:
    assert told(Dialect.CHAT, 429, CHAT).outcome is Outcome.RATE_LIMITED
