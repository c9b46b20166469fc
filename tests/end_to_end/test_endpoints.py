"""A provider with several servers, or with a limit: who is asked, who waits, who is turned away."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, speak
from tests.fake_dialects import chat_body, chat_events
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Gate, Head, LastChunk, Script, Sleep, Stall, WaitFor
from tests.fake_upstream import FakeUpstream
from tests.rig_client import RawAnswer, exchange, finished, open_stream, query, receive_until
from tests.rig_gateway import DIALECTS, KEYS, WAYS, Behind, Gateway, ask, assert_told_in_dialect, run_gateway

PROVIDER = """\
  {name}:
    kind: compatible
    endpoints: [{{base_url: {first}/{name}/v1, weight: {weight}}}, {{base_url: {second}/{name}/v1}}]
    api_key: ${{HASTY_API_KEY}}
    dialects: [chat, messages, responses]
    models: [m]
    deadlines: {{connect: 0.5, head: 4, first_content: 4, gap: 4, total: 8}}
    {more}
"""
SMALL = """\
  {name}:
    kind: compatible
    base_url: {first}/{name}/v1
    dialects: [chat, messages, responses]
    models: [m]
    deadlines: {{connect: 0.5, head: {head}, first_content: 4, gap: 4, total: 8}}
    max_in_flight: 1
    max_queued: {room}
"""
# Each test has a provider of its own, so that no other test has opened its breakers or taken its turns.
SHARED = {
    "turns": (3, ""),
    "sessions": (1, "sticky: session"),
    "idle": (1, "balance: least_busy"),
    "failing": (9, ""),
    "slow": (9, ""),
    "both": (9, "{max_in_flight: 1}"),
}
LIMITED = {
    "line": (4, 1),
    "left": (4, 1),
    "full": (4, 0),
    "route": (4, 0),
    "brief": (0.3, 1),
    "alive": (15, 1),
    "burst": (4, 16),
}
MODELS = """\
  spill: {targets: [route/m, groq/some-model]}
