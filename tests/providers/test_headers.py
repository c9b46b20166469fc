"""What of a client's request reaches whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.headers import CREDENTIALS, IDENTITY, for_external, for_local, without_keys
from providers.wire.endpoints import Dialect

CLIENT = [
    ("Host", "gateway"),
    ("Content-Type", "application/json"),
    ("Content-Length", "12"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, br"),
    ("Authorization", "Bearer client"),
    ("X-Api-Key", "client"),
    ("api-key", "client"),
    ("Cookie", "a=b"),
    ("Connection", "keep-alive, X-Hop"),
    ("X-Hop", "1"),
    ("User-Agent", "sdk/1"),
    ("anthropic-version", "2099-01-01"),
    ("Anthropic-Beta", "a"),
    ("Anthropic-Beta", "b"),
    ("OpenAI-Beta", "x=v1"),
    ("OpenAI-Organization", "org-client"),
    ("openai-project", "proj-client"),
    ("X-Title", "client's"),
    ("traceparent", "00-1-2-01"),
    ("Idempotency-Key", "i1"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("x-stainless-os", "Linux"),
    ("X-Unknown", "1"),
]
COMMON = [
    ("Content-Type", "application/json"),
    ("Accept", "*/*"),
    ("User-Agent", "sdk/1"),
    ("traceparent", "00-1-2-01"),
    ("Idempotency-Key", "i1"),
]


def test_external_messages() -> None:
    sent = for_external(CLIENT, dialect=Dialect.MESSAGES, spoken={Dialect.MESSAGES})
    anthropic = [("anthropic-version", "2099-01-01"), ("Anthropic-Beta", "a"), ("Anthropic-Beta", "b")]
    assert sorted(sent) == sorted([*COMMON, *anthropic, IDENTITY])


@pytest.mark.parametrize("dialect", [Dialect.CHAT, Dialect.RESPONSES])
def test_external_openai_dialects(dialect: Dialect) -> None:
    sent = for_external(CLIENT, dialect=dialect, spoken={dialect})
    assert sorted(sent) == sorted([*COMMON, ("OpenAI-Beta", "x=v1"), IDENTITY])


def test_a_dialects_headers_stay_where_it_is_not_spoken() -> None:
    assert sorted(for_external(CLIENT, dialect=Dialect.MESSAGES, spoken={Dialect.CHAT})) == sorted([*COMMON, IDENTITY])


def test_version_is_added_where_a_client_sent_none() -> None:
    assert ("anthropic-version", "2023-06-01") in for_external([], dialect=Dialect.MESSAGES, spoken={Dialect.MESSAGES})
    assert for_external([], dialect=Dialect.CHAT, spoken=set(Dialect)) == [IDENTITY]


def test_clients_own_value_wins_over_a_default() -> None:
    defaults = [("X-Title", "ours"), ("HTTP-Referer", "https://ours")]
    sent = for_external(CLIENT, dialect=Dialect.CHAT, spoken=set(), also={"x-title", "http-referer"}, defaults=defaults)
    assert ("X-Title", "client's") in sent
    assert ("X-Title", "ours") not in sent
    assert ("HTTP-Referer", "https://ours") in sent


def test_local_gets_everything_but_what_belongs_to_the_connection() -> None:
    sent = for_local(CLIENT, own_key=False)
    dropped = {"host", "content-length", "accept-encoding", "connection", "x-hop"}
    assert sent == [*((name, value) for name, value in CLIENT if name.lower() not in dropped), IDENTITY]


def test_local_with_a_key_of_its_own_gets_no_client_credentials() -> None:
    names = {name.lower() for name, _ in for_local(CLIENT, own_key=True)}
    assert not names & CREDENTIALS
    assert "x-unknown" in names


# An external provider never sees a client's credential, whatever its spelling and wherever it stands.
@given(
    st.lists(st.tuples(st.sampled_from(sorted(CREDENTIALS)).map(str.title), st.just("canary"))),
    st.sampled_from(Dialect),
)
def test_no_credential_goes_out(headers: list[tuple[str, str]], dialect: Dialect) -> None:
    assert "canary" not in str(for_external(headers, dialect=dialect, spoken=set(Dialect)))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("beta=true", "beta=true"),
        ("key=1&beta=true", "beta=true"),
        ("a=%20x&API_KEY=1&b&&token=2", "a=%20x&b&"),
        ("api-key=1&access_token=2&%6bey=3&Key", ""),
        ("keyboard=1&tokens=2", "keyboard=1&tokens=2"),
        ("", ""),
    ],
)
def test_query_without_keys(query: str, kept: str) -> None:
    assert without_keys(query) == kept
