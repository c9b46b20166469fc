"""F60: clients that read slowly from streams that come fast, and then not at all.

Strategy: what a client does not take has to wait at the provider, not in the gateway: the provider's stream has no end
and no pace, and the gateway's memory is watched. Then the clients stop reading, and must be hung up on.
"""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scripts.benchmark.caller import HOST
from scripts.benchmark.load.calls import question
from scripts.benchmark.load.findings import Finding, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.ways import Ground

FAULT = "F60"
_LANE = "endless"
_MODEL = f"{_LANE}/numbered-100000000-0"
_MEMORY_MOST = 16.0  # MiB for each stream
_SMALL = 65_536  # bytes of the clients' own buffers
_PIECE = 16_384  # bytes at once
_MIB = 2**20
_COUNT = (
    "select count(*) from exchanges where provider = ? and outcome = 'client_disconnected' and who_ended = 'client'"
)


@dataclass(frozen=True, slots=True)
class Size:
    """So many clients that read ``pace`` bytes a second for ``seconds``, and are given ``stall`` seconds then."""

    clients: int = 16
    pace: int = 262_144
    seconds: float = 10.0
    stall: float = 5.0


FULL = Size()
QUICK = Size(clients=8, seconds=3, stall=2)


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    return Setup(partial(_registry, size), partial(_measure, size))


def _registry(size: Size, ground: Ground) -> str:
    return registry([provider(_LANE, ground.upstream)], more=f"settings: {{client_stall: {size.stall:g}}}\n")


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    clients = [await _client(stand, number) for number in range(size.clients)]
    await stand.until(_LANE, lambda seen: seen.streaming == size.clients)
    before = stand.process.resident() or 0
    stand.process.forget_peak()
    read = sum(await asyncio.gather(*(_read(client, size) for client in clients)))
    stopped = time.monotonic()
    held = (await stand.seen(_LANE)).sent - read
    grown = ((stand.process.peak() or 0) - before) / _MIB / size.clients
    await stand.until(_LANE, lambda seen: not seen.streaming)
    took = time.monotonic() - stopped
    rows = await stand.rows(_COUNT, _LANE, until=lambda found: found[0][0] == size.clients)
    _close(clients)
    return [
        at_most(FAULT, f"{size.clients} slow readers: memory for each stream", grown, _MEMORY_MOST, "MiB", 2),
        told(FAULT, "  on its way for each, in the system's buffers too", f"{held / _MIB / size.clients:.1f} MiB"),
        at_most(FAULT, f"  who reads nothing for {size.stall:g} s is left after", took, size.stall * 2 + 1, "s", 1),
        exactly(FAULT, "  recorded as client_disconnected", rows[0][0], size.clients),
    ]


async def _client(stand: Stand, number: int) -> socket.socket:
    """A client that has asked, with small buffers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, (HOST, stand.running.port))
    await loop.sock_sendall(client, question(_MODEL, user=number, stream=True))
    return client


async def _read(client: socket.socket, size: Size) -> int:
    """Read at its pace; returns the bytes that came."""
    loop, read = asyncio.get_running_loop(), 0
    began = loop.time()
    while loop.time() < began + size.seconds:
        await asyncio.sleep(max(0.0, began + read / size.pace - loop.time()))
        read += len(await loop.sock_recv(client, _PIECE))
    return read


def _close(clients: Sequence[socket.socket]) -> None:
    for client in clients:
        client.close()
