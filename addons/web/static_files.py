"""The files of the page: read once, so that a path can name one of them and nothing else."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from mitmproxy import http

from addons.web.replies import reply, reply_no

FOLDER = Path(__file__).parent / "static"
INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    tag: str


class StaticFiles:
    """Those of a folder whose kind we know, by name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {path.name: _read(path) for path in folder.glob("*") if path.suffix in _TYPES}

    def serve(self, flow: http.HTTPFlow, name: str) -> None:
        """Answer with a file; a browser that has it already is told so."""
        file = self._files.get(name)
        if file is None:
            reply_no(flow, 404, "There is no such file. The page is at /patchbay/.")
        elif file.tag in flow.request.headers.get("if-none-match", ""):
            reply(flow, b"", file.content_type, 304, cache_control="no-cache", etag=file.tag)
        else:
            reply(flow, file.body, file.content_type, cache_control="no-cache", etag=file.tag)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, _TYPES[path.suffix], f'"{blake2b(body, digest_size=12).hexdigest()}"')
