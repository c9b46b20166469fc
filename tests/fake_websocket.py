"""Just enough of RFC 6455 for an echo endpoint: handshake key, unmasking, single-frame messages, ping and close."""

import asyncio
import base64
import hashlib
from collections.abc import Callable

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PING, PONG, CLOSE = 0x9, 0xA, 0x8


def accept_key(key: str) -> str:
    """The value of ``Sec-WebSocket-Accept`` for a client's key."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()


def take_frame(buffer: bytearray) -> tuple[int, bytes] | None:
    """Cut one frame (opcode byte with its FIN bit, unmasked payload) out of the buffer; None while it is not whole."""
    if len(buffer) < 2:
        return None
    length, at = buffer[1] & 0x7F, 2
    if length >= 126:
        width = 2 if length == 126 else 8
        length, at = int.from_bytes(buffer[2 : 2 + width]), 2 + width
    mask = bytes(buffer[at : at + 4]) if buffer[1] & 0x80 else b"\0\0\0\0"
    at += 4 if buffer[1] & 0x80 else 0
    if len(buffer) < at + length:
        return None
    payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(buffer[at : at + length]))
    first = buffer[0]
    del buffer[: at + length]
    return first, payload


def frame(first: int, payload: bytes) -> bytes:
    """One unmasked frame, as a server sends it."""
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    width, marker = (2, 126) if len(payload) < 65536 else (8, 127)
    return bytes((first, marker)) + len(payload).to_bytes(width) + payload


async def echo(incoming: asyncio.Queue[bytes], write: Callable[[bytes], None]) -> None:
    """Send every data frame back as it came, answer pings, return after the peer's close frame."""
    buffer = bytearray()
    while True:
        buffer += await incoming.get()
        while (taken := take_frame(buffer)) is not None:
            first, payload = taken
            opcode = first & 0x0F
            if opcode == PING:
                write(frame(0x80 | PONG, payload))
            elif opcode != PONG:
                write(frame(first, payload))
            if opcode == CLOSE:
                return
