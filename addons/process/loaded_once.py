"""Loaded once: the script stays as it was loaded, whatever becomes of its file.

mitmproxy loads a script again when its file has changed, and lets go of it when the file is gone. For a gateway either
is a disaster: calls in flight lose the addons that carry them (a stream goes silent, the record is closed over it), and
without the script what is left is an open proxy. An update of the files under a running Patchbay must do neither; the
configuration is watched by ourselves (`addons.configuration`).
"""

from mitmproxy import ctx
from mitmproxy.addons.script import ScriptLoader


class LoadedOnce:
    """Ends mitmproxy's watch of the file that we come from; there is none under `scripts/serve`."""

    def running(self) -> None:
        """Do so: the script is loaded now."""
        loader: ScriptLoader | None = ctx.master.addons.get("scriptloader")
        for script in [] if loader is None else loader.addons:
            mine = script.ns is not None and self in getattr(script.ns, "addons", ())
            if mine and script.reloadtask is not None:
                script.reloadtask.cancel()
