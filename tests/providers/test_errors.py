"""Errors as the clients' own SDKs read them."""

import json
from collections.abc import Callable

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import ErrorResponse

from providers.errors import ConfigurationError, Problem, error_body, redact, redact_bytes, status_for, stream_error
from providers.wire.endpoints import Dialect

STATUSES = [400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 451, 500, 501, 502, 503, 504, 520, 529]
OPENAI_DIALECTS = [Dialect.CHAT, Dialect.RESPONSES]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("dialect", OPENAI_DIALECTS)
def test_openai_shape(dialect: Dialect, status: int) -> None:
    body = json.loads(error_body(dialect, status, "It failed.", request_id="r1"))
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"] == "It failed."
    assert body["error"]["type"]


@pytest.mark.parametrize("status", STATUSES)
def test_anthropic_shape_is_the_sdks_own(status: int) -> None:
    body = error_body(Dialect.MESSAGES, status, "It failed.", request_id="r1")
    parsed = ErrorResponse.model_validate_json(body)
    assert (parsed.type, parsed.request_id, parsed.error.message) == ("error", "r1", "It failed.")


@pytest.mark.parametrize(
    ("status", "openai_type", "anthropic_type"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "invalid_request_error", "authentication_error"),
        (404, "invalid_request_error", "not_found_error"),
        (418, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (501, "invalid_request_error", "invalid_request_error"),
        (502, "server_error", "api_error"),
        (503, "server_error", "overloaded_error"),
        (504, "timeout", "timeout_error"),
        (520, "server_error", "api_error"),
        (529, "server_error", "overloaded_error"),
    ],
)
def test_words_of_a_status(status: int, openai_type: str, anthropic_type: str) -> None:
    assert json.loads(error_body(Dialect.CHAT, status, "x", request_id=""))["error"]["type"] == openai_type
    assert json.loads(error_body(Dialect.MESSAGES, status, "x", request_id=""))["error"]["type"] == anthropic_type


def test_code_and_type_given_win() -> None:
    chat = json.loads(error_body(Dialect.CHAT, 503, "x", code="upstream_unavailable", type="own", request_id=""))
    assert (chat["error"]["code"], chat["error"]["type"]) == ("upstream_unavailable", "own")
    messages = json.loads(
        error_body(Dialect.MESSAGES, 503, "x", code="upstream_unavailable", type="own", request_id="")
    )
    assert messages["error"]["type"] == "own"
    assert messages["error"]["details"] == {"error_code": "upstream_unavailable"}


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_message_holds_no_key_and_never_says_not_found(dialect: Dialect) -> None:
    said = error_body(dialect, 404, "Model sk-abcdefgh12345678 Not Found\ud800", request_id="")
    assert b"sk-abcdefgh" not in said
    assert b"not found" not in said.lower()
    json.loads(said)


@pytest.mark.parametrize(
    ("dialect", "status", "expected"),
    [
        (Dialect.CHAT, 529, 503),
        (Dialect.RESPONSES, 529, 503),
        (Dialect.MESSAGES, 529, 529),
        (Dialect.MESSAGES, 503, 529),
        (Dialect.CHAT, 503, 503),
        (Dialect.MESSAGES, 404, 404),
    ],
)
def test_status_for(dialect: Dialect, status: int, expected: int) -> None:
    assert status_for(dialect, status) == expected


