"""Neutral requests built for Anthropic, judged by the SDK's typed requests; and the notes that were taken."""

from collections.abc import Iterator, Mapping
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter

from providers.wire import side_channel
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.messages.build import build_request
from providers.wire.messages.building import Building
from providers.wire.neutral import Part, Request, Text, Turn
from providers.wire.notes import Notes

_STREAMED: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
_PLAIN: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
# What today's Anthropic models can, and what those of 2025 could.
CLAUDE = Capabilities(
    temperature_max=1.0,
    effort=("low", "medium", "high", "xhigh", "max"),
    adaptive_thinking=True,
    signatures=side_channel.ANTHROPIC,
    cache_marks="anthropic",
    image_urls=True,
    tool_name_length=128,
)
OLD = Capabilities(
    mid_system=False,
    prefill=True,
    signatures=side_channel.ANTHROPIC,
    cache_marks="anthropic",
    image_urls=True,
    structured="",
    thinking_disabled=False,
)
HI = Turn("user", (Text("Hi"),))


def user(*parts: Part, **extra: Any) -> Turn:
    return Turn("user", parts, extra)


def assistant(*parts: Part, **extra: Any) -> Turn:
    return Turn("assistant", parts, extra)


def request(*turns: Turn, dialect: Dialect = Dialect.CHAT, **more: Any) -> Request:
    return Request(dialect, "m", turns or (HI,), **more)


def built(asked: Request, target: Capabilities = CLAUDE) -> tuple[dict[str, Any], Notes]:
    """The body and the notes; a body that the SDK's types do not allow fails the test."""
    notes = Notes()
    body = build_request(asked, target, notes)
    _exhaust((_STREAMED if body.get("stream") else _PLAIN).validate_python(body))
    return body, notes


def body_of(*turns: Turn, target: Capabilities = CLAUDE, **more: Any) -> dict[str, Any]:
    return built(request(*turns, **more), target)[0]


def messages(*turns: Turn, target: Capabilities = CLAUDE, **more: Any) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = body_of(*turns, target=target, **more)["messages"]
    return said


def noted(*turns: Turn, target: Capabilities = CLAUDE, **more: Any) -> str:
    return built(request(*turns, **more), target)[1].header()


def building(asked: Request, target: Capabilities = CLAUDE) -> Building:
    return Building(asked, target, Notes())


def _exhaust(value: object) -> None:
    """Pydantic checks an Iterable only as far as somebody looks."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Iterator | list):
        for entry in value:
            _exhaust(entry)