"""


def is_call(request: Request) -> bool:
    """No model list: those are asked for behind the scenes."""
    return request.method == "POST"


@dataclass(slots=True)
class Two:
    """The two servers beside the standard upstreams."""

    gateway: Gateway
    first: FakeUpstream
    second: FakeUpstream

    def counts(self, name: str) -> tuple[int, int]:
        """How many calls each of them got."""
        at = [
            sum(is_call(request) and request.path.startswith(f"/{name}/") for request in server.requests)
            for server in (self.first, self.second)
        ]
        return at[0], at[1]


def registry(upstreams: Behind, first: FakeUpstream, second: FakeUpstream) -> str:
    """The standard one, with the providers of these tests; the first server of ``down`` refuses."""
    made = [
        PROVIDER.format(
            name=name, first=first.url, second=second.url, weight=weight, more=more.strip("{}") if more else ""
        )
        for name, (weight, more) in SHARED.items()
    ]
    made += [SMALL.format(name=name, first=first.url, head=head, room=room) for name, (head, room) in LIMITED.items()]
    refused = f"http://127.0.0.1:{upstreams.refused}"
    made.append(PROVIDER.format(name="down", first=refused, second=second.url, weight=1, more=""))
    return upstreams.registry().replace("models:\n", "".join(made) + "models:\n", 1) + MODELS


@pytest.fixture(name="running_two", scope="module", params=WAYS)
def fixture_running_two(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Two]:
    env = {"PATCHBAY_ATTEMPTS": "3"}
    folder = tmp_path_factory.mktemp("endpoints")
    with FakeUpstream(speak) as first, FakeUpstream(speak) as second:
        text = registry(all_upstreams, first, second)
        with run_gateway(str(request.param), all_upstreams, folder, registry=text, env=env) as gateway:
            yield Two(gateway, first, second)
            assert "Traceback" not in gateway.program.output


@pytest.fixture(name="two")
def fixture_two(running_two: Two, upstreams: Behind) -> Two:
    running_two.first.reset()
    running_two.second.reset()
    assert running_two.gateway.behind is upstreams
    return running_two


def path(name: str, dialect: str = "chat") -> str:
    return f"/{name}/v1{ask(dialect, '')[0].removeprefix('/v1')}"


def held(gate: Gate) -> Script:
    """A plain answer that begins when the gate is open."""
    return WaitFor(gate), *json_answer(chat_body())


class Aside:
    """A call in a thread of its own."""

    def __init__(self, two: Two, model: str, dialect: str = "chat") -> None:
        self.answer: RawAnswer | None = None
        self._call: Callable[[], RawAnswer] = lambda: two.gateway.post(*ask(dialect, model))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.answer = self._call()

    def done(self) -> RawAnswer:
        self._thread.join(10)
        assert self.answer is not None
        return self.answer


def wait_until(what: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_weights_are_kept_exactly(two: Two) -> None:
    for dialect in (*DIALECTS, *DIALECTS, "chat", "chat"):
        assert two.gateway.post(*ask(dialect, "turns/m")).status == 200
    assert two.counts("turns") == (6, 2)
    for request in filter(is_call, (*two.first.requests, *two.second.requests)):
        assert request.get("authorization") == f"Bearer {KEYS['HASTY_API_KEY']}"


def test_a_session_stays_where_it_is(two: Two) -> None:
    places: dict[int, tuple[int, int]] = {}
    for session in range(8):
        two.first.requests.clear()
        two.second.requests.clear()
        for _ in range(3):
            assert two.gateway.post(*ask("chat", "sessions/m", prompt_cache_key=f"s{session}")).status == 200
        places[session] = two.counts("sessions")
    assert set(places.values()) == {(3, 0), (0, 3)}


def test_the_least_busy_is_asked(two: Two) -> None:
    gate = Gate()
    two.first.on(path("idle"), held(gate))
    two.second.on(path("idle"), held(gate))
    busy = [Aside(two, "idle/m")]
    wait_until(lambda: sum(two.counts("idle")) == 1)
    busy.append(Aside(two, "idle/m"))
    wait_until(lambda: two.counts("idle") == (1, 1))
    free, kept = (two.first, two.second)
    free.on(path("idle"), json_answer(chat_body()))
    gate.open()
    assert [call.done().status for call in busy] == [200, 200]
    again = Gate()
    kept.on(path("idle"), held(again))
    free.on(path("idle"), json_answer(chat_body()))
    waiting = [Aside(two, "idle/m"), Aside(two, "idle/m")]
    wait_until(lambda: two.counts("idle")[1] == 2)
    before = two.counts("idle")[0]
    assert [two.gateway.post(*ask("chat", "idle/m")).status for _ in range(4)] == [200] * 4
    assert two.counts("idle") == (max(before, 2) + 4, 2)
    again.open()
    assert [call.done().status for call in waiting] == [200, 200]


def test_a_server_that_is_down_costs_nobody_an_answer(two: Two) -> None:
    attempts = []
    for dialect in DIALECTS * 4:
        answer = two.gateway.post(*ask(dialect, "down/m", stream=dialect == "chat"))
        assert answer.status == 200, answer.body
        assert answer.get("x-patchbay-provider") == "down"
        attempts.append(int(answer.get("x-patchbay-attempts") or 0))
    assert max(attempts) == 2
    assert attempts[-3:] == [1, 1, 1]  # its breaker is open: it is not asked any more
    assert two.counts("down") == (0, len(attempts))


@pytest.mark.parametrize("status", [500, 503, 429])
def test_another_server_answers_for_one_that_fails(two: Two, status: int) -> None:
    failure = json_answer({"error": {"message": "no", "type": "server_error"}}, status, (("retry-after", "1"),))
    two.first.on(path("failing"), failure)
    answer = two.gateway.post(*ask("chat", "failing/m"))
    assert answer.status == 200
    row = exchange(two.gateway.database, answer.get("x-patchbay-id") or "")
    rows = query(two.gateway.database, "select outcome, status from attempts where exchange_id = ?", row["id"])
    assert rows[-1] == {"outcome": "ok", "status": 200}
    assert len(rows) == int(answer.get("x-patchbay-attempts") or 0)
    if len(rows) == 2:
        assert "next endpoint" in (answer.get("x-patchbay-reason") or "")
    two.first.on(path("failing"), json_answer(chat_body()))
    time.sleep(1.2)  # the wait that the 429 asks for


def test_who_may_have_been_at_work_is_not_doubled(two: Two) -> None:
    two.first.on(path("slow"), (Head(200, (*SSE, *CHUNKED)), Chunk(chat_events()[0]), Stall()))
    answer = two.gateway.post(*ask("chat", "slow/m", stream=True))
    assert answer.status == 504
    assert two.counts("slow") == (1, 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_full_server_has_a_line_and_then_turns_away_at_once(two: Two, dialect: str) -> None:
    gate = Gate()

    def slowly(request: Request) -> Script:
        return WaitFor(gate), *speak(request)

    two.first.on(path("line", dialect), slowly)
    inside = Aside(two, "line/m", dialect)
    wait_until(lambda: two.counts("line")[0] == 1)
    in_line = Aside(two, "line/m", dialect)
    shed = try_until_shed(two, dialect)
    assert_told_in_dialect(shed, dialect, two.gateway.behind, 529 if dialect == "messages" else 503)
    assert shed.get("retry-after") == "1"
    assert shed.get("x-patchbay-attempts") == "0"
    if dialect != "messages":
        assert shed.json()["error"]["code"] == "overloaded"
    assert two.counts("line")[0] == 1
    row = exchange(two.gateway.database, shed.get("x-patchbay-id") or "")
    assert (row["outcome"], row["who_ended"]) == ("shed", "gateway")
    assert row["duration_us"] < 100_000
    gate.open()
    for call in (inside, in_line):
        assert call.done().status == 200
        assert call.done().get("x-patchbay-attempts") == "1"
    assert two.counts("line")[0] == 2


def try_until_shed(two: Two, dialect: str) -> RawAnswer:
    """The call that is turned away: the one before it must have got in line first."""
    time.sleep(0.2)
    return two.gateway.post(*ask(dialect, "line/m"))


def test_who_leaves_the_line_makes_room(two: Two) -> None:
    gate = Gate()
    two.first.on(path("left"), held(gate))
    inside = Aside(two, "left/m")
    wait_until(lambda: two.counts("left")[0] == 1)
    with open_stream(two.gateway.port, *ask("chat", "left/m", stream=True)):
        time.sleep(0.2)
        assert two.gateway.post(*ask("chat", "left/m")).status == 503
    finished(
        two.gateway.database, "select id from exchanges where provider = 'left' and outcome = 'client_disconnected'"
    )
    in_line = Aside(two, "left/m")
    time.sleep(0.2)
    assert two.gateway.post(*ask("chat", "left/m")).status == 503
    gate.open()
    assert [call.done().status for call in (inside, in_line)] == [200, 200]
    assert two.counts("left")[0] == 2


def test_a_place_is_given_back_whatever_way_a_call_ends(two: Two) -> None:
    name, good = path("full"), json_answer(chat_body())
    ends: list[Script] = [
        good,
        json_answer({"error": {"message": "no"}}, 400),
        (Head(200, (*SSE, *CHUNKED)), *map(Chunk, chat_events()), LastChunk()),
        (Head(200, (*SSE, *CHUNKED)), *map(Chunk, chat_events()[:3]), LastChunk()),
    ]
    for script in ends:
        two.first.on(name, script)
        assert two.gateway.post(*ask("chat", "full/m", stream=len(script) > 2)).status in (200, 400)
    two.first.on(name, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, chat_events()[:4]), Stall()))
    with open_stream(two.gateway.port, *ask("chat", "full/m", stream=True)) as client:
        receive_until(client, chat_events()[3])
        assert two.gateway.post(*ask("chat", "full/m")).status == 503
    two.first.on(name, good)
    wait_until(lambda: two.gateway.post(*ask("chat", "full/m")).status == 200)


def test_a_full_provider_leads_to_the_next_target(two: Two) -> None:
    gate = Gate()
    two.first.on(path("route"), held(gate))
    inside = Aside(two, "spill")
    wait_until(lambda: two.counts("route")[0] == 1)
    answer = two.gateway.post(*ask("chat", "spill"))
    assert answer.status == 200
    assert answer.get("x-patchbay-provider") == "groq"
    assert "route is full: next target" in (answer.get("x-patchbay-reason") or "")
    gate.open()
    assert inside.done().get("x-patchbay-provider") == "route"


def test_a_line_is_left_when_the_deadline_comes(two: Two) -> None:
    gate = Gate()
    two.first.on(path("brief"), (Head(200, (*SSE, *CHUNKED)), Chunk(chat_events()[0]), WaitFor(gate), Stall()))
    with open_stream(two.gateway.port, *ask("chat", "brief/m", stream=True)):
        wait_until(lambda: two.counts("brief")[0] == 1)
        time.sleep(0.1)
        began = time.monotonic()
        answer = two.gateway.post(*ask("chat", "brief/m"))
        assert answer.status == 503
        assert 0.25 < time.monotonic() - began < 2
    assert two.counts("brief")[0] == 1


def test_a_burst_behind_a_limit_is_served_one_by_one(two: Two) -> None:
    two.first.on(path("burst"), (Sleep(0.05), *json_answer(chat_body())))
    calls = [Aside(two, "burst/m", dialect) for dialect in ("chat",) * 12]
    assert [call.done().status for call in calls] == [200] * 12
    arrived = sorted(request.arrived_at for request in filter(is_call, two.first.requests))
    assert len(arrived) == 12
    assert all(later - sooner > 0.045 for sooner, later in pairwise(arrived))
