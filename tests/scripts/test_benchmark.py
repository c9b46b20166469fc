"""`scripts/bench`: its statistics and its table, what counts as a wrong answer, and a tiny round of every figure."""

import asyncio
import contextlib
import dataclasses
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmark import upstream, wire
from scripts.benchmark.__main__ import bench
from scripts.benchmark.answers import PlainAnswer, StreamAnswer, Tally
from scripts.benchmark.caller import Load, arrive, call
from scripts.benchmark.figures import FIGURES, NAMES, Sample, Sizes
from scripts.benchmark.machine import Cores, share_out
from scripts.benchmark.probe import complaint, free_port
from scripts.benchmark.process import Process
from scripts.benchmark.response import Response
from scripts.benchmark.rounds import Results, Wish, run
from scripts.benchmark.rows import GOALS, ROWS
from scripts.benchmark.soak import recorded, soak
from scripts.benchmark.summary import Spread, differences, quantile, ratios, spread
from scripts.benchmark.table import render
from scripts.benchmark.ways import BARE, DIRECT, ROUTE, SERVE, Running

TINY = Sizes(
    rounds=1,
    requests_seconds=0.05,
    connections=4,
    floods=2,
    flood_events=200,
    latency_requests=5,
    ttft_requests=5,
    paced_streams=4,
    paced_rate=100,
    paced_events=20,
    burst_rounds=1,
    burst_streams=20,
    burst_rate=100,
    burst_events=5,
    soak_requests=40,
)


# The statistics.


@pytest.mark.parametrize(
    ("values", "at", "expected"),
    [([7], 0.5, 7), ([7], 0.99, 7), ([3, 1, 2], 0.5, 2), ([1, 2], 0.5, 1.5), ([1, 2, 3, 4, 5], 1, 5), ([4, 0], 0, 0)],
)
def test_quantile(values: list[float], at: float, expected: float) -> None:
    assert quantile(values, at) == expected


