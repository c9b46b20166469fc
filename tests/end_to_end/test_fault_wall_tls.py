"""The fault wall, TLS (specs: faults, F13): a server that cannot prove who it is gets no request and no key.

The authority of the tests is the one that the program trusts, so that each server fails for its own reason alone.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.fake_answers import speak
from tests.fake_steps import Close, Raw, Reset, Script, Stall
from tests.fake_tls import ONLY_TLS_1_0, SERVERS, Authority
from tests.fake_upstream import FakeUpstream
from tests.rig_gateway import WAYS, Behind, Gateway, run_gateway
from tests.rig_wall import (
    EVERY_WAY,
    SECOND,
    Told,
    assert_healthy,
    assert_kept,
    assert_refused,
    call,
    entry,
    own_name,
    wall_registry,
)

DEADLINES = "{connect: 0.7, head: 2, first_content: 2, gap: 2, total: 6}"
TLS = Told(502, "upstream_tls", "upstream_tls")
# A server without TLS where TLS is due: what it does with a connection → how that is told.
PLAIN: dict[str, tuple[Script, Told]] = {
    "TLS 1.0 and nothing newer": ((Raw(ONLY_TLS_1_0), Close()), TLS),
    "plain HTTP": ((Raw(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), Stall()), TLS),
    "a silent handshake": ((Stall(),), TLS),
    "a reset handshake": ((Reset(),), Told(502, "upstream_reset", "upstream_reset")),
}
WRONG = [name for name in SERVERS if name != "nothing"]
FAULTS = {**dict.fromkeys(WRONG, TLS), **{name: told for name, (_, told) in PLAIN.items()}}
# What is wrong must stand in no answer, so it stands in no provider's name either.
SLUGS = {fault: f"tls{number}" for number, fault in enumerate(("nothing", *FAULTS))}


@dataclass(frozen=True, slots=True)
class Servers:
    """The running program, and the servers behind it that speak TLS or should."""

    gateway: Gateway
    by_fault: dict[str, FakeUpstream]


@pytest.fixture(name="servers", scope="module", params=WAYS)
def fixture_servers(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority.make(folder)
    env = {"PATCHBAY_ATTEMPTS": "3", "SSL_CERT_FILE": str(authority.file)}
    with contextlib.ExitStack() as stack:
        servers = {
            fault: stack.enter_context(FakeUpstream(speak, tls=make(authority))) for fault, make in SERVERS.items()
        }
        for fault, (script, _) in PLAIN.items():
            servers[fault] = stack.enter_context(FakeUpstream(speak))
            servers[fault].greet(script)
        registry = registry_of(all_upstreams, servers)
        gateway = stack.enter_context(
            run_gateway(str(request.param), all_upstreams, folder, registry=registry, env=env)
        )
        yield Servers(gateway, servers)
        assert "Traceback" not in gateway.program.output


def registry_of(upstreams: Behind, servers: dict[str, FakeUpstream]) -> str:
    """The standard one, with two providers for each case at its server."""
    names = {
        own_name(SLUGS[fault], *way, kind): server
        for fault, server in servers.items()
        for way in EVERY_WAY
        for kind in ("alone", "pair")
    }
    entries = "".join(
        entry(name, f"https://localhost:{server.port}/v1", deadlines=DEADLINES) for name, server in names.items()
    )
    pairs = "".join(f"  {name}: {{targets: [{name}/m, {SECOND}/some-model]}}\n" for name in names)
    return wall_registry(upstreams, [], entries=entries, models=pairs)


@pytest.fixture(name="gateway")
def fixture_gateway(servers: Servers, upstreams: Behind) -> Gateway:
    assert servers.gateway.behind is upstreams
    return servers.gateway


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_server_that_proves_who_it_is(gateway: Gateway, servers: Servers, dialect: str, stream: bool) -> None:
    name = own_name(SLUGS["nothing"], dialect, stream)
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert_healthy(heard, provider=name, tries=1)
    assert_kept(heard, "ok", [(name, "ok")])
    assert servers.by_fault["nothing"].requests


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", FAULTS)
def test_alone(gateway: Gateway, servers: Servers, fault: str, dialect: str, stream: bool) -> None:
    told, name = FAULTS[fault], own_name(SLUGS[fault], dialect, stream)
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    error = assert_refused(heard, told)
    assert name in error["message"]
    assert "certificate" not in repr(heard.answer).lower()
    tries = 3 if told.code == "upstream_reset" else 1  # a certificate does not get better
    assert_kept(heard, told.outcome, [(name, told.outcome)] * tries, who="upstream")
    assert not servers.by_fault[fault].requests  # never in plain


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", FAULTS)
def test_another_answers(gateway: Gateway, servers: Servers, fault: str, dialect: str, stream: bool) -> None:
    name = own_name(SLUGS[fault], dialect, stream, "pair")
    heard = call(gateway, dialect, name, stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, FAULTS[fault].outcome), (SECOND, "ok")])
    assert not servers.by_fault[fault].requests
