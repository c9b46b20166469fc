"""`scripts/bench translate`: what a translation costs, for each pair of dialects, on one core and without a network."""

import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.translate import Translation
from scripts.benchmark import machine
from scripts.benchmark.summary import quantile
from scripts.benchmark.translations import MESSAGES, TOOLS, request, stream

OPERATIONS: dict[Dialect, Operation] = {
    Dialect.CHAT: Operation.CHAT,
    Dialect.MESSAGES: Operation.MESSAGES,
    Dialect.RESPONSES: Operation.RESPONSES,
}
PAIRS = [(client, provider) for client in Dialect for provider in Dialect if client is not provider]
_SLICE = 16 * 1024  # bytes read at once, as a busy connection gives them
# What we aim at: ms for the request, events a second, ms to the first event.
REQUEST_MS, EVENTS_PER_SECOND, FIRST_MS = 20.0, 60_000.0, 0.2


@dataclass(frozen=True)
class Figures:
    """What was measured of one pair: medians, and how large the request was in MB."""

    client: Dialect
    provider: Dialect
    megabytes: float
    request_ms: float
    events_per_second: float
    first_ms: float

    def missed(self) -> Iterator[str]:
        """The goals that were not reached."""
        if self.request_ms > REQUEST_MS:
            yield f"request {self.request_ms:.1f} ms > {REQUEST_MS:g} ms"
        if self.events_per_second < EVENTS_PER_SECOND:
            yield f"stream {self.events_per_second:,.0f} events/s < {EVENTS_PER_SECOND:,.0f}"
        if self.first_ms > FIRST_MS:
            yield f"first event {self.first_ms:.2f} ms > {FIRST_MS:g} ms"


def plan(client: Dialect, provider: Dialect, body: dict[str, object]) -> Translation:
    """A translation to a provider that takes everything."""
    return Translation.plan(client, OPERATIONS[client], provider, body, Capabilities(), "m", id="x", created=1)


def measure(client: Dialect, provider: Dialect, rounds: int, events: int) -> Figures:
    """Measure one pair; medians of ``rounds``, each stream of ``events`` events."""
    body = request(client)
    small = plan(client, provider, {**body, **_least(client)})
    return Figures(
        client,
        provider,
        len(json.dumps(body, ensure_ascii=False).encode()) / 1e6,
        1000 * _median(rounds, lambda: _timed(lambda: plan(client, provider, body))),
        events / _median(rounds, lambda: _stream_seconds(small, provider, events)),
        1000 * _median(20 * rounds, lambda: _first_seconds(small, provider)),
    )


def _least(client: Dialect) -> dict[str, object]:
    asked = [{"role": "user", "content": "Hi"}]
    return {"input": asked} if client is Dialect.RESPONSES else {"messages": asked}


def _median(times: int, once: Callable[[], float]) -> float:
    return quantile([once() for _ in range(times)], 0.5)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _stream_seconds(translation: Translation, provider: Dialect, events: int) -> float:
    data = b"".join(stream(provider, events))
    pieces = [data[at : at + _SLICE] for at in range(0, len(data), _SLICE)]
    reader, writer = translation.reader(True), translation.writer(True)

    def work() -> None:
        for piece in pieces:
            b"".join([writer.write(event) for event in reader.feed(piece)])
        b"".join([writer.write(event) for event in reader.close()])
        writer.close()

    return _timed(work)


def _first_seconds(translation: Translation, provider: Dialect) -> float:
    """From the first event's bytes to the first bytes that are written, for a call whose head has come."""
    ahead, piece, _ = stream(provider, 1)
    reader, writer = translation.reader(True), translation.writer(True)
    return _timed(lambda: b"".join([writer.write(event) for event in reader.feed(ahead + piece)]))


@click.command("translate", short_help="Requests and streams through every pair of dialects.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=15, show_default=True, help="Medians are of so many.")
@click.option("--events", type=click.IntRange(1), default=20_000, show_default=True, help="Events of each stream.")
def command(rounds: int, events: int) -> None:
    """Time parse and build of a large request, a stream from reader to writer, and the first event of one."""
    machine.pin(0, machine.share_out().proxy)
    click.echo("\n".join([*(f"{name}: {value}" for name, value in machine.facts().items()), ""]))
    click.echo(f"request: {MESSAGES} messages, {TOOLS} tools · stream: {events:,} events · medians of {rounds}\n")
    head = f"{'client':<10} {'provider':<10} {'MB':>5} {'request ms':>11} {'events/s':>10} {'first ms':>9}"
    click.echo(head)
    gc.collect()
    gc.disable()
    try:
        found = [_told(measure(client, provider, rounds, events)) for client, provider in PAIRS]
    finally:
        gc.enable()
    missed = [f"MISSED   {one.client} → {one.provider}: {goal}" for one in found for goal in one.missed()]
    goals = f"request ≤ {REQUEST_MS:g} ms, ≥ {EVENTS_PER_SECOND:,.0f} events/s, first event ≤ {FIRST_MS:g} ms"
    click.echo("\n".join(["", *(missed or [f"reached  {goals}, for every pair"])]))


def _told(one: Figures) -> Figures:
    click.echo(
        f"{one.client:<10} {one.provider:<10} {one.megabytes:5.2f} {one.request_ms:11.2f} "
        f"{one.events_per_second:10,.0f} {one.first_ms:9.3f}"
    )
    return one
