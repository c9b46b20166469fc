"""Providers of each kind: where a call goes, with which headers. One table per question."""

import pickle

import pytest
from pydantic import SecretStr

from providers.addresses import parse_base_url
from providers.kinds import KINDS
from providers.provider import Deadlines, Provider, Replica
from providers.secrets import Key
from providers.wire.endpoints import Dialect, endpoint_of

KEY = "sk-canary-0123456789"


def make(kind: str, base_url: str = "", name: str = "", *, key: SecretStr | None = None) -> Provider:
    """Make a provider as the registry would."""
    chosen = KINDS[kind]
    return chosen(
        name=name or kind,
        base_url=base_url or chosen.default_base_url,
        key=key,
        key_name=chosen.default_key_name,
        dialects=chosen.default_dialects,
        deadlines=chosen.default_deadlines,
    )


@pytest.mark.parametrize(
    ("kind", "base_url", "asked", "expected"),
    [
        ("anthropic", "", "/v1/messages", "https://api.anthropic.com:443/v1/messages"),
        ("anthropic", "", "/messages", "https://api.anthropic.com:443/v1/messages"),
        ("anthropic", "http://h:1/gw", "/api/v1/messages/count_tokens", "http://h:1/gw/v1/messages/count_tokens"),
        ("openai", "", "/chat/completions", "https://api.openai.com:443/v1/chat/completions"),
        ("openai", "", "/api/v1/responses", "https://api.openai.com:443/v1/responses"),
        ("openrouter", "", "/v1/chat/completions", "https://openrouter.ai:443/api/v1/chat/completions"),
        ("openrouter", "", "/v1/messages", "https://openrouter.ai:443/api/v1/messages"),
        ("compatible", "http://[::1]:9/openai/v1", "/v1/embeddings", "http://[::1]:9/openai/v1/embeddings"),
        ("llamacpp", "", "/v1/chat/completions", "http://127.0.0.1:8080/v1/chat/completions"),
        ("llamacpp", "", "/chat/completions", "http://127.0.0.1:8080/chat/completions"),
        ("llamacpp", "", "/api/v1/messages", "http://127.0.0.1:8080/v1/messages"),
        ("llamacpp", "http://h/llama", "/rerank", "http://h:80/llama/rerank"),
        ("demo", "", "/v1/messages", "http://demo.invalid:80/messages"),
    ],
)
def test_where_a_call_goes(kind: str, base_url: str, asked: str, expected: str) -> None:
    endpoint = endpoint_of("POST", asked)
    assert endpoint is not None
    provider = make(kind, base_url)
    assert provider.url_for(endpoint).url == expected
    assert provider.url_for(endpoint, "beta=true&key=secret").url == f"{expected}?beta=true"
    assert provider.url_for(endpoint, "key=secret").url == expected


def test_a_models_path_keeps_its_id() -> None:
    endpoint = endpoint_of("GET", "/v1/models/a/b%20c")
    assert endpoint is not None
    assert make("anthropic").url_for(endpoint).path == "/v1/models/a/b%20c"


def test_the_local_server_gets_the_query_as_it_came_unless_a_key_is_ours() -> None:
    endpoint = endpoint_of("POST", "/v1/messages")
    assert endpoint is not None
    assert make("llamacpp", name="local").url_for(endpoint, "key=theirs").path == "/v1/messages?key=theirs"
    assert make("llamacpp", name="local", key=Key(KEY)).url_for(endpoint, "key=theirs").path == "/v1/messages"


def test_a_request_that_is_no_call_goes_as_it_is() -> None:
    assert make("llamacpp", "http://h/llama").destination("/slots?key=1&x").path == "/llama/slots?key=1&x"
    with pytest.raises(ValueError, match="has no address"):
        make("demo").destination("/")


def test_address() -> None:
    assert make("anthropic").address == ("api.anthropic.com", 443)
    assert make("demo").address is None


