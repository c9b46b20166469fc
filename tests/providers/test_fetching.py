"""Downloads: what is asked where, what is let through, and what is never asked."""

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Callable, Coroutine, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import fetching
from providers.client import Client
from providers.fetching import MOST, Fetcher, NotFetched, is_public, media_type_of
from providers.wire.remote import Address, Inline

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\nthe rest"
PDF = b"%PDF-1.7 the rest"
PUBLIC, OTHER, PRIVATE = "8.8.8.8", "2606:4700::1111", "10.1.2.3"
ROOM = 1 << 20
Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def image(url: str = "https://pics.example/a") -> Address:
    return Address("image", url)


def said(content: bytes = PNG, status: int = 200, *headers: tuple[str, str]) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(content), headers=headers)


def answering(content: bytes = PNG, status: int = 200) -> Handler:
    return lambda _request: said(content, status)


NAMES = {"pics.example": [PUBLIC], "inner.example": [PRIVATE], "both.example": [PRIVATE, OTHER, PUBLIC]}


async def resolve(host: str, _port: int) -> Sequence[str]:
    if host not in NAMES:
        raise socket.gaierror(-2, "Name or service not known")
    return NAMES[host]


async def fetched(
    handler: Handler, *addresses: Address, room: int = ROOM, private: bool = False
) -> dict[Address, Inline]:
    fetcher = Fetcher(Client(httpx.MockTransport(handler)), resolve)
    return await fetcher.fetch(addresses or (image(),), room=room, private=private)


async def refusal(handler: Handler, *addresses: Address, room: int = ROOM, private: bool = False) -> str:
    with pytest.raises(NotFetched) as caught:
        await fetched(handler, *addresses, room=room, private=private)
    assert caught.value.address in (addresses or (image(),))
    for secret in (*NAMES, PUBLIC, PRIVATE, "secret"):
        assert secret not in str(caught.value)
    return str(caught.value)


async def test_what_stands_there_comes_as_base64_under_its_own_type() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return said(PDF if "b" in request.url.path else PNG, 200, ("content-type", "text/html"))

    one, other = image("https://pics.example:8443/a?q=1#part"), Address("document", "http://pics.example/b")
    assert await fetched(answer, one, other) == {
        one: Inline("image/png", base64.b64encode(PNG).decode()),
        other: Inline("application/pdf", base64.b64encode(PDF).decode()),
    }
    # The connection goes to the address that was judged; the name is told to the server and to TLS.
    assert [str(request.url) for request in asked] == [f"https://{PUBLIC}:8443/a?q=1", f"http://{PUBLIC}/b"]
    assert [request.headers["host"] for request in asked] == ["pics.example:8443", "pics.example"]
    assert [request.extensions["sni_hostname"] for request in asked] == ["pics.example"] * 2
    assert {name for request in asked for name in request.headers} <= {
        "host", "user-agent", "accept", "accept-encoding", "connection",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        (PNG, "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"GIF87a", "image", "image/gif"),
        (b"GIF89a", "image", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8", "image", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "image", ""),
        (PDF, "document", "application/pdf"),
        (PDF, "image", ""),
        (PNG, "document", ""),
        (b"<svg/>", "image", ""),
        (b"", "image", ""),
    ],
)
def test_what_a_file_is_by_its_bytes(content: bytes, kind: str, media_type: str) -> None:
    assert media_type_of(content, kind) == media_type


@given(st.binary(max_size=40), st.sampled_from(["image", "document"]))
def test_any_bytes_are_judged(content: bytes, kind: str) -> None:
    # What is let through begins as files of that type do; anything else has no type.
    found = media_type_of(content, kind)
    assert not found or content[:4] in (b"\x89PNG", b"GIF8", b"RIFF", b"%PDF") or content[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (answering(b"<html>secret</html>"), "no JPEG, PNG, GIF or WebP image"),
        (answering(PDF), "no JPEG, PNG, GIF or WebP image"),
        (answering(b""), "no JPEG, PNG, GIF or WebP image"),
        (answering(status=404), "answered 404"),
        (answering(status=500), "answered 500"),
        (answering(status=401), "answered 401"),
        (answering(status=304), "answered 304"),
        (answering(b"x" * (fetching.LARGEST + 1)), "larger than 20971520 bytes"),
    ],
    ids=["page", "document", "nothing", "404", "500", "401", "304", "huge"],
)
async def test_what_is_not_let_through(handler: Handler, why: str) -> None:
    assert why in await refusal(handler)


async def test_packed_content_is_not_unpacked() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["accept-encoding"])
        return said(b"\x1f\x8b gzip", 200, ("content-encoding", "gzip"))

    assert "no JPEG" in await refusal(answer)
    assert seen == ["identity"]


async def test_a_document_is_a_pdf() -> None:
    assert "no PDF document" in await refusal(answering(), Address("document", "https://pics.example/a"))


def never(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("asked")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://inner.example/secret", "no address on the public internet"),
        ("https://nobody.example/", "no address on the public internet"),
        ("ftp://pics.example/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("https:///a", "names no host"),
        ("https://user:secret@pics.example/", "user name or a password"),
        ("https://pics.example:99999/", "port"),
        ("https://pics.example:0/", "port"),
        ("https://pics.example:x/", "cannot be read"),
        ("https://pics.exam\nple/", "cannot be read"),
        ("https://" + "a." * 200 + "\u00e4/", "cannot be read"),
    ],
)
async def test_what_is_never_asked(url: str, why: str) -> None:
    assert why in await refusal(never, image(url))


