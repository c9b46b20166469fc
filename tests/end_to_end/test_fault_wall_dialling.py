"""The fault wall, dialling: no connection comes about, or it dies before an answer has begun (specs: faults, F1 to F7).

Alone, the client gets a real error of its dialect; with a healthy second target it gets that one's answer. Every case
has a provider of its own, so that neither its breaker nor its retry budget has heard of another case.
"""

import time
from collections.abc import Iterator

import pytest

from tests.fake_ports import black_hole, refused_port
from tests.fake_steps import Close, Reset, Script
from tests.rig_gateway import WAYS, Behind, Gateway, run_gateway
from tests.rig_metrics import assert_counted
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
    own_names,
    path,
    wall_registry,
)

IMPATIENT = "{connect: 0.3, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}"
# Where nobody answers → what that is told as, alone. All of them cost nothing, so they are repeated and passed on.
NOBODY = {
    "refused": Told(503, "upstream_unavailable", "upstream_refused", retry_after=True),
    "hole": Told(504, "upstream_timeout", "upstream_timeout_connect"),
    "nameless": Told(503, "upstream_unavailable", "upstream_dns", retry_after=True),
}
# The connection ends when the request was sent: the model may be at work, so nobody else is asked unless told so.
SENT: dict[str, Script] = {"resets": (Reset(),), "closes": (Close(),)}
RESET = Told(502, "upstream_reset", "upstream_reset")


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("dialling")
    with refused_port() as refused, black_hole() as hole:
        registry = registry_of(all_upstreams, f"127.0.0.1:{refused}", f"127.0.0.1:{hole}")
        env = {"PATCHBAY_ATTEMPTS": "2"}
        with run_gateway(str(request.param), all_upstreams, folder, registry=registry, env=env) as gateway:
            yield gateway
            assert_counted(gateway)
            assert "Traceback" not in gateway.program.output


def registry_of(upstreams: Behind, refused: str, hole: str) -> str:
    """The standard one, with a provider for each case."""
    places = {"refused": refused, "hole": hole, "nameless": "nobody.invalid"}
    names = {own_name(fault, *way, kind): fault for fault in NOBODY for way in EVERY_WAY for kind in ("alone", "pair")}
    entries = "".join(entry(name, f"http://{places[fault]}/v1", deadlines=IMPATIENT) for name, fault in names.items())
    pairs = "".join(f"  {name}: {{targets: [{name}/m, {SECOND}/some-model]}}\n" for name in names)
    forgiving = own_names(SENT, "named")
    named = "".join(
        f"  {name}: {{targets: [{name}/m], fallback_on: {{cut: {SECOND}/some-model}}}}\n" for name in forgiving
    )
    return wall_registry(upstreams, [*own_names(SENT), *forgiving], entries=entries, models=pairs + named)


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", NOBODY)
def test_where_nobody_answers(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name, told = own_name(fault, dialect, stream, "alone"), NOBODY[fault]
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    error = assert_refused(heard, told, tries=2)
    assert name in error["message"]
    assert_kept(heard, told.outcome, [(name, told.outcome)] * 2, who="upstream")


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", NOBODY)
def test_another_answers_where_nobody_does(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name, began = own_name(fault, dialect, stream, "pair"), time.monotonic()
    heard = call(gateway, dialect, name, stream=stream)
    assert time.monotonic() - began < 2  # generous: F1 says 100 ms more, the benchmark measures it
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, NOBODY[fault].outcome), (SECOND, "ok")])


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", SENT)
def test_a_connection_that_ends_before_its_answer(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name = own_name(fault, dialect, stream)
    gateway.external.on(path(name, dialect), SENT[fault])
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    assert_refused(heard, RESET, tries=1)
    assert_kept(heard, "upstream_reset", [(name, "upstream_reset")], who="upstream")
    assert len(gateway.behind.posts()) == 1


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", SENT)
def test_another_answers_where_the_registry_says_so(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name = own_name(fault, dialect, stream, "named")
    gateway.external.on(path(name, dialect), SENT[fault])
    heard = call(gateway, dialect, name, stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, "upstream_reset"), (SECOND, "ok")])
