"""Addresses: where we listen, where a provider is, whether the two are the same. No name is ever looked up."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LISTEN = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\[\]:\s/]+)):(?P<port>[0-9]{1,5})")
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A provider's base URL, taken apart; ``path`` has no slash at its end, ``host`` no brackets."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parse_base_url(text: str) -> BaseUrl:
    """Take ``http(s)://host[:port][/path]`` apart; ValueError says what is wrong, quoting nothing."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a URL: its host or its port cannot be read") from error
    _refuse_unusable(text, parts.scheme, parts.hostname, parts.username is not None or "@" in parts.netloc)
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("has a query or a fragment: leave it at scheme, host, port and path")
    return BaseUrl(parts.scheme, parts.hostname or "", port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"))


def _refuse_unusable(text: str, scheme: str, host: str | None, has_user: bool) -> None:
    if not text.isascii() or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("has a space, a control character or a letter outside ASCII")
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("must begin with http:// or https://")
    if has_user:
        raise ValueError("holds a user name or a password: a key belongs into the environment")
    if not host:
        raise ValueError("names no host")


def parse_listen(text: str) -> tuple[str, int]:
    """``127.0.0.1:8088``, ``localhost:8088`` or ``[::1]:8088`` as (host, port); ValueError says what is wrong."""
    found = _LISTEN.fullmatch(text.strip())
    if not found:
        raise ValueError("is not HOST:PORT")
    if (port := int(found["port"])) > 65535:
        raise ValueError(f"has the port {port}; the highest is 65535")
    return (found["v6"] or found["host"], port)


def is_loopback(host: str) -> bool:
    """Say whether ``host`` (a name or an address, with or without brackets) is this machine and nobody else."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare in _LOOPBACK_NAMES or bare.endswith(".localhost"):
        return True
    address = _address(bare)
    return address is not None and address.is_loopback


def is_led_astray(host: str, official_url: str, peer: str) -> bool:
    """Say whether a connection to ``host`` has ended at ``peer``, where that host cannot be.

    True only for the host of a provider's official address (``official_url``, "" where a kind has none) that leads to
    this machine: somebody else answers DNS here, and would be handed the key. Any other name may do so rightly: people
    run proxies, tunnels and servers of their own under names of their own.
    """
    official = urlsplit(official_url).hostname
    return official == host and not is_loopback(host) and is_loopback(peer)


def is_same_address(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Say whether a connection to ``one`` ends at a listener on ``other``.

    Every loopback name and address counts as the same; port 0 (any free port) is the same as nothing.
    """
    if one[1] != other[1] or not one[1]:
        return False
    here = [is_loopback(host) or _is_any(host) for host, _ in (one, other)]
    return all(here) or one[0].strip("[]").lower() == other[0].strip("[]").lower()


def _is_any(host: str) -> bool:
    address = _address(host.strip("[]"))
    return address is not None and address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that ``host`` spells, also as ``127.1`` or ``2130706433``, which a resolver accepts too."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _short_ipv4(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _short_ipv4(host: str) -> ipaddress.IPv4Address | None:
    if not re.fullmatch(r"[0-9A-Fa-fxX.]+", host) or not host[:1].isdigit():
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