async def test_who_may_reach_it_anyway_is_served_from_private_networks_too() -> None:
    assert await fetched(answering(), image("http://inner.example/"), private=True)
    assert "does not resolve" in await refusal(never, image("http://nobody.example/"), private=True)


async def test_only_public_addresses_of_a_name_are_asked_one_after_the_other() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == PUBLIC:
            raise httpx.ConnectError("refused")
        return said()

    assert await fetched(answer, image("https://both.example/"))
    assert asked == [PUBLIC, OTHER]


async def test_the_last_address_tells_why() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("secret")

    assert await refusal(answer, image("https://both.example/")) == "no connection"


async def test_redirects_are_judged_each() -> None:
    hops = {"/1": "/2", "/2": "http://pics.example/3", "/3": "//pics.example/4"}

    def answer(request: httpx.Request) -> httpx.Response:
        to = hops.get(request.url.path)
        return said(b"", 302, ("location", to)) if to else said()

    assert await fetched(answer, image("https://pics.example/1"))
    hops["/4"] = "/5"
    assert "redirects more than 3 times" in await refusal(answer, image("https://pics.example/1"))


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("https://inner.example/", "no address on the public internet"),
        ("https://nobody.example/", "no address on the public internet"),
        ("ftp://pics.example/", "only http and https"),
        ("https://secret@pics.example/", "user name or a password"),
    ],
)
async def test_a_redirect_leads_nowhere_else(to: str, why: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return said(b"", 302, ("location", to))

    assert why in await refusal(answer)
    assert len(asked) == 1


async def test_all_together_are_bounded() -> None:
    both = (image(), image("https://pics.example/b"))
    size = len(base64.b64encode(PNG))
    assert len(await fetched(answering(), *both, room=2 * size)) == 2
    assert "PATCHBAY_MAX_BODY_BYTES" in await refusal(answering(), *both, room=2 * size - 1)
    many = tuple(image(f"https://pics.example/{at}") for at in range(MOST + 1))
    assert len(await fetched(answering(), *many[:-1])) == MOST
    assert f"more than {MOST}" in await refusal(never, *many)


async def test_four_at_once_and_one_that_fails_ends_the_others() -> None:
    running = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(0.01 if request.url.path < "/8" else 3600)
        finally:
            running -= 1
        return said(status=404 if request.url.path == "/7" else 200)

    many = tuple(image(f"https://pics.example/{at}") for at in range(10))
    assert await refusal(answer, *many) == "answered 404"
    assert (most, running) == (4, 0)


async def test_one_has_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.02)

    async def late(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    assert "0.02 s" in await refusal(late)


async def test_a_name_has_the_same_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.02)

    async def slow(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(3600)
        return []

    with pytest.raises(NotFetched, match=r"longer than 0\.02 s"):
        await Fetcher(Client(httpx.MockTransport(never)), slow).fetch([image()], room=ROOM, private=False)


async def test_all_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS_IN_ALL", 0.05)

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600 if request.url.path == "/slow" else 0)
        return said()

    slow = image("https://pics.example/slow")
    with pytest.raises(NotFetched, match=r"together took longer than 0\.05 s") as caught:
        await fetched(answer, image(), slow)
    assert caught.value.address == slow


async def test_a_fault_of_ours_is_not_told_as_the_clients() -> None:
    async def broken(_host: str, _port: int) -> Sequence[str]:
        raise KeyError("ours")

    with pytest.raises(ExceptionGroup):
        await Fetcher(Client(), broken).fetch([image()], room=ROOM, private=False)


async def test_it_asks_the_machines_own_resolver() -> None:
    """``127.1`` and ``2130706433`` are spellings of an address that a resolver takes, and a look at the text misses."""
    for host in ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"):
        with pytest.raises(NotFetched, match="no address on the public internet"):
            await Fetcher(Client()).fetch([image(f"http://{host}:1/")], room=ROOM, private=False)


async def test_it_works_over_a_socket() -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(PNG) + PNG)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        there = image(f"http://localhost:{port}/a")
        assert await Fetcher(Client()).fetch([there], room=ROOM, private=True)
    assert f"host: localhost:{port}".encode() in seen[0].lower()


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 192.0.0.1 198.18.0.1 224.0.0.1
    240.0.0.1 255.255.255.255 :: ::1 ::10.0.0.1 fe80::1 fc00::1 fec0::1 ff02::1 ff0e::1 2001:db8::1 ::ffff:10.0.0.1
    ::ffff:127.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 2002:a00:1::1 2002:7f00:1:: 2001:0:1::1""".split(),
)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", "8.8.8.8 1.1.1.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1".split()
)
def test_what_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    # No IPv6 spelling of an IPv4 address opens what that address itself does not.
    spellings = (0xFFFF << 32, int(ipaddress.IPv6Address("64:ff9b::")))
    for head in spellings:
        assert is_public(ipaddress.IPv6Address(head + int(inner))) == is_public(inner)
    assert is_public(ipaddress.IPv6Address((0x2002 << 112) + (int(inner) << 80))) <= is_public(inner)
