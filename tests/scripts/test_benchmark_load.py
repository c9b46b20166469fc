"""`scripts/bench load`: every scenario in a size of seconds, its upstream and its callers, the table and the command.

Times are not judged here: the machine may be busy. What is counted is.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.benchmark import wire
from scripts.benchmark.__main__ import bench
from scripts.benchmark.answers import Answer
from scripts.benchmark.caller import HOST
from scripts.benchmark.load import (
    exact_count,
    many_streams,
    overload,
    refused_first,
    retry_storm,
    scenarios,
    slow_neighbour,
    slow_reader,
    stand,
)
from scripts.benchmark.load.calls import Call, Lines, NumberedAnswer, closed_load, open_load, question
from scripts.benchmark.load.findings import Finding, at_least, at_most, exactly, render, told
from scripts.benchmark.load.lanes import House, numbered
from scripts.benchmark.load.stand import Setup, Stand, run
from scripts.benchmark.machine import Cores
from scripts.benchmark.probe import free_port
from scripts.benchmark.ways import SERVE, Ground, Running, WayFailed

pytestmark = pytest.mark.anyio

TINY: dict[str, Callable[[], Setup]] = {
    "streams": lambda: many_streams.setup(many_streams.Size(40, 8, 20)),
    "overload": lambda: overload.setup(overload.Size(4, 0.05, 5, 1, 0.5, 0.5)),
    "storm": lambda: retry_storm.setup(retry_storm.Size(rate=20, before=0.3, down=1.6, after=0.6)),
    "neighbour": lambda: slow_neighbour.setup(slow_neighbour.Size(1, 0.6, 20, 40, 0.01, 0.5, 2)),
    "reader": lambda: slow_reader.setup(slow_reader.Size(3, 262_144, 0.6, 0.5)),
    "count": lambda: exact_count.setup(exact_count.Size(60, 7, 5, 1)),
    "failover": lambda: refused_first.setup(refused_first.Size(4)),
}


def test_every_scenario_is_run_here() -> None:
    assert list(TINY) == list(scenarios.SCENARIOS)
    for full, quick in scenarios.SCENARIOS.values():
        assert full() != quick()


@pytest.mark.parametrize("name", TINY)
def test_a_scenario_in_a_tiny_size(name: str) -> None:
    found = run(TINY[name]())
    counted = [one for one in found if one.bar.startswith("=")]
    assert counted
    assert all(one.reached for one in counted), "\n".join(render(found))
    assert all(one.fault and one.what and one.found for one in found)


def test_a_gateway_that_dies_is_told() -> None:
    async def kill(its: Stand) -> list[Finding]:
        os.kill(its.process.pid, signal.SIGKILL)
        while its.process.alive:
            await asyncio.sleep(0.01)
        return []

    with pytest.raises(WayFailed, match="the gateway ended by itself"):
        run(Setup(lambda _: stand.registry([]), kill))


# The upstream and the callers, in one process.


@asynccontextmanager
async def house() -> AsyncIterator[Stand]:
    """An upstream with lanes, which stands in the gateway's place, too."""
    lanes = House()
    server = await asyncio.get_running_loop().create_server(lanes.connect, HOST, 0)
    async with server:
        port = int(server.sockets[0].getsockname()[1])
        yield Stand(Ground(Path("unused"), port, Cores(None, None, None)), Running(SERVE, port))
        server.close()


def to(lane: str, model: str = "m", *, user: int = 0) -> bytes:
    """A question as the gateway passes it on."""
    request = question(model, user=user, stream=model != "m")
    return request.replace(wire.CHAT_PATH, f"/{lane}/v1/chat/completions".encode(), 1)


async def asked(its: Stand, *requests: bytes) -> list[Call]:
    lines = its.lines()
    calls = await asyncio.gather(*(lines.ask(request) for request in requests))
    lines.close()
    return calls


async def test_a_lane_has_slots() -> None:
    async with house() as its:
        await its.set_lane("a", slots=2, delay=0.02)
        calls = await asked(its, *[to("a")] * 6, to("b"))
        assert [call.good for call in calls] == [True] * 7
        seen = await its.seen("a")
        assert (seen.most, seen.present, len(seen.calls)) == (6, 0, 6)
        assert max(call.seconds for call in calls) >= 0.06


