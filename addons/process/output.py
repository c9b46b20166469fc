"""Output: nothing that is printed holds up a call, whoever reads it or no longer does (`addons.process.outlet`).

mitmproxy's own log and list of flows have taken hold of standard output before a script is loaded, so they are handed
the new one. Only the program's own streams are replaced: a test or an embedding program knows why it has others.
"""

import atexit
import io
import logging
import sys

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.addons.dumper import Dumper
from mitmproxy.addons.termlog import TermLogHandler

from addons.process.outlet import Outlet

_LAST_LINES = 1.0  # seconds that a slow reader has for the rest, at the end


class Output:
    """Puts outlets in front of standard output and standard error."""

    def load(self, loader: Loader) -> None:
        """Replace them; a script that is loaded again finds it done."""
        for name, own in (("stdout", sys.__stdout__), ("stderr", sys.__stderr__)):
            if own is not None and getattr(sys, name) is own and (fresh := behind_outlet(own)) is not None:
                setattr(sys, name, fresh)
                _hand_over(own, fresh)

    @property
    def dropped(self) -> int:
        """Lines that were left out since the start: for metrics."""
        return sum(outlet.dropped for outlet in map(_outlet_of, (sys.stdout, sys.stderr)) if outlet is not None)

    def vitals(self) -> dict[str, object]:
        """Say so to health."""
        return {"output_lines_dropped": self.dropped}


def behind_outlet(own: io.TextIOBase | object) -> io.TextIOWrapper | None:
    """Return a text stream like this one, with an outlet in front of its descriptor; None if it has none."""
    if not isinstance(own, io.TextIOWrapper):
        return None
    own.flush()
    outlet = Outlet(own.fileno())
    atexit.register(outlet.drain, _LAST_LINES)
    # Each line is one write: that of `print` and that of a log record.
    return io.TextIOWrapper(outlet, encoding=own.encoding, errors="backslashreplace", line_buffering=True)


def _outlet_of(stream: object) -> Outlet | None:
    behind = stream.buffer if isinstance(stream, io.TextIOWrapper) else None
    return behind if isinstance(behind, Outlet) else None


def _hand_over(own: object, fresh: io.TextIOWrapper) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is own:
            handler.setStream(fresh)
        elif isinstance(handler, TermLogHandler) and handler.file is own:
            handler.file = fresh
    dumper: Dumper | None = ctx.master.addons.get("dumper")
    if dumper is not None and dumper.outfp is own:
        dumper.outfp = fresh
