"""``patchbay browse``: the record in a browser, for questions of one's own."""

import socket
import sys
from pathlib import Path

import click

from scripts.record_file import open_present

_MISSING = (
    "browsing needs Datasette, which is not installed: pip install 'patchbay[browse]'; in a checkout "
    ".venv/bin/python -m pip install datasette"
)


@click.command("browse")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 for any free one.")
def command(db: Path, port: int) -> None:
    """Open the record in Datasette, for this machine alone, until Ctrl-C.

    It only reads, and may run while the proxy writes: tables with their columns explained, ready questions, full
    text, and SQL of your own.
    """
    open_present(db).close()
    try:
        from scripts.browse_server import application, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("datasette", "uvicorn"):
            raise
        raise click.ClickException(_MISSING) from error
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}; --port names another") from error
    with listener:
        app = application(db.absolute())
        click.echo(f"http://127.0.0.1:{listener.getsockname()[1]}/ – Ctrl-C ends it")
        sys.stdout.flush()
        try:
            serve(app, listener)
        except KeyboardInterrupt:
            sys.exit(130)
