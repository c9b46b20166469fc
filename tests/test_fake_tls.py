"""The TLS faults are what they say, as a client that checks certificates sees them."""

import ssl

import pytest

from tests.fake_answers import speak
from tests.fake_steps import Close, Raw, Stall
from tests.fake_tls import ONLY_TLS_1_0, SERVERS, Authority
from tests.fake_upstream import FakeUpstream
from tests.rig_client import dial, read_answer, request_bytes

SAID = {
    "an expired certificate": "certificate has expired",
    "a certificate of the future": "not yet valid",
    "a certificate for another name": "mismatch",
    "a certificate of its own making": "self-signed certificate",
}


@pytest.fixture(name="authority", scope="module")
def fixture_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="client", scope="module")
def fixture_client(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


def asked(context: ssl.SSLContext, port: int) -> int:
    """The status of an answer under TLS."""
    with dial(port, seconds=1) as plain, context.wrap_socket(plain, server_hostname="localhost") as connected:
        connected.sendall(request_bytes("GET", "/props"))
        return read_answer(connected, "GET").status


def test_a_trusted_server_is_trusted(authority: Authority, client: ssl.SSLContext) -> None:
    with FakeUpstream(speak, tls=SERVERS["nothing"](authority)) as upstream:
        assert upstream.url == f"https://localhost:{upstream.port}"
        assert asked(client, upstream.port) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            asked(ssl.create_default_context(), upstream.port)


@pytest.mark.parametrize("wrong", SAID)
def test_a_server_with(wrong: str, authority: Authority, client: ssl.SSLContext) -> None:
    with FakeUpstream(speak, tls=SERVERS[wrong](authority)) as upstream:
        with pytest.raises(ssl.SSLError, match=SAID[wrong]):
            asked(client, upstream.port)
        assert not upstream.requests


def test_every_fault_has_its_test() -> None:
    assert SERVERS.keys() == {"nothing", *SAID}


def test_an_old_server_a_plain_one_and_a_silent_one_make_no_handshake(client: ssl.SSLContext) -> None:
    with FakeUpstream(speak) as upstream:
        upstream.greet((Raw(ONLY_TLS_1_0), Close()))
        with pytest.raises(ssl.SSLError, match="protocol version"):
            asked(client, upstream.port)
        upstream.greet((Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Stall()), (Stall(),))
        with pytest.raises(ssl.SSLError, match=r"(?i)wrong version|record layer"):
            asked(client, upstream.port)
        with pytest.raises(TimeoutError):
            asked(client, upstream.port)
