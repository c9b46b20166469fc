"""Prober: asks the servers of providers in use how they are, beside their calls (`providers.probing` says when).

It sleeps while nobody calls, and stops at once when Patchbay is stopped: nothing waits for a probe.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from addons import clock
from addons.configuration import Configuration
from providers.client import NO_SUCH_PATH, Client
from providers.errors import Rejected, TimedOut, Unreachable, UpstreamError
from providers.failover import Failover
from providers.probing import Found, Probe, Probing, Slots, found_by, slots_in

_LOOK = 0.25  # seconds between two looks at what is due, while anybody is in use
_PATIENCE = 5.0  # seconds for an answer


class Prober:
    """Drives the probes of one proxy."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._called = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    def running(self) -> None:
        """Begin to look after those who are called."""
        self._configuration.failover.probing.wake = self._called.set
        self._called.set()  # somebody may have called before
        self._task = asyncio.get_running_loop().create_task(self._run(), name="probes")

    def done(self) -> None:
        """Drop whatever is under way."""
        for task in (self._task, *self._asking):
            if task is not None:
                task.cancel()

    async def _run(self) -> None:
        while True:
            await self._called.wait()
            self._called.clear()
            while (due := self._due()) is not None:
                self._ask_all(due)
                await asyncio.sleep(_LOOK)

    def _due(self) -> list[Probe] | None:
        registry = self._configuration.registry
        window = int(registry.settings.probe_for * 1e6)
        return self._configuration.failover.probing.due(registry.providers.values(), window, clock.now_us())

    def _ask_all(self, due: Iterable[Probe]) -> None:
        for probe in due:
            task = asyncio.get_running_loop().create_task(self._ask(probe), name=f"probe of {probe.provider.name}")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(self, probe: Probe) -> None:
        configuration = self._configuration
        if await ask(probe, configuration.client, configuration.failover):
            configuration.dialects.forget(probe.provider.name)  # who comes back may be another version


async def ask(probe: Probe, client: Client, failover: Failover) -> bool:
    """Make a probe, and say whether the server has just gone."""
    began = clock.now_us()
    found = await _found(probe, client)
    latency = clock.now_us() - began
    slots = await _slots(probe, client, failover.probing) if found is Found.WELL and probe.slots else None
    load = failover.places.load(probe.provider.name, probe.server.name)
    own = load.in_flight if load is not None else 0
    return failover.probing.over(probe, found, latency, clock.now_us(), slots, own)


async def _found(probe: Probe, client: Client) -> Found:
    try:
        status = await client.look(probe.provider, probe.server, _PATIENCE)
    except TimedOut:
        return Found.SILENT
    except Unreachable:
        return Found.AWAY
    except UpstreamError:
        return Found.FAILING
    return found_by(status, probe.provider)


async def _slots(probe: Probe, client: Client, probing: Probing) -> Slots | None:
    """Ask for the slots. One that is busy may answer late, which is no news; one that has no such page never will."""
    with suppress(UpstreamError):
        try:
            return slots_in(await client.slots(probe.provider, probe.server, _PATIENCE))
        except Rejected as refusal:
            if refusal.status < 500 or refusal.status in NO_SUCH_PATH:
                probing.no_slots(probe)
    return None
