"""Which of a provider's response headers a client sees."""

import pytest

from providers.exchange.answer_head import client_headers, value_of, with_wait, without
from providers.wire.hop_by_hop import HOP_BY_HOP

EXTERNAL = [
    "Content-Type",
    "request-id",
    "x-request-id",
    "Retry-After",
    "retry-after-ms",
    "x-should-retry",
    "x-ratelimit-remaining-tokens",
    "anthropic-ratelimit-tokens-reset",
    "openai-processing-ms",
]


@pytest.mark.parametrize("name", EXTERNAL)
def test_an_external_providers_word_to_the_client_passes(name: str) -> None:
    assert client_headers([(name, "v")], external=True) == [(name, "v")]


@pytest.mark.parametrize("name", ["set-cookie", "server", "cf-ray", "alt-svc", "strict-transport-security", "via"])
def test_what_is_between_an_external_provider_and_us_stays_here(name: str) -> None:
    assert client_headers([(name, "v")], external=True) == []
    assert client_headers([(name, "v")], external=False) == [(name, "v")]


@pytest.mark.parametrize("external", [True, False])
@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_what_belongs_to_a_connection_stays_there(name: str, external: bool) -> None:
    assert client_headers([(name.title(), "v")], external=external) == []


def test_headers_that_connection_names_belong_to_it() -> None:
    headers = [("Connection", "close, X-Odd"), ("x-odd", "1"), ("x-even", "2"), ("x-even", "3")]
    assert client_headers(headers, external=False) == [("x-even", "2"), ("x-even", "3")]


def test_looking_up_and_leaving_out() -> None:
    headers = [("A", "1"), ("a", "2"), ("b", "3")]
    assert value_of(headers, "a") == "1"
    assert value_of(headers, "c") == ""
    assert without(headers, "a") == [("b", "3")]


@pytest.mark.parametrize(
    ("status", "seconds", "said", "told"),
    [
        (503, 7.2, [], ["8"]),
        (529, 0.0, [], ["1"]),
        (503, 5000.0, [], ["120"]),
        (503, None, [], []),
        (502, 7.0, [], []),
        (429, 7.0, [], []),
        (503, 7.0, [("Retry-After", "3")], ["3"]),
    ],
)
def test_a_client_that_nobody_took_on_is_told_when_to_come_back(
    status: int, seconds: float | None, said: list[tuple[str, str]], told: list[str]
) -> None:
    headers = with_wait([("a", "1"), *said], status, seconds)
    assert [value for name, value in headers if name.lower() == "retry-after"] == told
