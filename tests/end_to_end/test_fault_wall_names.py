"""The fault wall, names (specs: faults, F4): a resolver that fails, stalls, or leads a call astray.

A resolver of ours stands in the program's place of the system's: names under `.test` and one official name are its own.
"""

import time
from collections.abc import Iterator

import pytest

from tests.rig_gateway import Behind, Gateway, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_wall import (
    EVERY_WAY,
    Told,
    assert_healthy,
    assert_kept,
    assert_refused,
    call,
    entry,
    wall_registry,
)

RESOLVER = """
import socket, time
asked = socket.getaddrinfo
def answer(host, port, *rest, **more):
    name = host.decode() if isinstance(host, bytes) else host
    if name == "broken.test":
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if name == "slow.test":
        time.sleep(3)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name in ("api.openai.com", "mine.test"):
        return asked("127.0.0.1", {port}, *rest, **more)
    return asked(host, port, *rest, **more)
socket.getaddrinfo = answer
"""
DEADLINES = "{connect: 0.4, head: 2, first_content: 2, gap: 2, total: 6}"
PLACES = {"broken": "broken.test", "slow": "slow.test", "mine": "mine.test"}
ASTRAY = Told(502, "upstream_forbidden_address", "upstream_dns")


@pytest.fixture(name="own", scope="module")
def fixture_own(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("names")
    (folder / "sitecustomize.py").write_text(RESOLVER.replace("{port}", str(all_upstreams.external.port)))
    entries = "".join(entry(name, f"http://{place}/{name}/v1", deadlines=DEADLINES) for name, place in PLACES.items())
    official = "  official: {kind: openai, base_url: http://api.openai.com/v1, api_key: ${OPENAI_API_KEY}}\n"
    registry = wall_registry(all_upstreams, [], entries=entries + official)
    env = {"PYTHONPATH": str(folder)}  # mitmdump: its event loop asks Python's resolver
    with run_gateway("mitmdump", all_upstreams, folder, registry=registry, env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_resolver_that_fails(gateway: Gateway, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "broken/m", stream=stream)
    assert_refused(heard, Told(503, "upstream_unavailable", "upstream_dns", retry_after=True))
    assert_kept(heard, "upstream_dns", [("broken", "upstream_dns")])


@pytest.mark.parametrize("stream", [False, True])
def test_a_resolver_that_stalls_holds_up_nobody_else(gateway: Gateway, stream: bool) -> None:
    heard = call(gateway, "chat", "slow/m", stream=stream)
    assert_refused(heard, Told(504, "upstream_timeout", "upstream_timeout_connect"))
    assert_kept(heard, "upstream_timeout_connect", [("slow", "upstream_timeout_connect")])
    began = time.monotonic()
    assert_healthy(call(gateway, "chat", "groq/some-model", stream=stream), provider="groq")
    assert time.monotonic() - began < 2  # it still stalls


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_an_official_name_that_leads_to_this_machine(gateway: Gateway, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "official/gpt-9", stream=stream)
    assert_refused(heard, ASTRAY, tries=1)
    assert_kept(heard, "upstream_dns", [("official", "upstream_dns")])
    assert not gateway.external.requests  # neither a call nor a key


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_name_of_ones_own_may_lead_here(gateway: Gateway, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "mine/m", stream=stream)
    assert_healthy(heard, provider="mine", tries=1)
