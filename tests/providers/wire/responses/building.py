"""Requests of other dialects, built for a Responses provider; the official types judge every body."""

from typing import Any

from openai.types.responses import ResponseInputItemParam, ToolParam
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import TypeAdapter

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Request, Text, Turn
from providers.wire.notes import Notes
from providers.wire.responses.build import build_request

OPENAI = Capabilities(
    signatures="openai-responses-v1",
    openai_extras=True,
    cache_marks="openai",
    image_urls=True,
    system_role="developer",
    effort=("none", "minimal", "low", "medium", "high", "xhigh"),
)
STRANGER = Capabilities(image_urls=True)
HI = (Turn("user", (Text("Hi"),)),)

_PLAIN: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)
_STREAMED: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)
_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseInputItemParam)
_TOOL: TypeAdapter[Any] = TypeAdapter(ToolParam)


def request(dialect: Dialect = Dialect.MESSAGES, turns: tuple[Turn, ...] = HI, **more: Any) -> Request:
    return Request(dialect, "m", turns, **more)


def built(asked: Request, target: Capabilities = OPENAI) -> tuple[dict[str, Any], str]:
    """The body, which is of the official type, and the notes."""
    notes = Notes()
    body = build_request(asked, target, notes)
    judge(body)
    return body, notes.header()


def judge(body: dict[str, Any]) -> None:
    """Raise ValidationError unless the body is a request; the types' iterables are looked into, too."""
    (_STREAMED if body.get("stream") else _PLAIN).validate_python(body, strict=True)
    for item in body["input"]:
        _ITEM.validate_python(item)
    for tool in body.get("tools", ()):
        _TOOL.validate_python(tool)
    assert "" not in [part.get("text") for item in body["input"] for part in _parts(item)]


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content") or item.get("output")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
