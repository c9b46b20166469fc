"""What `patchbay doctor` looks at on this machine: descriptors, the address to listen on, the record."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from addons.process.file_limit import raise_file_limit
from addons.telemetry.database import is_broken, open_for_reading, sizes
from addons.telemetry.schema import newest_version, version_of
from providers.client import Client
from providers.errors import UpstreamError
from providers.registry import Registry
from providers.support import Finding, Level
from scripts.banner import url_of
from scripts.configuration import Refusal
from scripts.serve_command import refuse_remote, refuse_taken, refuse_unwritable

FEW_FILES = 4096  # descriptors; a call takes two, and a connection that rests takes one
CHECK_SECONDS = 1.0  # that the record is read for; some hundred MiB
ASK_SECONDS = 1.0  # for who listens there already: it is this machine
_STEPS = 10_000  # of SQLite between two looks at the clock
_ADVICE: dict[str, str] = {
    "newer": "Bring Patchbay up to date, or name another file: PATCHBAY_DB",
    "damaged": "The next start moves it aside and begins a new one; a backup of it is a plain copy",
    "held": "Look again when the other program has let go of it",
}


def descriptors() -> Finding:
    """Say how many files and connections a process may hold here, after raising the limit as `serve` does."""
    limit = raise_file_limit()
    if limit >= FEW_FILES:
        return Finding("descriptors", "ok", f"{limit:,} at once")
    said = f"{limit:,} at once: enough for about {max(0, limit - 64) // 2:,} calls"
    return Finding(
        "descriptors", "warning", said, "`ulimit -n` (its hard limit), or LimitNOFILE= of systemd, gives more"
    )


async def listen_address(registry: Registry, client: Client) -> Finding:
    """Say whether `serve` could listen where it is to, or how the Patchbay is that does so already."""
    about = "listen"
    try:
        refuse_remote(registry)
    except Refusal as refusal:
        return Finding(about, "wrong", refusal.message)
    try:
        refuse_taken(registry.listen, "--listen HOST:PORT")
    except Refusal as refusal:
        level, said = _who_listens(url_of(registry.listen), await _health(registry, client)) or (
            "wrong",
            refusal.message,
        )
        return Finding(about, level, said)
    return Finding(about, "ok", f"{registry.listen[0]}:{registry.listen[1]} is free")


async def _health(registry: Registry, client: Client) -> object:
    try:
        return await client.get_json(f"{url_of(registry.listen)}/patchbay/health", [], ASK_SECONDS)
    except UpstreamError:
        return None


def _who_listens(url: str, health: object) -> tuple[Level, str] | None:
    """Say what a Patchbay tells of itself; None if it is none."""
    match health:
        case {"status": "ok", "version": str(version)}:
            return "ok", f"Patchbay {version} serves on {url}"
        case {"status": str(status), "version": str(version), "reasons": [*reasons]}:
            return "warning", " ".join([f"Patchbay {version} serves on {url} and is {status}:", *map(str, reasons)])
    return None


def record(path: Path) -> Finding:
    """Say whether the record can be written, is whole, and of which version it is."""
    try:
        refuse_unwritable(path)
    except Refusal as refusal:
        return Finding("record", "wrong", refusal.message)
    if not path.exists():
        return Finding("record", "ok", f"{path} will be made")
    try:
        with closing(open_for_reading(path)) as connection:
            return _judged(path, connection)
    except sqlite3.Error as error:
        said = f"{path} cannot be read: {error}"
        if is_broken(error):
            return Finding("record", "wrong", said, _ADVICE["damaged"])
        return Finding("record", "warning", said, _ADVICE["held"])


def _judged(path: Path, connection: sqlite3.Connection) -> Finding:
    version, newest = version_of(connection), newest_version()
    if version > newest:
        return Finding("record", "wrong", f"{path} was made by a newer Patchbay (version {version})", _ADVICE["newer"])
    checked = _check(connection)
    said = f"{path}, {sum(max(0, size) for size in sizes(path)) / (1 << 20):,.1f} MiB, version {version}"
    if checked not in ("ok", ""):
        return Finding("record", "wrong", f"{said}, is damaged: {checked}", _ADVICE["damaged"])
    older = "" if version == newest else f"; the next start brings it to version {newest}"
    whole = "whole" if checked else f"no damage found within {CHECK_SECONDS:g} s of reading"
    return Finding("record", "ok", f"{said}, {whole}{older}")


def _check(connection: sqlite3.Connection) -> str:
    """Return what SQLite finds wrong, `ok` for nothing, "" where there was no time to read it all."""
    deadline = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return ""
    finally:
        connection.set_progress_handler(None, _STEPS)
