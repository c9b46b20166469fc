"""Neutral requests as short as a test needs them, built, and judged by the openai SDK's own request types."""

from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from providers.wire.capabilities import Capabilities
from providers.wire.chat.build import build_request
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Part, Request, Turn
from providers.wire.notes import Notes

_STREAMED: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)
_PLAIN: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
PLAIN = Capabilities(image_urls=True)
OPENAI = Capabilities(
    token_limit="max_completion_tokens",
    system_role="developer",
    cache_marks="openai",
    image_urls=True,
    openai_extras=True,
)
ROUTER = Capabilities(
    cache_marks="anthropic", reasoning_details=True, signatures="anthropic-claude-v1", image_urls=True
)


def user(*parts: Part, **extra: Any) -> Turn:
    return Turn("user", parts, extra)


def assistant(*parts: Part, **extra: Any) -> Turn:
    return Turn("assistant", parts, extra)


def request(*turns: Turn, dialect: Dialect = Dialect.MESSAGES, **more: Any) -> Request:
    return Request(dialect, "m", turns, **more)


def built(asked: Request, target: Capabilities = PLAIN) -> tuple[dict[str, Any], Notes]:
    """The body and the notes; a body that the SDK's types do not allow fails the test."""
    notes = Notes()
    body = build_request(asked, target, notes)
    _exhaust((_STREAMED if body.get("stream") else _PLAIN).validate_python(body))
    return body, notes


def messages(*turns: Turn, target: Capabilities = PLAIN, **more: Any) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = built(request(*turns, **more), target)[0]["messages"]
    return said


def noted(*turns: Turn, target: Capabilities = PLAIN, **more: Any) -> str:
    return built(request(*turns, **more), target)[1].header()


def _exhaust(value: object) -> None:
    """Pydantic checks an Iterable only as far as somebody looks."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Iterator | list):
        for entry in value:
            _exhaust(entry)