@pytest.mark.parametrize(
    ("kind", "real", "shown"),
    [
        ("anthropic", ("x-api-key", KEY), ("x-api-key", "<ANTHROPIC_API_KEY>")),
        ("openai", ("authorization", f"Bearer {KEY}"), ("authorization", "Bearer <OPENAI_API_KEY>")),
        ("openrouter", ("authorization", f"Bearer {KEY}"), ("authorization", "Bearer <OPENROUTER_API_KEY>")),
    ],
)
def test_credentials(kind: str, real: tuple[str, str], shown: tuple[str, str]) -> None:
    assert make(kind, key=Key(KEY)).auth_headers() == [real]
    assert make(kind, key=Key(KEY)).placeholder_headers() == [shown]
    assert make(kind).auth_headers() == make(kind).placeholder_headers() == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "demo"])
def test_a_key_never_shows(kind: str) -> None:
    provider = make(kind, "http://h", key=Key(KEY))
    assert KEY not in repr(provider) + str(provider)
    assert KEY not in str(provider.placeholder_headers())
    assert KEY not in str(provider.request_headers([], dialect=Dialect.CHAT))
    with pytest.raises(TypeError):
        pickle.dumps(provider)


@pytest.mark.parametrize("kind", list(KINDS))
def test_kind_says_its_own_name_and_is_documented(kind: str) -> None:
    assert KINDS[kind].kind == kind
    assert KINDS[kind].__doc__


@pytest.mark.parametrize(
    ("kind", "name", "external"),
    [
        ("llamacpp", "local", False),
        ("llamacpp", "gpu", True),
        ("compatible", "local", True),
        ("openai", "openai", True),
        ("demo", "demo", True),
    ],
)
def test_only_the_local_llama_server_is_not_external(kind: str, name: str, external: bool) -> None:
    assert make(kind, "http://h", name).external is external


def test_who_speaks_what() -> None:
    spoken = {kind: set(KINDS[kind].default_dialects) for kind in KINDS}
    everything = set(Dialect)
    assert spoken == {
        "llamacpp": everything,
        "anthropic": {Dialect.MESSAGES},
        "openai": {Dialect.CHAT, Dialect.RESPONSES},
        "openrouter": everything,
        "compatible": {Dialect.CHAT},
        "demo": everything,
    }


def test_default_deadlines() -> None:
    assert make("openai").deadlines == Deadlines(connect=5, head=60, first_content=60, gap=120, total=3600)
    assert make("llamacpp").deadlines == Deadlines(connect=5, head=600, first_content=600, gap=120, total=3600)


def test_request_headers_follow_the_kind() -> None:
    client = [("Authorization", "Bearer mine"), ("X-Title", "mine"), ("OpenAI-Organization", "mine"), ("X-Own", "1")]
    local = make("llamacpp", name="local").request_headers(client, dialect=Dialect.CHAT)
    assert local == [*client, ("accept-encoding", "identity")]
    gpu = make("llamacpp", name="gpu").request_headers(client, dialect=Dialect.CHAT)
    assert gpu == [("accept-encoding", "identity")]
    openrouter = make("openrouter").request_headers(client, dialect=Dialect.CHAT)
    assert openrouter == [("X-Title", "mine"), ("accept-encoding", "identity")]


def test_attribution_gives_way_to_the_client_and_account_does_not() -> None:
    referer = (("HTTP-Referer", "https://ours"), ("X-Title", "ours"))
    openrouter = KINDS["openrouter"](name="openrouter", base_url="http://h", attribution=referer)
    sent = openrouter.request_headers([("x-title", "mine")], dialect=Dialect.CHAT)
    assert sent == [("x-title", "mine"), ("HTTP-Referer", "https://ours"), ("accept-encoding", "identity")]
    account = (("OpenAI-Organization", "ours"),)
    openai = KINDS["openai"](name="openai", base_url="http://h", dialects=frozenset(Dialect), account=account)
    sent = openai.request_headers([("openai-organization", "mine")], dialect=Dialect.CHAT)
    assert [value for name, value in sent if name.lower() == "openai-organization"] == ["ours"]


def test_a_call_may_go_to_any_of_its_servers() -> None:
    asked = endpoint_of("POST", "/v1/chat/completions")
    assert asked is not None
    second = Replica(parse_base_url("https://h:2/v1"), 3)
    assert (second.name, second.weight) == ("https://h:2/v1", 3)
    assert make("openai").url_for(asked, "a=1&key=s", second).url == "https://h:2/v1/chat/completions?a=1"
    (only,) = make("openai").replicas
    assert make("openai").url_for(asked, at=only) == make("openai").url_for(asked)
