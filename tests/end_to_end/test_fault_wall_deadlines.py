"""The fault wall, deadlines: an answer that does not begin, and tries that take too long (F5, F8, F9, F10)."""

import itertools
import time
from collections.abc import Iterator

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_steps import Chunk, Head, Raw, Script, Stall
from tests.rig_gateway import DIALECTS, Behind, Gateway, run_gateway
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

HASTY = "{connect: 1, head: 0.3, first_content: 0.3, gap: 0.3, total: 4}"
TOTAL = 1.0  # seconds
FIRST_BYTE = Told(504, "upstream_timeout", "upstream_timeout_first_byte")
OPENING = {
    "chat": b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    "messages": b'event: ping\ndata: {"type": "ping"}\n\n',
    "responses": b": waiting\n\n",
}
EVENT_HEAD = Head(200, (*SSE, *CHUNKED))


def silence(fault: str, dialect: str) -> Script:
    """What comes before nothing does."""
    return {
        "no head": (Stall(),),
        "half a head": (Raw(b"HTTP/1.1 200 OK\r\ncontent-"), Stall()),
        "a head": (EVENT_HEAD, Stall()),
        "an opening": (EVENT_HEAD, Chunk(OPENING[dialect]), Stall()),
    }[fault]


# The two that have a head of events are for those who asked for events; anybody else's head says JSON.
SILENCES = ("no head", "half a head", "a head", "an opening")
CASES = [(fault, *way) for fault in SILENCES for way in EVERY_WAY if way[1] or fault.endswith("no head")]
MORE = [("half a head", dialect, False) for dialect in DIALECTS]
OVERLOADED = json_answer({"error": {"message": "busy", "type": "server_error", "param": None, "code": None}}, 503)


@pytest.fixture(name="own", scope="module")
def fixture_own(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder, env = tmp_path_factory.mktemp("deadlines"), {"PATCHBAY_ATTEMPTS": "3"}
    with run_gateway("serve", all_upstreams, folder, registry=registry_of(all_upstreams), env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output


def registry_of(upstreams: Behind) -> str:
    """The standard one, with providers that are not waited for."""
    hasty = [*own_names(SILENCES), *own_names(SILENCES, "named")]
    late, at = own_names(["late"]), upstreams.external.url
    entries = "".join(entry(name, f"{at}/{name}/v1", deadlines=HASTY) for name in hasty)
    entries += "".join(
        entry(name, f"{at}/{name}/v1", deadlines=f"{{connect: 1, head: 9, first_content: 9, gap: 9, total: {TOTAL}}}")
        for name in late
    )
    models = "".join(f"  {name}-pair: {{targets: [{name}/m, {SECOND}/some-model]}}\n" for name in hasty)
    models += "".join(
        f"  {name}: {{targets: [{name}/m], fallback_on: {{stall: {SECOND}/some-model}}}}\n"
        for name in own_names(SILENCES, "named")
    )
    return wall_registry(upstreams, own_names(["busy"]), entries=entries, models=models)


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


@pytest.mark.parametrize(("fault", "dialect", "stream"), [*CASES, *MORE])
def test_an_answer_that_does_not_begin(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    """Nobody else is asked by default: the model may be at work."""
    name = own_name(fault, dialect, stream)
    gateway.external.on(path(name, dialect), silence(fault, dialect))
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    error = assert_refused(heard, FIRST_BYTE, tries=1)
    assert "`head`" in error["message"]
    assert_kept(heard, FIRST_BYTE.outcome, [(name, FIRST_BYTE.outcome)], who="upstream")
    assert gateway.external.requests[-1].connection.closed.wait(5)  # it does not go on working for nobody
    assert gateway.external.requests[-1].connection.closed_by_peer


@pytest.mark.parametrize(("fault", "dialect", "stream"), [*CASES, *MORE])
def test_another_answers_where_the_registry_says_so(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name = own_name(fault, dialect, stream, "named")
    gateway.external.on(path(name, dialect), silence(fault, dialect))
    heard = call(gateway, dialect, name, stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, FIRST_BYTE.outcome), (SECOND, "ok")])


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_the_total_deadline_is_the_end_whatever_is_being_tried(gateway: Gateway, dialect: str, stream: bool) -> None:
    name, began = own_name("late", dialect, stream), time.monotonic()
    gateway.external.on(path(name, dialect), OVERLOADED, (Stall(),))
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    took = time.monotonic() - began
    told = Told(504, "upstream_timeout", "upstream_timeout_total")
    assert_refused(heard, told, tries=2)
    row = assert_kept(heard, told.outcome, [(name, "upstream_http_error"), (name, told.outcome)])
    assert TOTAL * 1e6 <= row["duration_us"] < (TOTAL + 1) * 1e6  # generous: the spec says 100 ms
    assert TOTAL - 0.05 <= took < TOTAL + 2


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_server_that_is_busy_for_a_moment(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = own_name("busy", dialect, stream)
    gateway.external.on(path(name, dialect), OVERLOADED, OVERLOADED, gateway.external.default)
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert_healthy(heard, provider=name, tries=3)
    assert_kept(heard, "ok", [(name, "upstream_http_error")] * 2 + [(name, "ok")])
    arrived = [request.arrived_at for request in gateway.behind.posts()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrived)]
    assert all(gap >= 0.1 for gap in gaps)  # it is given time


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_server_that_stays_busy_has_the_last_word(gateway: Gateway, dialect: str) -> None:
    name = own_name("busy", dialect, False)
    gateway.external.on(path(name, dialect), OVERLOADED)
    heard = call(gateway, dialect, f"{name}/m", stream=False)
    error = assert_refused(heard, Told(503, None, "upstream_http_error", retry_after=True))
    assert error["message"] == "busy"
    assert_kept(heard, "upstream_http_error", [(name, "upstream_http_error")] * len(heard.attempts()))
    assert len(heard.attempts()) <= 3
    assert len(gateway.behind.posts()) == len(heard.attempts())
