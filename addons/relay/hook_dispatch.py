"""Calls a hook's listeners at once, where mitmproxy would make a task of it and walk all its addons.

mitmproxy runs each hook as a task that asks every addon for the hook, and then every addon for ``update``: with its 45
addons that is half of the CPU time of a small request (measured with 12.2.3, 2026-11-20). The same listeners are called
here, in the same order, but who listens is remembered, and only what must be awaited becomes a task: a listener that is
a coroutine, or a flow that somebody has paused.

A listener that fails is logged, and the others go on, as in mitmproxy. But whoever made the caller is told: what that
listener was to do, to check a request or to change it, has not been done (specs: faults, F47).

Relies on ``AddonManager`` of mitmproxy 12.2 with ``chain`` and ``lookup``, on ``traverse``, and on the connection
handler, which waits for a paused flow after the hook that is a command.
"""

import asyncio
import dataclasses
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from mitmproxy import ctx, exceptions, hooks, master
from mitmproxy.addonmanager import AddonManager, traverse
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.flow import Flow
from mitmproxy.proxy.commands import StartHook

logger = logging.getLogger(AddonManager.__module__)  # where mitmproxy logs the same
_LOGGED = "Addon error: %s"

Listener = Callable[..., Any]
Failed = Callable[[], None]  # told when a listener has failed
_FIELDS: dict[str, list[str]] = {}  # hook → the fields of its class


@dataclass
class PatchbayRestHook(StartHook):
    """What is left of a hook of this flow; `addons.relay.relay` has the listener that sees it through."""

    name = "patchbay_rest"
    flow: Flow


@dataclass(slots=True)
class _Left:
    """A hook that is not through: first ``waiting``, then the other ``listeners``."""

    event: hooks.Hook
    waiting: Awaitable[None]
    listeners: Iterator[Listener]
    failed: Failed


def _untold() -> None:
    """Tell nobody."""


class HookCaller:
    """Calls the listeners of the flow hooks of one proxy; ``failed`` is told of a flow when one of them fails."""

    def __init__(self, failed: Callable[[Any], None] | None = None) -> None:
        self._failed = failed
        self._addons: list[object] = []
        self._listeners: dict[str, list[Listener]] = {}
        self._left: dict[str, _Left] = {}
        self._started = False

    def call_now(self, event: StartHook) -> StartHook | None:
        """Call a flow hook's listeners. Return None if that is all, else the hook to be yielded instead."""
        flow: Flow = _arguments(event)[0]
        listeners, failed = iter(self.listening(event.name)), self._teller(flow)
        waiting = _call(listeners, event, failed) if self._has_started() else _start_up()
        if waiting is not None:
            self._left[flow.id] = _Left(event, waiting, listeners, failed)
            return PatchbayRestHook(flow)
        updating = self.listening("update")
        if updating:
            _call(iter(updating), hooks.UpdateHook([flow]), _untold)
        return PatchbayRestHook(flow) if flow.intercepted else None

    async def finish(self, flow: Flow) -> None:
        """See a hook through that had to wait."""
        left = self._left.pop(flow.id, None)
        if left is not None:
            await _see_through(left)

    def _teller(self, flow: Flow) -> Failed:
        return _untold if self._failed is None else partial(self._failed, flow)

    def _has_started(self) -> bool:
        self._started = self._started or _is_ready()
        return self._started

    def listening(self, name: str) -> list[Listener]:
        """Return the hook ``name`` of every addon that has it, in the order of the chain."""
        manager: AddonManager = ctx.master.addons
        addons = list(manager.lookup.values())
        if addons != self._addons:  # an addon came or went, or a script was loaded again
            self._addons, self._listeners = addons, {}
        found = self._listeners.get(name)
        if found is None:
            hooked = (getattr(addon, name, None) for addon in traverse(manager.chain))
            found = self._listeners[name] = [hook for hook in hooked if callable(hook)]
        return found


class DirectAddonManager(AddonManager):
    """mitmproxy's addon manager, for a fixed list of addons: it calls those that listen and asks no others."""

    def __init__(self, owner: master.Master) -> None:
        super().__init__(owner)  # type: ignore[no-untyped-call]  # mitmproxy's
        self._caller = HookCaller()

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call the hook's listeners; one that fails is logged, and the others go on."""
        listeners = iter(self._caller.listening(event.name))
        waiting = _call(listeners, event, _untold)
        if waiting is not None:
            await _see_through(_Left(event, waiting, listeners, _untold))


def _arguments(event: hooks.Hook) -> list[Any]:
    """Return what ``Hook.args`` does, without asking the class for its fields each time."""
    names = _FIELDS.get(event.name)
    if names is None:
        fields = dataclasses.fields(event)  # type: ignore[arg-type]  # every hook is a dataclass
        names = _FIELDS[event.name] = [field.name for field in fields]
    return [getattr(event, name) for name in names]


def _is_ready() -> bool:
    """Whether mitmproxy's own addons can be asked.

    A request that comes in the first moments finds its TLS addon without certificates; the error that this addon then
    logs would end the whole program, being one "during startup" (12.2.3, 2026-11-20).
    """
    tls: TlsConfig | None = ctx.master.addons.get("tlsconfig")
    return tls is None or tls.certstore is not None


async def _start_up() -> None:
    """Wait until mitmproxy has started; a client that was quicker has to."""
    while not _is_ready():
        await asyncio.sleep(0.01)


async def _see_through(left: _Left) -> None:
    waiting: Awaitable[None] | None = left.waiting
    while waiting is not None:
        try:
            await waiting
        except exceptions.AddonHalt:
            return
        except Exception as error:
            logger.exception(_LOGGED, error)
            left.failed()
        waiting = _call(left.listeners, left.event, left.failed)


def _call(listeners: Iterator[Listener], event: hooks.Hook, failed: Failed) -> Awaitable[None] | None:
    """Call listeners until one must be awaited; one that fails is logged, and the others go on."""
    arguments = _arguments(event)
    for listener in listeners:
        try:
            result = listener(*arguments)
        except exceptions.AddonHalt:
            return None
        except Exception as error:
            # An OptionsError as well: mitmproxy lets it pass, and the flow hangs for ever (12.2.3, 2026-11-20).
            logger.exception(_LOGGED, error)
            failed()
        else:
            if result is not None and inspect.isawaitable(result):
                waiting: Awaitable[None] = result
                return waiting
    return None
