"""Our own requests: over httpx's mock transport where the answer counts, over real sockets where the failure does."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from providers.addresses import parse_base_url
from providers.client import Client, Downloaded, Place, State, place_of
from providers.errors import Malformed, Rejected, TimedOut, Unauthorized, Unreachable, UpstreamError
from providers.kinds import KINDS
from providers.provider import Provider, Replica
from providers.secrets import Key
from providers.wire.endpoints import Dialect, Endpoint, Operation
from tests.fake_answers import whole
from tests.fake_tls import SERVERS, Authority
from tests.fake_upstream import FakeUpstream

pytestmark = pytest.mark.anyio
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> Client:
    return Client(httpx.MockTransport(handler))


def answering(status: int, content: bytes = b"{}") -> Client:
    return client(lambda request: httpx.Response(status, content=content))


def provider(kind: str, base_url: str = "http://h", *, key: str = "", name: str = "", problem: str = "") -> Provider:
    chosen = KINDS[kind]
    return chosen(
        name=name or kind,
        base_url=base_url,
        key=Key(key) if key else None,
        key_name=chosen.default_key_name,
        dialects=chosen.default_dialects,
        problem=problem,
    )


async def test_get_json() -> None:
    assert await answering(200, b'{"a": [1]}').get_json("http://h/", [("x", "1")]) == {"a": [1]}


@pytest.mark.parametrize(
    ("status", "content", "raised"),
    [
        (200, b"<html>", Malformed),
        (200, b"\xff", Malformed),
        (302, b"{}", Rejected),
        (401, b"{}", Unauthorized),
        (403, b"{}", Unauthorized),
        (404, b"{}", Rejected),
        (503, b"{}", Rejected),
        (200, b" " * (32 * 1024 * 1024 + 1), Malformed),
    ],
)
async def test_answers_that_are_none(status: int, content: bytes, raised: type[UpstreamError]) -> None:
    with pytest.raises(raised) as error:
        await answering(status, content).get_json("http://secret-host/", [])
    assert "secret-host" not in str(error.value)


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (httpx.ConnectTimeout("x"), TimedOut, "no answer within 5 s"),
        (httpx.ReadTimeout("x"), TimedOut, "no answer"),
        (httpx.ConnectError("secret-host"), Unreachable, "no connection"),
        (httpx.RemoteProtocolError("secret-host"), Malformed, "not HTTP"),
        (httpx.DecodingError("secret-host"), Malformed, "not HTTP"),
    ],
)
async def test_failures_are_named_without_addresses(
    raised: Exception, expected: type[UpstreamError], says: str
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(expected, match=says) as error:
        await client(fail).get_json("http://h", [])
    assert "secret-host" not in str(error.value)


async def test_a_refused_connection() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Unreachable, match="connection refused"):
            await Client().get_json(url, [])
        assert await Client().probe(provider("llamacpp", url)) == State(False, "unreachable: connection refused")


async def test_a_name_that_does_not_resolve() -> None:
    with pytest.raises(Unreachable, match="does not resolve"):
        await Client().get_json("http://nobody.invalid", [])


@pytest.mark.parametrize(
    ("said", "raised"),
    [(b"", Malformed), (b"garbage\r\n\r\n", Malformed), (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", Malformed)],
)
async def test_a_server_that_does_not_speak_http(said: bytes, raised: type[UpstreamError]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        with pytest.raises(raised):
            await Client().get_json(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", [])


async def test_one_deadline_over_everything() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            while True:  # each byte is in time, all of them never are
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started = asyncio.get_running_loop().time()
        with pytest.raises(TimedOut, match=r"within 0\.2 s"):
            await Client().get_json(url, [], timeout=0.2)
        assert asyncio.get_running_loop().time() - started < 1


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        assert await Client().get_json(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", []) == {}


@pytest.mark.parametrize(
    ("kind", "base_url", "asked", "header"),
    [
        ("llamacpp", "http://h:1", "http://h:1/v1/models", ("authorization", "Bearer k1")),
        ("anthropic", "http://h:1", "http://h:1/v1/models", ("x-api-key", "k1")),
        ("openai", "http://h:1/v1", "http://h:1/v1/models", ("authorization", "Bearer k1")),
        ("openrouter", "http://h:1/api/v1", "http://h:1/api/v1/key", ("authorization", "Bearer k1")),
        ("compatible", "http://h:1/v1", "http://h:1/v1/models", ("authorization", "Bearer k1")),
    ],
)
async def test_what_a_probe_asks(kind: str, base_url: str, asked: str, header: tuple[str, str]) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    assert str(await client(answer).probe(provider(kind, base_url, key="k1"))) == "ready"
    (request,) = seen
    assert (request.method, str(request.url)) == ("GET", asked)
    assert request.headers[header[0]] == header[1]
    assert request.headers["user-agent"] == "patchbay"
    assert ("anthropic-version" in request.headers) == (kind == "anthropic")


@pytest.mark.parametrize(
    ("status", "content", "given", "expected"),
    [
        (200, b"{}", provider("openai"), State(True, "ready")),
        (200, b"<html>", provider("openai"), State(True, "ready")),
        (404, b"", provider("compatible"), State(True, "ready")),
        (503, b"", provider("llamacpp", name="local"), State(False, "unreachable: answered 503")),
        (302, b"", provider("openai"), State(False, "unreachable: answered 302")),
        (
            401,
            b"",
            provider("openai", key="k1"),
            State(False, "unauthorized: it refuses the key in OPENAI_API_KEY (status 401)"),
        ),
        (
            403,
            b"",
            provider("compatible"),
            State(False, "unauthorized: it wants an API key, and none is configured (status 403)"),
        ),
        (401, b"", provider("llamacpp", name="local"), State(True, "ready (it wants an API key, which clients send)")),
        (500, b"", provider("openai", problem="no key: set X"), State(False, "no key: set X")),
        (500, b"", provider("demo", base_url=""), State(True, "ready")),
    ],
)
async def test_states(status: int, content: bytes, given: Provider, expected: State) -> None:
    assert await answering(status, content).probe(given) == expected


def test_probing_all_without_a_loop() -> None:
    given = [provider("openai"), provider("demo", base_url=""), provider("anthropic", problem="no key: set Y")]
    states = answering(200).probe_all_sync(given)
    assert {name: str(state) for name, state in states.items()} == {
        "openai": "ready",
        "demo": "ready",
        "anthropic": "no key: set Y",
    }


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 500])
async def test_a_knock_tells_the_status_and_can_run_nothing(status: int) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers={"location": "http://elsewhere"})

    endpoint = Endpoint(Dialect.MESSAGES, Operation.MESSAGES, "/messages", "/v1")
    local = provider("llamacpp", name="local", key="sk-1")
    assert await client(answer).knock(local, endpoint, [("authorization", "Bearer sk-client")]) == status
    (request,) = seen
    assert (request.method, request.url.path, request.content) == ("POST", "/v1/messages", b"")
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["user-agent"] == "patchbay"
    assert "anthropic-version" not in request.headers


async def test_a_knock_where_nobody_answers() -> None:
    endpoint = Endpoint(Dialect.MESSAGES, Operation.MESSAGES, "/messages", "/v1")

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        await client(refuse).knock(provider("llamacpp"), endpoint)
    with pytest.raises(TimedOut):
        await Client(httpx.MockTransport(never)).knock(provider("llamacpp"), endpoint, timeout=0.01)


SECOND_SERVER = Replica(parse_base_url("http://two:9/base"))


@pytest.mark.parametrize(
    ("kind", "path"), [("llamacpp", "/base/health"), ("compatible", "/base/models"), ("openrouter", "/base/key")]
)
@pytest.mark.parametrize("status", [200, 302, 401, 503])
async def test_a_look_asks_the_cheapest_question_and_reads_no_answer(kind: str, path: str, status: int) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers={"location": "http://elsewhere"}, text="no JSON")

    assert await client(answer).look(provider(kind, key="sk-1"), SECOND_SERVER) == status
    (request,) = seen
    assert (request.method, request.url.host, request.url.path) == ("GET", "two", path)
    assert request.headers["authorization"] == "Bearer sk-1"


async def test_a_look_where_nobody_answers() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        await client(refuse).look(provider("llamacpp"), SECOND_SERVER)


async def test_slots_are_asked_for_at_the_server() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.url.host, request.url.path) == ("two", "/base/slots")
        return httpx.Response(200, json=[{"id": 0}])

    assert await client(answer).slots(provider("llamacpp"), SECOND_SERVER) == [{"id": 0}]


async def test_one_of_several_servers_can_be_asked() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.url.host}{request.url.path}?{request.url.query.decode()}")
        return httpx.Response(200, json={})

    endpoint = Endpoint(Dialect.MESSAGES, Operation.MESSAGES, "/messages", "/v1")
    await client(answer).ask(provider("llamacpp"), "/models", "a=1", at=SECOND_SERVER)
    await client(answer).knock(provider("llamacpp"), endpoint, at=SECOND_SERVER)
    assert seen == ["two/base/v1/models?a=1", "two/base/v1/messages?"]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://h", Place("http://h", "http", "h", 80)),
        ("HTTPS://H:1/a?b#c", Place("https://h:1/a?b", "https", "h", 1)),
        ("https://[::1]/", Place("https://[::1]/", "https", "::1", 443)),
        ("http://\u00e4.example/\u00e4", Place("http://xn--4ca.example/%C3%A4", "http", "xn--4ca.example", 80)),
    ],
)
def test_where_an_address_leads(url: str, place: Place) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("location", "url"),
    [("/b", "https://h:1/b"), ("b", "https://h:1/a/b"), ("//other/b", "https://other/b"), ("http://h", "http://h")],
)
def test_where_a_redirect_leads(location: str, url: str) -> None:
    assert place_of(location, place_of("https://h:1/a/")).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "only http"),
        ("data:image/png;base64,AA", "only http"),
        ("http://", "no host"),
        ("http://user@h", "user name"),
        ("http://h:0", "port"),
        ("http://h:65536", "port"),
        ("http://h:a", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://h\x00", "cannot be read"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        place_of(url)


async def test_a_download_asks_the_given_address_and_follows_nothing() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.url.host, request.headers["host"]) == ("192.0.2.1", "h")
        if request.url.path == "/moved":
            return httpx.Response(301, headers={"location": "/there"})
        return httpx.Response(200, stream=httpx.ByteStream(b"abc"))

    one = client(answer)
    assert await one.download(place_of("https://h/"), "192.0.2.1", 3, 1) == Downloaded("", b"abc")
    assert await one.download(place_of("https://h/moved"), "192.0.2.1", 3, 1) == Downloaded("/there", b"")
    with pytest.raises(Malformed, match="larger than 2 bytes"):
        await one.download(place_of("https://h/"), "192.0.2.1", 2, 1)


@pytest.mark.parametrize("status", [300, 304, 401, 404, 500])
async def test_a_download_that_is_refused(status: int) -> None:
    with pytest.raises(Rejected, match=f"answered {status}"):
        await answering(status).download(place_of("https://h/"), "192.0.2.1", 9, 1)


async def test_a_download_from_an_address_with_a_zone() -> None:
    with pytest.raises(UpstreamError):
        await Client().download(place_of("http://h:1/"), "fe80::1%lo", 9, 0.2)


@pytest.mark.parametrize(("scheme", "raised"), [("http", Malformed), ("https", Unreachable)])
async def test_authorities_that_cannot_be_read_trust_nobody_and_matter_to_tls_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, raised: type[UpstreamError]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    authority = Authority.make(tmp_path)
    tls = SERVERS["nothing"](authority) if scheme == "https" else None
    with FakeUpstream(whole(b"no JSON", "text/plain"), tls=tls) as upstream:
        with pytest.raises(raised) as error:
            await Client().get_json(f"{upstream.url}/v1/models", [])
    assert ("trusted" in str(error.value)) is (scheme == "https")
