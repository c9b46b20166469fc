"""Addresses: taken apart, and compared without asking anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.addresses import is_led_astray, is_loopback, is_same_address, parse_base_url, parse_listen


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path", "shown"),
    [
        ("http://127.0.0.1:8080", "http", "127.0.0.1", 8080, "", "http://127.0.0.1:8080"),
        ("https://api.openai.com/v1", "https", "api.openai.com", 443, "/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com:8443/v1/", "https", "api.openai.com", 8443, "/v1", "https://api.openai.com:8443/v1"),
        ("http://[::1]:9001/x/", "http", "::1", 9001, "/x", "http://[::1]:9001/x"),
        ("HTTP://LocalHost", "http", "localhost", 80, "", "http://localhost"),
    ],
)
def test_base_url_is_taken_apart(text: str, scheme: str, host: str, port: int, path: str, shown: str) -> None:
    url = parse_base_url(text)
    assert (url.scheme, url.host, url.port, url.path) == (scheme, host, port, path)
    assert str(url) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("127.0.0.1:8080", "must begin with http://"),
        ("ftp://host", "must begin with http://"),
        ("http://", "names no host"),
        ("http://user:hunter2@host", "user name or a password"),
        ("http://:hunter2@host", "user name or a password"),
        ("http://host/v1?key=hunter2", "query"),
        ("http://host/v1#x", "fragment"),
        ("http://host:99999", "is not a URL"),
        ("http://user:hunter2", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("http://ho st", "space"),
        ("http://höst", "outside ASCII"),
        ("http://host/\r\nx: y", "control"),
    ],
)
def test_base_url_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        parse_base_url(text)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8088", ("127.0.0.1", 8088)),
        (" localhost:0 ", ("localhost", 0)),
        ("[::1]:8088", ("::1", 8088)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_listen_address(text: str, expected: tuple[str, int]) -> None:
    assert parse_listen(text) == expected


@pytest.mark.parametrize("text", ["", "8088", ":8088", "::1:8088", "host", "host:", "host:x", "http://h:1", "h:65536"])
def test_listen_address_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not HOST:PORT|highest"):
        parse_listen(text)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "127.0.0.1",
        "127.3.2.1",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "a.localhost",
        "127.1",
        "2130706433",
    ],
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example", "1.2", "", "0x"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("one", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "127.1", "::"])
@pytest.mark.parametrize("other", ["127.0.0.1", "localhost", "::1", "0.0.0.0"])
def test_all_names_of_this_machine_are_one_address(one: str, other: str) -> None:
    assert is_same_address((one, 8088), (other, 8088))
    assert not is_same_address((one, 8088), (other, 8089))
    assert not is_same_address((one, 0), (other, 0))


def test_other_hosts_are_the_same_only_by_name() -> None:
    assert is_same_address(("Gpu", 1), ("gpu", 1))
    assert not is_same_address(("gpu", 1), ("127.0.0.1", 1))


# A base URL that was accepted reads the same when it is read again.
@given(st.from_regex(r"https?://[a-z0-9.]{1,9}(:[1-9][0-9]{0,3})?(/[a-z0-9./]{0,9})?", fullmatch=True))
def test_base_url_round_trip(text: str) -> None:
    url = parse_base_url(text)
    assert parse_base_url(str(url)) == url


OFFICIAL = "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("host", "official", "peer", "astray"),
    [
        ("api.openai.com", OFFICIAL, "127.0.0.1", True),
        ("api.openai.com", OFFICIAL, "::1", True),
        ("api.openai.com", OFFICIAL, "162.159.140.245", False),
        ("api.openai.com", OFFICIAL, "10.0.0.7", False),  # a company's own way out
        ("mine.example", OFFICIAL, "127.0.0.1", False),
        ("127.0.0.1", OFFICIAL, "127.0.0.1", False),
        ("127.0.0.1", "http://127.0.0.1:8080", "127.0.0.1", False),
        ("mine.example", "", "127.0.0.1", False),
    ],
)
def test_only_an_official_name_can_be_led_astray(host: str, official: str, peer: str, astray: bool) -> None:
    assert is_led_astray(host, official, peer) is astray
