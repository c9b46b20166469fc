"""An ASGI application for those alone who ask for this machine by a name of its own."""

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def for_loopback(app: App) -> App:
    """Return the application for those alone who ask for a loopback host: no page elsewhere can read it by a name."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        if scope["type"] == "http" and not all(map(is_loopback, hosts or [""])):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Ask for 127.0.0.1 or localhost.\n"})
            return
        await app(scope, receive, send)

    return guarded


def is_loopback(host: str) -> bool:
    """Say whether a Host header names this machine to itself: ``localhost`` or a loopback address, with any port."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