# A quantile lies within its values and grows with its share.
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_ordered(values: list[int], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert min(values) <= quantile(values, low) <= quantile(values, high) <= max(values)


def test_spread() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert spread([]) is None


def test_pairs_are_taken_within_a_round() -> None:
    assert ratios({0: 2.0, 1: 9.0, 2: 5.0}, {0: 1.0, 1: 3.0}) == [2.0, 3.0]
    assert ratios({0: 2.0}, {0: 0.0}) == []
    assert differences({0: 2.0, 1: 9.0, 2: 5.0}, {1: 3.0, 0: 1.0}) == [1.0, 6.0]


# What the answers are read with.

CHUNKED = wire.STREAM_HEAD + wire.chunk(wire.event()) * 3 + wire.chunk(wire.STREAM_END) + wire.LAST_CHUNK
THREE = wire.Stream(3)


# However the bytes are cut, the body is the same.
@given(st.lists(st.integers(1, 40), min_size=1), st.sampled_from([CHUNKED, wire.json_response(wire.ANSWER)]))
def test_a_response_may_be_cut_anywhere(sizes: list[int], data: bytes) -> None:
    response, body, at, turn = Response(), b"", 0, 0
    while at < len(data):
        assert not response.complete
        size = sizes[turn % len(sizes)]
        body += response.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert (response.status, response.complete) == (200, True)
    assert body == (wire.ANSWER if data != CHUNKED else wire.event() * 3 + wire.STREAM_END)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (CHUNKED + b"x", "after the last chunk"),
        (CHUNKED[:-2] + b"x: y\r\n\r\n", "after the last chunk"),
        (wire.json_response(wire.ANSWER) + b"x", "more body"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "without a length"),
        (wire.STREAM_HEAD + b"zz\r\n", "invalid literal"),
        (b"HTTP/1.1 ??? OK\r\n\r\n", "invalid literal"),
    ],
)
def test_a_response_that_cannot_be_right(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Response().feed(data)


def test_nothing_may_follow_a_response() -> None:
    response = Response()
    response.feed(CHUNKED)
    with pytest.raises(ValueError, match="after the end"):
        response.feed(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (wire.event() * 3 + wire.STREAM_END, ""),
        (wire.event() * 2 + wire.STREAM_END, "4 events instead of 5"),
        (wire.event() * 5, "no terminal event"),
        (wire.event() * 2 + b"data: {}\n\n" + wire.STREAM_END, "not the upstream's"),
        (wire.event() * 3 + wire.STREAM_END + b"data: cut", "not the upstream's"),
        (b"", "0 events"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_must_be_whole(body: bytes, words: str, size: int) -> None:
    answer = StreamAnswer(THREE)
    for at in range(0, len(body), size):
        answer.read(body[at : at + size], at + 1)
    assert words in answer.complaint()
    assert bool(answer.complaint()) is bool(words)


def test_transit_leaves_out_the_first_event_and_early_ones() -> None:
    transits: list[int] = []
    answer = StreamAnswer(wire.Stream(4), transits, since=20)
    answer.read(wire.event(10) + wire.event(15), 16)
    answer.read(wire.event(20) + wire.event(30)[:50], 31)
    answer.read(wire.event(30)[50:], 35)
    assert (answer.first, transits) == (16, [11, 5])


def test_a_plain_answer_must_be_the_upstreams() -> None:
    answer = PlainAnswer()
    answer.read(wire.ANSWER[:10], 1)
    assert answer.complaint() == "the body is not the upstream's"
    answer.read(wire.ANSWER[10:], 2)
    assert (answer.complaint(), answer.first) == ("", 1)


@pytest.mark.parametrize("stream", [None, wire.Stream(30, 10), wire.Stream(5)])
def test_the_upstream_understands_what_is_asked(stream: wire.Stream | None) -> None:
    head, _, body = wire.request(stream).partition(b"\r\n\r\n")
    assert int(head.rpartition(b"Content-Length: ")[2]) == len(body)
    assert wire.asked_stream(body) == stream
    assert json.loads(body)["model"].startswith("bench-")


def test_an_event_is_a_chat_chunk_with_a_stamp() -> None:
    assert json.loads(wire.event(123).removeprefix(b"data: "))["object"] == "chat.completion.chunk"
    assert wire.STAMP.findall(wire.event(123) + wire.event()) == [b"%020d" % 123, b"0" * 20]
    assert 200 <= wire.EVENT_SIZE <= 260


# The callers, and the errors they count.


def tally_of(measure: Callable[[int, Load], Awaitable[float]], handler: bytes | None = None, port: int = 0) -> Tally:
    """Let callers ask a server that answers with ``handler`` and hangs up; None: the benchmark's upstream."""
    tally = Tally()

    async def answer_so(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(handler or b"")
        await writer.drain()
        writer.close()

    async def main() -> None:
        own = asyncio.start_server(answer_so, "127.0.0.1", 0)
        server = await (upstream.start() if handler is None else own)
        if handler is None:
            own.close()
        async with server:
            load = Load(wire.request(), PlainAnswer, lambda: False, tally)
            await measure(port or server.sockets[0].getsockname()[1], load)

    asyncio.run(main())
    return tally


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        (wire.json_response(b"{}", b"500 Oh"), "status 500"),
        (wire.json_response(b"{}"), "the body is not the upstream's"),
        (wire.STREAM_HEAD, "the connection was closed"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "a response without a length"),
    ],
)
def test_wrong_answers_are_counted(answered: bytes, error: str) -> None:
    for measure in (lambda port, load: call(port, load, 3, limit=5), lambda port, load: arrive(port, load, 3, limit=5)):
        tally = tally_of(measure, answered)
        assert (tally.errors, tally.answers) == ({error: 3}, 0)


def test_refused_connections_are_counted() -> None:
    port = free_port()
    for measure in (lambda port, load: call(port, load, 2, limit=5), lambda port, load: arrive(port, load, 2, limit=5)):
        ((error, count),) = tally_of(measure, port=port).errors.items()
        assert (error.startswith("no connection"), count) == (True, 2)
    assert "refused" in complaint(port).lower()


def test_who_gets_no_answer_in_time_is_counted() -> None:
    async def main() -> Tally:
        tally, stream = Tally(), wire.Stream(1000, 10)
        load = Load(wire.request(stream), lambda: StreamAnswer(stream), lambda: False, tally)
        async with await upstream.start() as server:
            await call(server.sockets[0].getsockname()[1], load, 2, limit=0.1)
        return tally

    assert asyncio.run(main()).errors == {"no end within 0.1 s": 2}


# One tiny round, end to end.


def test_a_tiny_round_of_every_figure_against_direct() -> None:
    results = Results()
    run(Wish((DIRECT,), NAMES, TINY, say=lambda _what: None), results)
    assert results.errors(DIRECT) == {}
    needs_a_proxy = {"requests_cpu", "chunks_cpu", "transit_cpu", "burst_cpu", "burst_peak", "idle", "startup"}
    for row in ROWS:
        values = results.of(row.value, DIRECT)
        assert (len(values) == 1) is (row.value not in needs_a_proxy and row.figure != "soak"), row.value
        assert all(value > 0 for value in values.values())
    assert results.of("burst_seconds", DIRECT)[0] == pytest.approx(0.05, abs=0.5)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """The upstream as a process, in the proxy's place."""
    command = [sys.executable, "-P", "-m", "scripts.benchmark.upstream"]
    environ = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with Process(command, core=None, log=tmp_path / "log", folder=tmp_path, environ=environ) as process:
        while not process.last_words().isdigit():
            assert process.alive, process.last_words()
        yield process
    assert not process.alive


def test_a_process_is_measured(process: Process) -> None:
    running = Running(SERVE, int(process.last_words()), process, began=0.5, idle=process.resident())
    assert complaint(running.port) == ""
    samples = {name: asyncio.run(figure(running, TINY)) for name, figure in FIGURES.items()}
    samples["soak"] = asyncio.run(soak(running, TINY.soak_requests, TINY.connections))
    assert not any(sample.errors for sample in samples.values())
    values = {name for sample in samples.values() for name in sample.values}
    on_linux_alone = {row.value for row in ROWS if row.value.endswith("_cpu")}
    assert values >= {row.value for row in ROWS} - on_linux_alone - {"soak_recorded"}
    if sys.platform == "linux":
        assert values >= on_linux_alone
        assert 5 < samples["burst"].values["burst_peak"] < 500


def test_a_soak_asks_exactly_as_often_as_told(process: Process) -> None:
    running = Running(SERVE, int(process.last_words()), process)
    for requests in (1, 3, 17):
        sample = asyncio.run(soak(running, requests, 4))
        assert "soak_100" in sample.values
        assert sample.values["soak_answers"] == requests
        assert sample.errors == {}


def test_cores_are_shared_out() -> None:
    cores = share_out()
    assert cores.proxy is None or cores.proxy not in (cores.upstream, cores.generator)
    assert "nothing is pinned" in Cores(None, None, None).told
    assert "proxy on core 1" in Cores(0, 0, 1).told


# The table and the command.


def results_of(**values: dict[str, list[float]]) -> Results:
    """Results with value → way → its value in each round."""
    results = Results()
    for value, of_ways in values.items():
        figure = next(row.figure for row in ROWS if row.value == value)
        for way, numbers in of_ways.items():
            for turn, number in enumerate(numbers):
                results.add(figure, way, turn, Sample({value: number}, {}, busy=1.0))
    return results


def test_the_table() -> None:
    results = results_of(
        requests={DIRECT: [9000, 9000, 9000], BARE: [800, 400, 900], ROUTE: [600, 500, 700], SERVE: [1600, 1200, 900]},
        latency_p50={DIRECT: [0.1, 0.2, 0.1], BARE: [1.1, 1.2, 1.3], SERVE: [2.1, 2.2, 2.0]},
    )
    text = "\n".join(render(results, (DIRECT, BARE, ROUTE, SERVE), TINY))
    cells = {line.partition(",")[0]: line.partition(",")[2].split()[1:] for line in text.splitlines()}
    # Beside bare: each round by itself. Latency: what the ways add to direct.
    assert cells["small requests"] == "9,000 800 600 1,200 0.78 [0.75, 1.25] 2.00 [1.00, 3.00]".split()
    assert cells["added latency p50"] == "0.10 1.00 – 2.00 +1.00 [+0.70, +1.00]".split()
    assert "reached  serve  small requests ≥ 1.25 × bare: 2.00" in text
    assert "MISSED   serve  added latency p50 ≤ bare + 0.7 ms: 1.00" in text
    assert "doubt" not in text


def test_the_table_shows_errors_and_doubts() -> None:
    results = results_of(requests={DIRECT: [1000], SERVE: [900]})
    results.add("burst", SERVE, 0, Sample({}, {"status 502": 3}))
    results.add("chunks", SERVE, 0, Sample({}, {}, busy=0.5))
    text = "\n".join(render(results, (DIRECT, SERVE), TINY))
    assert "error  serve: 3 × burst: status 502" in text
    assert "doubt  serve, requests: direct is only 1.1 times as fast" in text
    assert "doubt  serve, chunks: the proxy had only 50% of its core" in text


def test_goals_of_long_streams_are_not_judged_on_short_ones() -> None:
    results = results_of(burst_seconds={DIRECT: [3.1], SERVE: [5.0]}, burst_ttft_p99={SERVE: [900]})
    assert "not judged" in "\n".join(render(results, (DIRECT, SERVE), TINY))
    text = "\n".join(render(results, (DIRECT, SERVE), Sizes()))
    assert "MISSED   serve  streams at once: within 1.5 × direct's time: 1.61" in text
    assert "reached  serve  streams at once: TTFT p99 ≤ 2 s: 900" in text


def test_what_a_program_has_recorded(tmp_path: Path) -> None:
    file = tmp_path / "patchbay.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE exchanges (outcome TEXT)")
        database.executemany("INSERT INTO exchanges VALUES (?)", [("ok",), ("ok",), ("killed",), (None,)])
    assert recorded(file) == 2


def test_every_goal_has_a_row() -> None:
    values = {row.value for row in ROWS}
    assert {goal.value for goal in GOALS} | {goal.base_value for goal in GOALS if goal.base_value} <= values
    assert {row.figure for row in ROWS} == set(NAMES)
    assert len(values) == len(ROWS)


def test_the_command_measures_and_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.benchmark.proxy_command.QUICK", dataclasses.replace(TINY, soak_requests=0))
    file = tmp_path / "out.json"
    ran = CliRunner().invoke(bench, ["--quick", "--ways", "direct", "--only", "ttft,latency", "--json", str(file)])
    assert ran.exit_code == 0, ran.output
    assert "added latency p50" in ran.output
    written = json.loads(file.read_text("utf-8"))
    assert [sample["figure"] for sample in written["samples"]] == ["latency", "ttft"]
    assert written["samples"][0]["values"]["latency_p50"] > 0
    assert written["machine"]["mitmproxy"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--only", "latncy"], "'latncy' is none of idle, requests"), (["--ways", ""], "none of direct"), (["x"], "'x'")],
)
def test_the_command_refuses_what_it_does_not_know(arguments: list[str], words: str) -> None:
    ran = CliRunner().invoke(bench, arguments)
    assert ran.exit_code == 2
    assert words in ran.output


def test_the_command_helps() -> None:
    assert "proxy" in CliRunner().invoke(bench, ["--help"]).output
    assert "--quick" in CliRunner().invoke(bench, ["proxy", "--help"]).output
