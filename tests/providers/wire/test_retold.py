"""Errors in the words of another dialect; the bodies are as the providers write them."""

import json
from typing import Any, get_args

import pytest
from anthropic.types.shared import error_type
from openai.types.responses import ResponseError

from providers.wire.endpoints import Dialect
from providers.wire.events import Failure
from providers.wire.retold import Retold, detail_of, retell_body, retell_failure, status_of

CHAT, MESSAGES, RESPONSES = Dialect.CHAT, Dialect.MESSAGES, Dialect.RESPONSES
OPENAI_LONG = (
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens. "
    "Please reduce the length of the messages."
)


def told(client: Dialect, status: int, body: Any) -> Retold:
    text = body if isinstance(body, str) else json.dumps(body)
    return retell_body(client, status, text.encode(), "far")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "invalid_request_error", "message": "prompt is too long: 210,000 tokens > 200000 maximum"}),
        (400, {"message": OPENAI_LONG.replace("128000", "200000").replace("130001", "210000"), "code": None}),
        (
            400,
            {
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 210000,
                "n_ctx": 200000,
                "code": 400,
            },
        ),
        (400, {"message": "request (210000 tokens) exceeds the available context size (200000 tokens)"}),
    ],
)
def test_a_prompt_that_is_too_long_is_told_with_both_numbers(status: int, error: dict[str, Any]) -> None:
    to_messages, to_chat = told(MESSAGES, status, {"error": error}), told(CHAT, status, {"error": error})
    assert to_messages.message == "prompt is too long: 210000 tokens > 200000 maximum"
    assert to_chat.message.startswith("This model's maximum context length is 200000 tokens. However, your messages")
    assert "210000 tokens" in to_chat.message
    for retold in (to_messages, to_chat, told(RESPONSES, status, {"error": error})):
        assert (retold.status, retold.code) == (400, "context_length_exceeded")


def test_a_prompt_that_is_too_long_without_numbers_keeps_what_was_said() -> None:
    error = {"code": "context_length_exceeded", "message": "Your input is much too long"}
    assert told(MESSAGES, 400, {"error": error}).message == "prompt is too long: Your input is much too long"
    assert told(CHAT, 400, {"error": error}).message == "Your input is much too long"
    repeated = {"type": "invalid_request_error", "message": "prompt is too long: shorten it"}
    assert told(MESSAGES, 400, {"type": "error", "error": repeated}).message == "prompt is too long: shorten it"


def test_other_errors_may_speak_of_a_context() -> None:
    error = {"type": "api_error", "message": "could not load the context window cache"}
    assert told(MESSAGES, 500, {"type": "error", "error": error}).code is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            429,
            {"error": {"message": "slow", "type": "tokens", "code": "rate_limit_exceeded", "param": None}},
            Retold(429, "slow", "rate_limit_exceeded", {}),
        ),
        (
            400,
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "no", "details": {"error_code": "credits_low"}},
                "request_id": "req_1",
            },
            Retold(400, "no", "credits_low", {"error_code": "credits_low", "request_id": "req_1"}),
        ),
        (
            429,  # OpenRouter
            {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "slow"}}},
            Retold(429, "Provider returned error", None, {"raw": "slow"}),
        ),
        (
            422,
            {"detail": "Field required"},
            Retold(422, "Field required", None, {}),
        ),  # Mistral
        (404, {"code": "Some resource", "error": "no model"}, Retold(404, "no model", "Some resource", {})),  # xAI
        (503, "<html>Bad gateway</html>", Retold(503, "far answered with status 503.", None, {})),
        (503, "upstream connect error", Retold(503, "upstream connect error", None, {})),
        (500, "", Retold(500, "far answered with status 500.", None, {})),
        (500, "[1]", Retold(500, "far answered with status 500.", None, {})),
        (500, {"odd": 1}, Retold(500, "far answered with status 500.", None, {"odd": 1})),
        (  # Google's chat endpoint
            400,
            [{"error": {"code": 400, "message": "no key", "status": "INVALID_ARGUMENT", "details": [{"reason": "r"}]}}],
            Retold(400, "no key", None, {"status": "INVALID_ARGUMENT", "details": [{"reason": "r"}]}),
        ),
        (500, [{"odd": 1}], Retold(500, "far answered with status 500.", None, {})),
        (500, '"a text"', Retold(500, '"a text"', None, {})),
    ],
)
def test_a_body_in_any_shape(status: int, body: Any, expected: Retold) -> None:
    assert told(CHAT, status, body) == expected


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure("x", "overloaded_error"), 529),
        (Failure("x", "", "429"), 429),
        (Failure("x", "", "99"), 502),
        (Failure("x", "rate_limit_error", "odd"), 429),
        (Failure("x", "server_error", "rate_limit_exceeded"), 429),
        (Failure("prompt is too long", "api_error"), 400),
        (Failure("x"), 502),
    ],
)
def test_a_failure_inside_a_stream_has_the_status_it_would_have_had(failure: Failure, status: int) -> None:
    assert status_of(failure) == status
    assert retell_failure(CHAT, failure, "far").status == status


@pytest.mark.parametrize(
    "word", [*get_args(error_type.ErrorType), *get_args(ResponseError.model_fields["code"].annotation)]
)
def test_every_word_of_both_vendors_has_a_status(word: str) -> None:
    """A word that an SDK's typed models gain fails here until its status is decided."""
    for failure in (Failure("x", word), Failure("x", "", word)):
        assert status_of(failure) != 502


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (
            {"type": "rate_limit_error", "message": "m", "details": {"error_code": "ramp_limit_exceeded", "n": 1}},
            {"error_code": "ramp_limit_exceeded", "n": 1},
        ),
        (
            {"code": 502, "message": "m", "metadata": {"provider_name": "P", "raw": "{}"}, "user_id": "user_1"},
            {"provider_name": "P", "raw": "{}"},
        ),
        ({"message": "m", "type": "t", "code": None, "param": "messages[0]"}, {"param": "messages[0]"}),
        ({"message": "m", "param": None, "details": None, "metadata": "text"}, {"metadata": "text"}),
        ({"message": "m", "metadata": {"raw": " <html>a page</html>", "same": "m", "kept": 0}}, {"kept": 0}),
        ({"message": "m", "details": {"n": 1}, "metadata": {"n": 2}, "n": 3}, {"n": 3}),
        ({"message": "m", "n_ctx": 4096, "n_prompt_tokens": 5000}, {"n_ctx": 4096, "n_prompt_tokens": 5000}),
    ],
)
def test_the_detail_is_what_no_dialect_has_a_field_for(error: dict[str, Any], detail: dict[str, object]) -> None:
    assert told(CHAT, 500, {"error": error}).detail == detail
    alone = {"type": "error", "sequence_number": 3, **{name: value for name, value in error.items() if name != "type"}}
    assert told(CHAT, 500, alone).detail == detail


def test_nothing_of_an_answer_is_taken_for_detail() -> None:
    ended = {"index": 0, "delta": {"content": "secret words"}, "finish_reason": "error"}
    assert detail_of(Failure("m", raw=json.dumps(ended))) == {}
    inside = {**ended, "error": {"code": 502, "message": "m", "metadata": {"provider_name": "P"}}}
    assert detail_of(Failure("m", raw=json.dumps(inside))) == {"provider_name": "P"}
    chunk = {"id": "c", "choices": [ended], "error": {"message": "m", "odd": 1}}
    assert told(CHAT, 500, chunk).detail == {"odd": 1}
    assert detail_of(Failure("m")) == {}