async def test_a_lane_fails_and_is_held() -> None:
    async with house() as its:
        await its.set_lane("a", status=503)
        (failed,) = await asked(its, to("a"))
        assert (failed.complaint, failed.good, failed.shed) == ("status 503", False, False)
        await its.set_lane("a", status=200, held=1)
        waiting = asyncio.ensure_future(asked(its, to("a"), to("a")))
        await its.until("a", lambda seen: seen.present == 2)
        await its.set_lane("a", held=0)
        assert [call.good for call in await waiting] == [True, True]


async def test_what_does_not_happen_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand, "_PATIENCE", 0.0)
    async with house() as its:
        with pytest.raises(WayFailed, match="the lane a of the upstream has only seen 0 calls, most 0"):
            await its.until("a", lambda seen: seen.present == 2)


async def test_an_outlet_opens_refuses_and_cuts() -> None:
    port = free_port()
    async with house() as its:
        await its.set_outlet(port, is_open=True)
        lines = Lines(port)
        assert (await lines.ask(to("a"))).good
        await its.set_lane("a", held=1)
        waiting = asyncio.ensure_future(lines.ask(to("a")))
        await lines.connect(1)
        await its.until("a", lambda seen: seen.present == 1)
        for _ in range(2):
            await its.set_outlet(port, is_open=False)
        assert (await waiting).error.startswith("the connection was")
        refused = await lines.ask(to("a"))
        assert refused.error.startswith("no connection: ")
        assert (refused.good, refused.complaint) == (False, refused.error)
        await its.set_lane("a", held=0)
        await its.until("a", lambda seen: not seen.present)  # there was nobody any more to answer
        lines.close()


@pytest.mark.parametrize("rate", [0, 200])
async def test_a_numbered_stream_is_whole(rate: int) -> None:
    async with house() as its:
        lines = its.lines()
        await lines.connect(1)
        answer = NumberedAnswer(7, 200 if not rate else 10)
        call = await lines.ask(to("a", f"numbered-{200 if not rate else 10}-{rate}", user=7), answer)
        assert (call.good, call.error) == (True, "")
        assert call.due <= call.first <= call.ended
        seen = await its.seen("a")
        assert seen.streaming == 0
        assert seen.sent > 0
        lines.close()


@pytest.mark.parametrize("rate", [0, 200])
async def test_a_stream_that_nobody_reads_ends(rate: int) -> None:
    async with house() as its:
        lines = its.lines()
        asking = asyncio.ensure_future(lines.ask(to("a", f"numbered-100000000-{rate}"), NumberedAnswer(0, 5)))
        await its.until("a", lambda seen: seen.streaming == 1)
        lines.close()
        assert (await asking).error == "the connection was closed"
        await its.until("a", lambda seen: not seen.streaming)


async def test_a_call_that_is_given_up() -> None:
    async with house() as its:
        await its.set_lane("a", held=1)
        lines = its.lines()
        asking = asyncio.ensure_future(lines.ask(to("a")))
        await its.until("a", lambda seen: seen.present == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        lines.close()
        await asyncio.sleep(0)


async def test_the_upstream_answers_other_things_as_ever() -> None:
    async with house() as its:
        assert (await asked(its, wire.request()))[0].good
        (missing,) = await asked(its, wire.request().replace(b"/v1/chat/completions", b"/nothing", 1))
        assert missing.status == 404
        await stand._get(its.ground.upstream, "/load/report")


WHOLE = b"".join(numbered(3, event) for event in range(4)) + wire.STREAM_END


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (WHOLE, ""),
        (WHOLE.replace(numbered(3, 1), b"", 1), "event 1 is another one"),
        (numbered(3, 1) + numbered(3, 0) + WHOLE[2 * wire.EVENT_SIZE :], "event 0 is another one"),
        (WHOLE.replace(numbered(3, 2), numbered(4, 2)), "event 2 is another one"),
        (WHOLE + b": x\n\n", "7 events instead of 6"),
        (WHOLE.removesuffix(wire.DONE), "5 events instead of 6"),
        (WHOLE.replace(wire.DONE, b"data: done\n\n"), "another checksum"),
    ],
)
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_a_numbered_answer_complains(body: bytes, words: str, size: int) -> None:
    answer: Answer = NumberedAnswer(3, 4)
    for at in range(0, len(body), size):
        answer.read(body[at : at + size], at + 1)
    assert answer.complaint() == words
    assert answer.first == 1


