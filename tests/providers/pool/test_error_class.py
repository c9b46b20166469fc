"""What kind of failure an attempt met: every outcome, every status, and the words that say more than their status."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.account import Outcome
from providers.pool.error_class import ErrorClass, classify
from providers.wire.events import Failure
from providers.wire.reader import failure_of

HTTP = Outcome.UPSTREAM_HTTP_ERROR
BY_OUTCOME = {
    Outcome.CLIENT_ERROR: "request",
    Outcome.UPSTREAM_REFUSED: "refused",
    Outcome.UPSTREAM_DNS: "dns",
    Outcome.UPSTREAM_TLS: "tls",
    Outcome.UPSTREAM_TIMEOUT_CONNECT: "connect_timeout",
    Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE: "stall",
    Outcome.UPSTREAM_TIMEOUT_IDLE: "stall",
    Outcome.UPSTREAM_TIMEOUT_TOTAL: "ended",
    Outcome.UPSTREAM_PROTOCOL_ERROR: "malformed",
    Outcome.UPSTREAM_TRUNCATED: "cut",
    Outcome.CLIENT_DISCONNECTED: "ended",
    Outcome.SHED: "overloaded",
    Outcome.KILLED: "ended",
    Outcome.SHUTDOWN: "ended",
    Outcome.INTERNAL_ERROR: "ended",
    Outcome.ABORTED_BY_CRASH: "ended",
}


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("sent", [True, False])
def test_every_outcome_has_its_class(outcome: Outcome, sent: bool) -> None:
    if outcome is Outcome.OK:
        with pytest.raises(ValueError, match="ok is no failure"):
            classify(outcome, sent=sent)
    elif outcome is Outcome.UPSTREAM_RESET:
        assert classify(outcome, sent=sent) == ("cut" if sent else "reset")
    elif outcome in BY_OUTCOME:
        assert classify(outcome, sent=sent) == BY_OUTCOME[outcome]
    else:
        assert classify(outcome, sent=sent) == ("rate_limit" if outcome is Outcome.RATE_LIMITED else "server_error")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, "request") for status in (400, 404, 405, 409, 413, 415, 418, 422, 431, 451)),
        (401, "auth"),
        (403, "auth"),
        (402, "spend_limit"),
        (429, "rate_limit"),
        *((status, "server_error") for status in (408, 425, 500, 502, 505, 520, 521, 522, 523, 525, 599)),
        (501, "unsupported"),
        *((status, "overloaded") for status in (503, 529)),
        *((status, "gateway_timeout") for status in (504, 524)),
    ],
)
def test_a_status_without_words(status: int, expected: str) -> None:
    assert classify(HTTP, status) == expected


# Real bodies, as the providers send them.
SAID: list[tuple[int, dict[str, object], str]] = [
    (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, "spend_limit"),
    (400, {"type": "error", "error": {"type": "billing_error", "message": "Credit is too low"}}, "spend_limit"),
    (403, {"error": {"message": "flagged", "code": 403, "metadata": {"flagged_input": "x"}}}, "content_filter"),
    (403, {"error": {"message": "Your chosen model requires moderation", "code": 403}}, "content_filter"),
    (400, {"error": {"message": "Output blocked by content filtering policy", "type": "x"}}, "content_filter"),
    (400, {"error": {"message": "no", "code": "content_filter"}}, "content_filter"),
    (400, {"error": {"message": "no", "code": "content_policy_violation"}}, "content_filter"),
    (400, {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}, "context_length"),
    (413, {"error": {"message": "x", "code": "context_length_exceeded"}}, "context_length"),
    (429, {"error": {"message": "too many input tokens per minute", "code": "rate_limit_exceeded"}}, "rate_limit"),
    (500, {"error": {"message": "content filter crashed"}}, "server_error"),
    (500, {"error": {"message": "busy", "type": "overloaded_error"}}, "overloaded"),
    (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "loading"),
    (503, {"error": "Model acme/big is currently loading"}, "loading"),
    (503, {"error": {"message": "no slot", "type": "unavailable_error"}}, "overloaded"),
    (400, {"error": {"message": "Loading model"}}, "request"),
]


@pytest.mark.parametrize(("status", "body", "expected"), SAID)
def test_words_say_more_than_their_status(status: int, body: dict[str, object], expected: str) -> None:
    said = failure_of(json.loads(json.dumps(body)))
    outcome = Outcome.RATE_LIMITED if status == 429 else HTTP
    assert classify(outcome, status, said) == expected


@pytest.mark.parametrize("status", [None, 200])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Failure("Overloaded", type="overloaded_error"), "overloaded"),
        (Failure("slow down", type="rate_limit_error"), "rate_limit"),
        (Failure("x", code="429"), "rate_limit"),
        (Failure("x", type="invalid_request_error"), "request"),
        (Failure("prompt is too long", type="invalid_request_error"), "context_length"),
        (Failure("who knows"), "server_error"),
        (None, "server_error"),
    ],
)
def test_an_error_inside_a_200_is_what_it_says(status: int | None, said: Failure | None, expected: str) -> None:
    assert classify(HTTP, status, said) == expected


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_of_the_clients_own_is_its_own_affair(status: int) -> None:
    assert classify(HTTP, status, our_key=False) is ErrorClass.REQUEST


def test_a_limit_on_the_clients_own_key_is_still_a_limit() -> None:
    assert classify(Outcome.RATE_LIMITED, 429, our_key=False) is ErrorClass.RATE_LIMIT


words = st.sampled_from(["", "insufficient_quota", "content_filter", "503", "Loading model", "too many tokens", "x"])


# Whatever a provider says, there is a class for it, and the client's own mistakes are never taken for a server's.
@given(st.none() | st.integers(100, 999), words, words, words, st.booleans(), st.booleans())
def test_anything_has_a_class(
    status: int | None, message: str, kind: str, code: str, sent: bool, our_key: bool
) -> None:
    found = classify(HTTP, status, Failure(message, kind, code), sent=sent, our_key=our_key)
    assert found in ErrorClass
    if status in (400, 404, 409, 413, 422):
        assert found in ("request", "context_length", "content_filter", "spend_limit")
