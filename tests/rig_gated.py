"""A streamed call in two parts: what the upstream does next waits until the client has got what was said before."""

import socket
import time
from typing import Any

from tests.fake_steps import Gate
from tests.rig_client import open_stream, read_answer
from tests.rig_gateway import Gateway, ask
from tests.rig_wall import Heard


def call_gated(gateway: Gateway, dialect: str, model: str, until: bytes, gate: Gate, **more: Any) -> Heard:
    """Ask for a stream, open ``gate`` once ``until`` has come (within one HTTP chunk), and read on to the end."""
    with open_stream(gateway.port, *ask(dialect, model, stream=True, **more)) as client:
        peek_until(client, until)
        gate.open()
        return Heard(gateway, dialect, True, read_answer(client))


def peek_until(client: socket.socket, until: bytes, seconds: float = 5.0) -> None:
    """Wait for bytes and leave them where they are; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while until not in (seen := client.recv(1 << 20, socket.MSG_PEEK)):
        assert time.monotonic() < deadline, f"no {until!r} in {seen!r}"
        time.sleep(0.005)