@pytest.mark.parametrize(
    ("said", "status", "waits", "error"),
    [
        (wire.json_response(b"{}", b"503 Full\r\nRetry-After: 7"), 503, 7, ""),
        (wire.json_response(b"{}", b"429 Full"), 429, None, ""),
        (wire.json_response(b"{}"), 200, None, "the body is not the upstream's"),
        (b"HTTP/1.1 200 OK\r\n\r\n", 200, None, "a response without a length"),
    ],
)
async def test_what_a_call_makes_of_its_answer(said: bytes, status: int, waits: int | None, error: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        lines = Lines(server.sockets[0].getsockname()[1])
        call = await lines.ask(question("m"))
        assert (call.status, call.waits, call.error) == (status, waits, error)
        assert call.shed is (waits is not None)
        lines.close()


async def test_loads() -> None:
    async def at_once(due: float) -> Call:
        return Call(due)

    begun = [call.due for call in await open_load(100, 0.1, at_once)]
    assert len(begun) == 10
    assert begun[-1] - begun[0] == pytest.approx(0.09)

    async def soon() -> Call:
        await asyncio.sleep(0.01)
        return Call(0)

    assert 3 <= len(await closed_load(3, 0.05, soon)) <= 18


# The table and the command.


def test_the_table() -> None:
    rows = [
        at_most("F1", "a time", 1.249, 1.2, "s", 1),
        at_most("F1", "another", 1.251, 1.2, "s", 2),
        at_least("F2", "a share", 79.6, 80, "%"),
        exactly("F3", "a count", 1_000, 999),
        told("F4", "a word", "so"),
    ]
    cells = [line.split() for line in render(rows)]
    assert cells[0] == ["figure", "found", "bar", "verdict"]
    assert cells[1:] == [
        ["F1", "a", "time", "1.2", "s", "≤", "1.2", "s", "reached"],
        ["F1", "another", "1.25", "s", "≤", "1.2", "s", "MISSED"],
        ["F2", "a", "share", "80", "%", "≥", "80", "%", "reached"],
        ["F3", "a", "count", "1,000", "=", "999", "MISSED"],
        ["F4", "a", "word", "so"],
    ]


@pytest.fixture(name="short")
def fixture_short(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Finding]]:
    """Each scenario finds the same at once."""
    found: list[Finding] = [exactly("F0", "a count", 1, 1)]

    def find(_setup: Setup) -> list[Finding]:
        if not found:
            raise WayFailed("it died")
        return found

    monkeypatch.setattr("scripts.benchmark.load_command.run", find)
    return iter([found])


def test_the_command_prints_writes_and_ends_well(short: Iterator[list[Finding]], tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    ran = CliRunner().invoke(bench, ["load", "--quick", "--only", "count,streams", "--json", str(file)])
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("a count") == 2
    assert [one["reached"] for one in json.loads(file.read_text("utf-8"))["findings"]] == [True, True]
    found = next(short)
    found[0] = exactly("F0", "a count", 1, 2)
    ran = CliRunner().invoke(bench, ["load", "--only", "count"])
    assert (ran.exit_code, "MISSED" in ran.output) == (1, True)
    found.clear()
    ran = CliRunner().invoke(bench, ["load", "--only", "count"])
    assert ran.exit_code == 1
    assert "count: it died" in ran.output


def test_the_command_refuses_what_it_does_not_know() -> None:
    ran = CliRunner().invoke(bench, ["load", "--only", "cuont"])
    assert ran.exit_code == 2
    assert "'cuont' is none of streams, overload" in ran.output
    assert "--quick" in CliRunner().invoke(bench, ["load", "--help"]).output
