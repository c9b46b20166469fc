"""Runs what asks others, and leaves when it is done: a resolver that keeps silent would hold up the end otherwise."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread


class Leaving(ThreadPoolExecutor):
    """Each piece of work gets a thread that nobody waits for: names are looked up in it, for up to half a minute."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin it now. OSError and ValueError are its caller's to hear of; nothing else is expected of a look-up."""
        future: Future[T] = Future()

        def work() -> None:
            future.set_running_or_notify_cancel()
            try:
                future.set_result(fn(*args, **kwargs))
            except (OSError, ValueError) as error:
                future.set_exception(error)

        Thread(target=work, daemon=True, name="patchbay-look-up").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave."""


def run[T](asking: Coroutine[object, object, T]) -> T:
    """Run it in an event loop of its own."""

    async def leaving() -> T:
        asyncio.get_running_loop().set_default_executor(Leaving())
        return await asking

    return asyncio.run(leaving())
