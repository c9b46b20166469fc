"""Steady traffic in front of a gateway while a test does something to it: every dialect, plain and streamed.

Each worker makes one call after the other, on new connections and on one that it keeps, and judges every answer. What
is not as it should be is kept as text; a test that ends its load without looking has not tested anything.
"""

import contextlib
import itertools
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.rig_client import RawAnswer, dial, read_answer, request_bytes
from tests.rig_gateway import DIALECTS, Gateway, ask

END = {"chat": b"data: [DONE]", "messages": b"event: message_stop", "responses": b"response.completed"}
_LINES = (("content-type", "application/json"),)


@dataclass(slots=True)
class Load:
    """The traffic so far: ``calls`` that were answered as they should, and ``failures`` told in words."""

    calls: int = 0
    failures: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)

    def assert_served(self, at_least: int) -> None:
        """Nothing has failed, and something was done."""
        assert not self.failures, self.failures[:5]
        assert self.calls >= at_least

    def stop(self) -> None:
        """Let the calls in flight end, and make no more."""
        self._enough.set()

    def work(self, port: int, models: Sequence[str]) -> None:
        """Call until stopped; the work of one thread."""
        for model, dialect, stream in itertools.cycle(itertools.product(models, DIALECTS, (False, True))):
            if self._enough.is_set():
                return
            try:
                with dial(port, seconds=30) as connected:
                    for _ in range(2):  # the second call comes on a connection that stands
                        self._call(connected, model, dialect, stream=stream)
            except OSError as error:
                self.failures.append(f"{model} {dialect} {stream=}: {error!r}")

    def _call(self, connected: socket.socket, model: str, dialect: str, *, stream: bool) -> None:
        target, body = ask(dialect, model, stream=stream)
        connected.sendall(request_bytes("POST", target, json.dumps(body).encode(), _LINES))
        if (wrong := wrong_with(read_answer(connected), dialect, stream=stream)) is None:
            self.calls += 1
        else:
            self.failures.append(f"{model} {dialect} {stream=}: {wrong}")


def wrong_with(answer: RawAnswer, dialect: str, *, stream: bool) -> str | None:
    """Say what keeps an answer from being a healthy one."""
    if answer.status != 200 or not answer.whole:
        return f"{answer.status}, whole: {answer.whole}, {answer.body[:300]!r}"
    if b"Patchbay" not in answer.body or (stream and END[dialect] not in answer.body):
        return f"not to its end: {answer.body[-300:]!r}"
    return None


@contextlib.contextmanager
def steady_load(gateway: Gateway, models: Sequence[str], workers: int = 2) -> Iterator[Load]:
    """Have ``workers`` threads call ``models`` until the block ends; the last calls are through when it has."""
    load = Load()
    threads = [threading.Thread(target=load.work, args=(gateway.port, models), daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a call has not ended"
