"""Downloads images and files by URL for targets that download nothing themselves: a request made for a client.

Whoever may name an address to us may have us knock at it. So a name is resolved once, what it resolves to is judged,
and the connection goes to the very address that was judged; each redirect is judged anew. Addresses that are not of the
public internet are for clients that could reach them themselves (``private``). What comes is held to limits of size and
time and must be by its first bytes what the request calls it. Why a download failed is told without any address.
"""

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from providers.client import Client, Downloaded, Place, place_of
from providers.errors import Malformed, Unreachable, UpstreamError
from providers.wire.remote import Address, Inline

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MOST = 32
"""Addresses in one request."""
LARGEST = 20 * 1024 * 1024
"""Bytes of one download."""
SECONDS = 10.0
"""For one download, with all its redirects."""
SECONDS_IN_ALL = 30.0
_AT_ONCE = 4
_REDIRECTS = 3
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = "its host has no address on the public internet"
# How a file of a kind begins → its media type: what every model that sees can be given.
_BEGINNINGS: dict[str, dict[bytes, str]] = {
    "image": {
        b"\xff\xd8\xff": "image/jpeg",
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"GIF87a": "image/gif",
        b"GIF89a": "image/gif",
    },
    "document": {b"%PDF-": "application/pdf"},
}
_WANTED = {"image": "no JPEG, PNG, GIF or WebP image", "document": "no PDF document"}


class NotFetched(Exception):
    """What stands at ``address`` cannot be had; str() says why."""

    def __init__(self, address: Address, why: str) -> None:
        super().__init__(why)
        self.address = address


class Fetcher:
    """Downloads. ``resolve`` leads from a host and a port to its IP addresses; it raises OSError or ValueError."""

    def __init__(self, client: Client, resolve: Resolve | None = None) -> None:
        self._client = client
        self._resolve = resolve or _resolve

    async def fetch(self, addresses: Sequence[Address], *, room: int, private: bool) -> dict[Address, Inline]:
        """Download all, each once, four at a time.

        ``room`` is how many bytes of base64 still fit into the request. Raises NotFetched for the first that fails,
        and drops the others.
        """
        if len(addresses) > MOST:
            raise NotFetched(addresses[MOST], f"more than {MOST} addresses in one request")
        fetching = _Fetching(self._client, self._resolve, room, private)
        try:
            async with asyncio.timeout(SECONDS_IN_ALL), asyncio.TaskGroup() as group:
                for address in addresses:
                    group.create_task(fetching.fetch(address))
        except ExceptionGroup as failures:
            failed, others = failures.split(NotFetched)
            if failed is None or others is not None:
                raise  # a fault of ours
            raise failed.exceptions[0] from failures
        except TimeoutError as late:
            missing = next(address for address in addresses if address not in fetching.found)
            raise NotFetched(missing, f"all downloads together took longer than {SECONDS_IN_ALL:g} s") from late
        return {address: fetching.found[address] for address in addresses}


class _Fetching:
    """The downloads of one request."""

    def __init__(self, client: Client, resolve: Resolve, room: int, private: bool) -> None:
        self.found: dict[Address, Inline] = {}
        self._client = client
        self._resolve = resolve
        self._room = room
        self._private = private
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, address: Address) -> None:
        async with self._turn:
            try:
                async with asyncio.timeout(SECONDS):
                    content = await self._content(place_of(address.url))
            except TimeoutError as error:
                raise NotFetched(address, f"it took longer than {SECONDS:g} s") from error
            except (UpstreamError, ValueError) as error:
                raise NotFetched(address, str(error)) from error
        media_type = media_type_of(content, address.kind)
        if not media_type:
            raise NotFetched(address, f"what came is {_WANTED[address.kind]}")
        data = base64.b64encode(content).decode()
        self._room -= len(data)
        if self._room < 0:
            raise NotFetched(address, "the request would become larger than allowed (PATCHBAY_MAX_BODY_BYTES)")
        self.found[address] = Inline(media_type, data)

    async def _content(self, place: Place) -> bytes:
        """What is there, or where it sends us on to. Raises UpstreamError, ValueError."""
        for _ in range(1 + _REDIRECTS):
            came = await self._get(place)
            if not came.location:
                return came.body
            place = place_of(came.location, place)
        raise Malformed(f"it redirects more than {_REDIRECTS} times")

    async def _get(self, place: Place) -> Downloaded:
        """Ask one address of the place after the other, until one can be reached."""
        *others, last = await self._judged(place)
        for address in others:
            try:
                return await self._client.download(place, address, LARGEST, SECONDS)
            except Unreachable:
                continue
        return await self._client.download(place, last, LARGEST, SECONDS)

    async def _judged(self, place: Place) -> list[str]:
        """The addresses that may be asked, at least one; IPv4 first, which works on more networks."""
        try:
            found = [ipaddress.ip_address(address) for address in await self._resolve(place.host, place.port)]
        except (OSError, ValueError) as error:
            # Whether an internal name exists is not for everybody to know.
            raise Unreachable("its host name does not resolve" if self._private else _NOT_PUBLIC) from error
        allowed = sorted((ip for ip in found if self._private or is_public(ip)), key=lambda ip: ip.version)
        if not allowed:
            raise Unreachable(_NOT_PUBLIC)
        return [str(ip) for ip in allowed]


def media_type_of(content: bytes, kind: str) -> str:
    """The media type of an ``image`` or a ``document`` by its first bytes, "" if it is none that all targets take."""
    if kind == "image" and content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((name for begins, name in _BEGINNINGS[kind].items() if content.startswith(begins)), "")


def is_public(ip: IP) -> bool:
    """Whether an address is one of the public internet, also by what is embedded in it."""
    if isinstance(ip, ipaddress.IPv6Address):
        if inner := ip.ipv4_mapped or ip.sixtofour:
            return is_public(inner)
        if ip in _NAT64:
            return is_public(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if ip.is_site_local or ip.teredo:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
