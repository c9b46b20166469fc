"""Calls the addons that have a hook, and only those.

mitmproxy walks every addon for each hook, and once more for ``update`` after each hook of a flow. In a program whose
addons are fixed, who listens to what can be looked up once. Relies on ``AddonManager`` of mitmproxy 12.2 with
``register``, ``remove``, ``trigger_event`` and ``handle_lifecycle``, and on ``traverse`` and ``safecall``.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mitmproxy import exceptions, hooks, master
from mitmproxy.addonmanager import AddonManager, safecall, traverse
from mitmproxy.flow import Flow
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook

Listener = Callable[..., Any]


@dataclass
class Rest(StartHook):
    """What is left of a hook: ``waiting`` first, then the other ``listeners`` of ``event``."""

    name = "patchbay_rest"
    flow: object
    waiting: Awaitable[None]
    listeners: Iterator[Listener]
    event: hooks.Hook

    def args(self) -> list[Any]:
        """Return the flow, which mitmproxy's connection handler looks at."""
        return [self.flow]


class DirectAddonManager(AddonManager):
    """An addon manager that knows who listens to what."""

    def __init__(self, owner: master.Master) -> None:
        super().__init__(owner)  # type: ignore[no-untyped-call]  # mitmproxy's
        self._listeners: dict[str, list[Listener]] = {}

    def register(self, addon: object) -> object:
        """Register an addon; who listens is looked up anew."""
        self._listeners = {}
        return super().register(addon)  # type: ignore[no-untyped-call]  # mitmproxy's

    def remove(self, addon: object) -> None:
        """Remove an addon; who listens is looked up anew."""
        self._listeners = {}
        super().remove(addon)  # type: ignore[no-untyped-call]  # mitmproxy's

    def listeners(self, name: str) -> list[Listener]:
        """Return the hook ``name`` of every addon that has it, in the order of the chain."""
        found = self._listeners.get(name)
        if found is None:
            hooked = (getattr(addon, name, None) for addon in traverse(self.chain))
            found = self._listeners[name] = [hook for hook in hooked if callable(hook)]
        return found

    def call_now(self, event: StartHook) -> StartHook | None:
        """Call the hook's listeners at once; return what is left to be awaited, as a hook, or None.

        mitmproxy makes each hook a task, which costs more than the listeners do.
        """
        if self.listeners("update"):
            return event
        listeners = iter(self.listeners(event.name))
        waiting = self._call(listeners, event)
        return None if waiting is None else Rest(event.args()[0], waiting, listeners, event)

    def _call(self, listeners: Iterator[Listener], event: hooks.Hook) -> Awaitable[None] | None:
        """Call listeners until one must be awaited; one that fails is logged, and the others go on."""
        arguments = event.args()
        for listener in listeners:
            try:
                with safecall():
                    result = listener(*arguments)
                    if result is not None and inspect.isawaitable(result):
                        waiting: Awaitable[None] = result
                        return waiting
            except exceptions.AddonHalt:
                return None
        return None

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call the hook's listeners, or those of them that are left."""
        waiting: Awaitable[None] | None
        if isinstance(event, Rest):
            waiting, listeners, event = event.waiting, event.listeners, event.event
        else:
            listeners = iter(self.listeners(event.name))
            waiting = self._call(listeners, event)
        while waiting is not None:
            with safecall():
                await waiting
            waiting = self._call(listeners, event)

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """Call the hook's listeners, and tell those who want to know that the flow has changed."""
        await self.trigger_event(event)
        if self.listeners("update") and isinstance(message := event.args()[0], Flow):
            await self.trigger_event(hooks.UpdateHook([message]))


class DirectMaster(master.Master):
    """mitmproxy's Master with a `DirectAddonManager`."""

    addons: DirectAddonManager

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.addons = DirectAddonManager(self)
