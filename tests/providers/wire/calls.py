"""Whole calls through a translation: a request in, the provider's out; a provider's stream in, the client's out."""

import json
from typing import Any

from providers.quirks import capabilities
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.translate import Translation

CHAT, MESSAGES, RESPONSES = Dialect.CHAT, Dialect.MESSAGES, Dialect.RESPONSES
OPERATIONS = {CHAT: Operation.CHAT, MESSAGES: Operation.MESSAGES, RESPONSES: Operation.RESPONSES}
PLAIN = Capabilities()
CLAUDE = capabilities("anthropic", "claude-opus-4-5")
NEW_CLAUDE = capabilities("anthropic", "claude-opus-5")
GPT = capabilities("openai", "gpt-4.1")
NEW_GPT = capabilities("openai", "gpt-6")
USUAL = {CHAT: PLAIN, MESSAGES: CLAUDE, RESPONSES: GPT}
HI: dict[str, Any] = {"role": "user", "content": "Hi"}


def plan(
    client: Dialect, provider: Dialect, body: dict[str, Any], target: Capabilities | None = None, **more: Any
) -> Translation:
    able, ours = target or USUAL[provider], {"id": "ours_1", "created": 1760000000, **more}
    return Translation.plan(client, OPERATIONS[client], provider, body, able, "told", **ours)


def sent(client: Dialect, provider: Dialect, body: dict[str, Any], target: Capabilities | None = None) -> Any:
    """The provider's body, parsed."""
    return json.loads(plan(client, provider, body, target).body)


def asked(dialect: Dialect, *messages: Any, **more: Any) -> dict[str, Any]:
    """A small request of a dialect."""
    if dialect is RESPONSES:
        return {"model": "m", "input": [*messages], **more}
    bound = {"max_tokens": 4000} if dialect is MESSAGES else {}
    return {"model": "m", **bound, "messages": [*messages] or [HI], **more}


def answered(translation: Translation, stream: bytes, *, stream_back: bool = True) -> bytes:
    """The client's answer to a provider's stream."""
    reader, writer = translation.reader(True), translation.writer(stream_back)
    events = [*reader.feed(stream), *reader.close()]
    return b"".join([*(writer.write(event) for event in events), writer.close()])


def plain(translation: Translation, stream: bytes) -> Any:
    """The same for a client that does not stream, parsed."""
    return json.loads(answered(translation, stream, stream_back=False))


def frames(stream: bytes) -> list[Any]:
    """The events of a written stream, parsed, without comments and ``[DONE]``."""
    data = (line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data: "))
    return [json.loads(text) for text in data if text != b"[DONE]"]