def answering(stream: bytes) -> httpx2.MockTransport:
    """A server that begins a 200 stream and then says ``stream``."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

    return httpx2.MockTransport(answer)


def chat(transport: httpx2.MockTransport) -> None:
    client = openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=httpx2.Client(transport=transport))
    list(client.chat.completions.create(model="m", messages=[], stream=True))


def responses(transport: httpx2.MockTransport) -> None:
    client = openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=httpx2.Client(transport=transport))
    list(client.responses.create(model="m", input="x", stream=True))


def messages(transport: httpx2.MockTransport) -> None:
    client = anthropic.Anthropic(api_key="x", base_url="http://x", http_client=httpx2.Client(transport=transport))
    list(client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}], stream=True))


@pytest.mark.parametrize(
    ("dialect", "call", "raised"),
    [
        (Dialect.CHAT, chat, openai.APIError),
        (Dialect.RESPONSES, responses, openai.APIError),
        (Dialect.MESSAGES, messages, anthropic.APIStatusError),
    ],
)
def test_stream_error_makes_the_sdk_raise(
    dialect: Dialect, call: Callable[[httpx2.MockTransport], None], raised: type[Exception]
) -> None:
    event = stream_error(dialect, 502, "It broke off.", code="upstream_truncated", request_id="r", sequence_number=7)
    with pytest.raises(raised, match="It broke off"):
        call(answering(b": hello\n\n" + event))


def test_stream_error_of_responses_is_the_documented_event_too() -> None:
    lines = stream_error(Dialect.RESPONSES, 504, "late", request_id="r", sequence_number=7).decode().split("\n")
    assert lines[0] == "event: error"
    event = json.loads(lines[1].removeprefix("data: "))
    assert (event["type"], event["code"], event["message"], event["param"]) == ("error", "timeout", "late", None)
    assert event["sequence_number"] == 7
    bare = stream_error(Dialect.RESPONSES, 504, "late", request_id="r")
    assert b"sequence_number" not in bare


FIELDS: dict[str, object] = {"error_code": "ramp_limit_exceeded", "limits": [{"left": 0, "ok": True, "at": 1.5}]}


@pytest.mark.parametrize("dialect", OPENAI_DIALECTS)
def test_detail_is_metadata_of_an_openai_error(dialect: Dialect) -> None:
    body = json.loads(error_body(dialect, 429, "slow", request_id="r", detail=FIELDS))
    assert body["error"]["metadata"] == FIELDS
    plain = json.loads(error_body(dialect, 429, "slow", request_id="r"))
    assert body["error"] == {**plain["error"], "metadata": FIELDS}
    assert json.loads(error_body(dialect, 429, "slow", request_id="r", detail={})) == plain


def test_detail_is_the_details_of_a_messages_error() -> None:
    said = error_body(Dialect.MESSAGES, 429, "slow", request_id="r", detail=FIELDS)
    ErrorResponse.model_validate_json(said)
    assert json.loads(said)["error"]["details"] == FIELDS
    coded = json.loads(error_body(Dialect.MESSAGES, 429, "slow", code="own", request_id="r", detail=FIELDS))
    assert coded["error"]["details"] == {**FIELDS, "error_code": "own"}


@pytest.mark.parametrize("dialect", list(Dialect))
def test_message_and_detail_hold_no_secret(dialect: Dialect) -> None:
    secrets = ["127.0.0.1:9001", "plainsecret"]
    detail: dict[str, object] = {
        "raw": "at 127.0.0.1:9001: Model Not Found",
        "plainsecret": [{"key": ["sk-abcdefgh12345678"]}],
        "number": float("nan"),
    }
    for said in (
        error_body(dialect, 500, "plainsecret", request_id="", detail=detail, secrets=secrets),
        stream_error(dialect, 500, "plainsecret", request_id="", detail=detail, secrets=secrets),
    ):
        for hidden in (b"127.0.0.1", b"plainsecret", b"sk-abc", b"Not Found", b"NaN"):
            assert hidden not in said
        assert b"Model unavailable" in said
        assert b'"number":null' in said


def test_detail_that_is_nested_too_deeply_is_not_told() -> None:
    nested: object = "sk-abcdefgh12345678"
    for _ in range(5000):
        nested = [nested]
    body = json.loads(error_body(Dialect.CHAT, 500, "x", request_id="", detail={"deep": nested}))
    assert "[redacted]" in json.dumps(body)


def test_the_sdks_show_the_detail() -> None:
    response = httpx2.Response(429, request=httpx2.Request("POST", "http://x"))
    body = json.loads(error_body(Dialect.MESSAGES, 429, "slow", request_id="r", detail=FIELDS))
    raised = anthropic.RateLimitError("slow", response=response, body=body)
    assert raised.error_code == "ramp_limit_exceeded"
    assert raised.details is not None
    event = stream_error(Dialect.CHAT, 429, "slow", request_id="r", detail=FIELDS)
    with pytest.raises(openai.APIError) as caught:
        chat(answering(event))
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["metadata"] == FIELDS
    event = stream_error(Dialect.MESSAGES, 429, "slow", request_id="r", detail=FIELDS)
    with pytest.raises(anthropic.APIStatusError) as refused:
        messages(answering(event))
    assert refused.value.error_code == "ramp_limit_exceeded"


def test_a_spent_quota_is_called_so_in_type_and_code() -> None:
    error = json.loads(error_body(Dialect.CHAT, 429, "x", code="insufficient_quota", request_id=""))["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")


def test_stream_errors_end_with_one_blank_line() -> None:
    for dialect in Dialect:
        event = stream_error(dialect, 500, "a\nb", request_id="r")
        assert event.endswith(b"\n\n")
        assert event.count(b"\n\n") == 1


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            Problem("registry.yaml", 3, "a.b", "is bad", "x, y", "x"),
            "registry.yaml:3: a.b: is bad; allowed: x, y; did you mean 'x'?",
        ),
        (Problem("environment", 0, "NAME", "is bad"), "environment: NAME: is bad"),
        (Problem(".env", 2, "", "is bad"), ".env:2: is bad"),
        (Problem("environment", 0, "A", "is 'sk-abcdefghijkl'"), "environment: A: is '[redacted]'"),
    ],
)
def test_problem_as_text(problem: Problem, said: str) -> None:
    assert str(problem) == said


def test_configuration_error_is_the_whole_message() -> None:
    error = ConfigurationError([Problem("f", 1, "a", "is x"), Problem("f", 2, "b", "is y")])
    assert str(error) == "f:1: a: is x\nf:2: b: is y"
    assert len(error.problems) == 2


def test_redaction_is_offered_here() -> None:
    assert redact("sk-abcdefgh12345678") == "[redacted]"
    assert redact_bytes(b"sk-abcdefgh12345678") == b"[redacted]"
