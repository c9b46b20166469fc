"""Our own pages: they live under /patchbay/, and nothing there ever reaches the local server."""

import json

from mitmproxy import http

_ROOT = "/patchbay"


def is_own_page(path: str) -> bool:
    """Tell whether a request path (with its query, if any) is ours to answer."""
    return own_page(path) is not None


def own_page(path: str) -> str | None:
    """Return the name of the page ("" for the root), None for a path that is not ours."""
    plain = path.partition("?")[0]
    if plain != _ROOT and not plain.startswith(_ROOT + "/"):
        return None
    return plain.removeprefix(_ROOT).strip("/")


def answer(flow: http.HTTPFlow, value: object, status: int = 200) -> None:
    """Answer with JSON that nobody on the way may keep."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    flow.response = http.Response.make(status, json.dumps(value, ensure_ascii=False).encode(), headers)


def answer_error(flow: http.HTTPFlow, status: int, message: str) -> None:
    """Say no, in a shape that is no dialect's."""
    answer(flow, {"error": message}, status)
