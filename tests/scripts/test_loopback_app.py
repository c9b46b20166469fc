"""Who is let in to what only this machine may see."""

import asyncio
from typing import Any

import pytest

from scripts.loopback_app import for_loopback, is_loopback


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8001", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8001", True),
        ("[::1]", True),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
        ("[::1", True),
    ],
)
def test_loopback(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_given: Any) -> Any:
        raise AssertionError("nothing is to be sent")

    async def ask() -> None:
        await for_loopback(app)({"type": "lifespan"}, nothing, nothing)

    asyncio.run(ask())
    assert seen == ["lifespan"]
