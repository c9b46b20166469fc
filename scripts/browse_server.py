"""Datasette on the record: loopback, read only.

It asks for the extra ``patchbay[browse]``: `scripts.browse` imports it only when the command is called.
"""

import socket
from pathlib import Path

import uvicorn
from datasette.app import Datasette  # type: ignore[import-untyped]  # it has no types

from scripts.browse_metadata import metadata
from scripts.loopback_app import App, for_loopback

_SETTINGS = {
    "allow_download": False,  # a copy without its journal would lack the newest calls
    "sql_time_limit_ms": 5000,
    "facet_time_limit_ms": 1000,
    "suggest_facets": False,
}


def application(db: Path) -> App:
    """Return the ASGI application: the file as it is while a proxy writes to it, opened for reading only."""
    site = Datasette([str(db)], metadata=metadata(db.stem), settings=_SETTINGS)
    return for_loopback(site.app())


def serve(app: App, listener: socket.socket) -> None:
    """Serve until Ctrl-C."""
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on")).run(sockets=[listener])
