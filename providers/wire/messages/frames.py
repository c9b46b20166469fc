"""The events of a Messages stream as bytes. JSON is written with ASCII escapes: half of a character can be sent on.

Only what grows is put together here; the beginnings are constants, because a long answer has tens of thousands of them.
"""

import json

from providers.wire.neutral import Json

_compact = json.JSONEncoder(separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring_ascii

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA = 'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{},"delta":{{"type":"{}","{}":'
_END = "}}\n\n"


def frame(value: Json) -> bytes:
    """Any event; its SSE name is its type."""
    return f"event: {value['type']}\ndata: {_compact(value)}\n\n".encode("ascii")


def delta_head(index: int, kind: str, field: str) -> str:
    """Everything of a delta that stands before its text."""
    return _DELTA.format(index, kind, field)


def delta(head: str, text: str) -> bytes:
    """A delta whose only field is a text."""
    return (head + _quoted(text) + _END).encode("ascii")


def block_start(index: int, block: Json) -> bytes:
    """A block begins."""
    return frame({"type": "content_block_start", "index": index, "content_block": block})


def block_stop(index: int) -> bytes:
    """A block ends."""
    return f'event: content_block_stop\ndata: {{"type":"content_block_stop","index":{index}}}\n\n'.encode("ascii")


def comment(text: str) -> bytes:
    """An SSE comment; ahead of ``message_start`` nothing else may come."""
    return f": {' '.join(text.split())}\n\n".encode("utf-8", "replace")


def body(value: Json) -> bytes:
    """A plain answer."""
    return _compact(value).encode("ascii")
