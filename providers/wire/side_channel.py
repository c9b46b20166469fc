"""The side channel: opaque strings that a client must send back verbatim, used to carry what its dialect cannot say.

Messages has two such strings (``thinking.signature``, ``redacted_thinking.data``), Responses one
(``reasoning.encrypted_content``). What another provider made (signatures, encrypted reasoning, blocks of another
dialect) travels there as ``patchbay1.`` and base64url of JSON ``{"format": ..., "payload": {...}}``. The prefix has a
version: a string that a later version wrote is unknown here, and the same as broken: it is no side channel, and nobody
complains. A packed string means nothing to a provider: it is unpacked on the way in and never sent on.
"""

import base64
import binascii
import json
import re

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Opaque, Thinking
from providers.wire.values import mapping, parse, string

PREFIX = "patchbay1."
"""What every packed string begins with; a body without these bytes holds none."""

_ANY_VERSION = re.compile(r"patchbay\d+\.")

ANTHROPIC = "anthropic-claude-v1"
"""The format (OpenRouter's word for it) of signatures and redacted data that Anthropic's models make."""
OPENAI = "openai-responses-v1"
"""The format of OpenAI's encrypted reasoning."""
OPAQUE = "opaque"
"""The format of a part that is no reasoning: payload ``{"dialect", "type", "raw"}``, ``call`` if on a tool call."""


def pack(format: str, payload: Json) -> str:
    """One string of ASCII letters, digits, ``-``, ``_`` and one ``.``, of JSON values in any shape."""
    text = json.dumps({"format": format, "payload": payload}, separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(text: str) -> tuple[str, Json] | None:
    """The format and payload of a packed string, or None for any other. Never raises."""
    if not text.startswith(PREFIX):
        return None
    packed = text[len(PREFIX) :]
    try:
        value = parse(base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("payload"), dict):
        return None
    return string(value.get("format")), mapping(value["payload"])


def is_packed(text: str) -> bool:
    """Whether a gateway like this one wrote it, in this version or another: no provider's own string."""
    return _ANY_VERSION.match(text) is not None


def pack_reasoning(format: str, *, signature: str = "", encrypted: str = "", id: str = "", late: bool = False) -> str:
    """Pack the opaque half of reasoning.

    ``late`` says that its text stands in an earlier block of the same turn, which had ended when the signature came.
    """
    fields = {"signature": signature, "encrypted": encrypted, "id": id, "late": late}
    return pack(format, {name: value for name, value in fields.items() if value})


def thinking_of(text: str, format: str, payload: Json) -> Thinking:
    """The reasoning whose readable half is ``text``, with what ``pack_reasoning`` kept of the other half."""
    signature, encrypted = string(payload.get("signature")), string(payload.get("encrypted"))
    redacted = bool(encrypted) and not text
    return Thinking(text, signature, encrypted, string(payload.get("id")), format, redacted)


def pack_opaque(dialect: Dialect, type: str, raw: object, call_id: str = "") -> str:
    """Pack a part, or a field that must come back with the tool call ``call_id`` (``raw`` is then its value)."""
    payload: Json = {"dialect": dialect.value, "type": type, "raw": raw}
    return pack(OPAQUE, payload | {"call": call_id} if call_id else payload)


def opaque_of(payload: Json) -> Opaque | None:
    """The part that ``pack_opaque`` packed, or None when it is a tool call's field, or of an unknown dialect."""
    dialect = string(payload.get("dialect"))
    if payload.get("call") or dialect not in set(Dialect):
        return None
    return Opaque(Dialect(dialect), string(payload.get("type")), mapping(payload.get("raw")))


def call_field_of(payload: Json) -> tuple[str, str, object] | None:
    """The tool call's id, the field's name and its value, or None when the payload is no tool call's field."""
    call_id = string(payload.get("call"))
    return (call_id, string(payload.get("type")), payload.get("raw")) if call_id else None
