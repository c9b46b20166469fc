"""Calls as an HTTP Archive (HAR 1.2).

Strategy: the record holds what was said, not how it was framed, so headers are those that can be told from it. A body
that was kept is given as it was: a request as the client sent it, an answer as the provider did. Any other is built
from the stored conversation, in Patchbay's own form, and says so: in its comment, and in ``_patchbay``.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TextIO

from addons.telemetry.bodies import Side
from addons.telemetry.queries import Record
from providers.version import version
from scripts.export_call import Call, Exporter, as_json

BASE = "http://127.0.0.1:8088"  # where Patchbay listens unless it is told otherwise; the record doesn't know
PATHS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
    "rerank": "/v1/rerank",
    "responses": "/v1/responses",
    "input_tokens": "/v1/responses/input_tokens",
    "messages": "/v1/messages",
    "count_tokens": "/v1/messages/count_tokens",
}
REBUILT = "rebuilt from the stored conversation, in Patchbay's own form; not what passed over the wire"
_KEPT: dict[Side, str] = {
    "request": "as the client sent it, without keys",
    "answer": "as the provider sent it, without keys",
}
_JSON, _EVENTS = "application/json", "text/event-stream"
_UNKNOWN = -1  # HAR's own word


class HarWriter:
    """Writes an archive call by call: nothing is held."""

    def __init__(self, file: TextIO, exporter: Exporter) -> None:
        self._file = file
        self._exporter = exporter
        self._first = True

    def begin(self) -> None:
        """Write the head."""
        creator = json.dumps({"name": "Patchbay", "version": version()})
        self._file.write(f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": [')

    def add(self, record: Record) -> None:
        """Write an entry. Raises OSError, sqlite3.Error and zstandard.ZstdError."""
        text = as_json(entry(self._exporter.call(record)))
        self._file.write(("\n" if self._first else ",\n") + text)
        self._first = False

    def end(self) -> None:
        """Write the foot."""
        self._file.write("\n]}}\n")


def entry(call: Call) -> Record:
    """Return a call as HAR has it; ``_patchbay`` holds what HAR has no words for."""
    row = call.numbers
    timings = _timings(row)
    return {
        "startedDateTime": datetime.fromtimestamp(float(str(row["started_at"])), UTC).isoformat(
            timespec="milliseconds"
        ),
        "time": sum(max(span, 0.0) for span in timings.values()),
        "request": _request(call),
        "response": _response(call),
        "cache": {},
        "timings": timings,
        "comment": f"{row['provider']}/{row['model']}: {row['outcome']}",
        "_patchbay": {
            **row,
            "attempts": call.tries,
            "bodies": {side: "kept" if side in call.kept else "rebuilt" for side in ("request", "answer")},
        },
    }


def _timings(row: Record) -> dict[str, float]:
    """Return spans in milliseconds, one after the other; the connection's lies in ``connect`` alone."""
    whole, first, dial = (_millis(row[name]) for name in ("duration_us", "ttfb_us", "connect_us"))
    connect = dial or 0.0
    wait = max((first if first is not None else whole or 0.0) - connect, 0.0)
    receive = max((whole or 0.0) - connect - wait, 0.0)
    given = {"blocked": _UNKNOWN, "dns": _UNKNOWN, "connect": _UNKNOWN if dial is None else dial, "send": 0.0}
    return {**given, "wait": wait, "receive": receive, "ssl": _UNKNOWN}


def _millis(micros: object) -> float | None:
    return None if micros is None else int(str(micros)) / 1000


def _request(call: Call) -> Record:
    row = call.numbers
    asked = {"model": row["requested_model"], "stream": bool(row["stream"]), "messages": call.messages}
    text, encoding, comment = _body(call, "request", asked)
    data: Record = {"mimeType": _JSON, "text": text, "comment": comment, **encoding}
    return {
        "method": "POST",
        "url": BASE + PATHS.get(str(row["operation"]), "/"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers({"content-type": _JSON, "user-agent": row["client"]}),
        "queryString": [],
        "postData": data,
        "headersSize": _UNKNOWN,
        "bodySize": row["bytes_in"],
    }


def _response(call: Call) -> Record:
    row = call.numbers
    status = int(str(row["status"] or 0))
    kind = _EVENTS if row["stream"] and "answer" in call.kept and status == 200 else _JSON
    said: Record | None = call.answer or ({"error": row["error"]} if row["error"] else None)
    text, encoding, comment = _body(call, "answer", said)
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in HTTPStatus else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers({"content-type": kind, "x-patchbay-id": row["id"]}),
        "content": {"size": row["bytes_out"], "mimeType": kind, "text": text, "comment": comment, **encoding},
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": row["bytes_out"],
    }


def _headers(named: Mapping[str, object]) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in named.items() if value]


def _body(call: Call, side: Side, rebuilt: Record | None) -> tuple[str, dict[str, str], str]:
    """Return a body's text, how it is encoded, and where it comes from."""
    kept = call.kept.get(side)
    if kept is None:
        return "" if rebuilt is None else as_json(rebuilt), {}, REBUILT
    try:
        return kept.decode(), {}, _KEPT[side]
    except UnicodeDecodeError:
        return base64.b64encode(kept).decode(), {"encoding" if side == "answer" else "_encoding": "base64"}, _KEPT[side]
