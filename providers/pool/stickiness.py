"""What calls stick to an endpoint by, so that it finds their prompt in its cache.

* session  the session that the client names (`providers.wire.session`); a call without one is balanced as usual.
* prefix   the beginning of the prompt: the model, the instructions, and the conversation up to its first user message,
           of which the first 1,024 characters count. So all turns of a conversation go to one endpoint, and calls that
           share a long beginning do, too; conversations that begin differently are spread.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Literal

from providers.pool.call_facts import CallFacts
from providers.wire.values import mapping, raw_json, string

Sticky = Literal["session", "prefix"]
_FIRST = 1024  # characters of the first user message
# Where the dialects keep instructions, and where the conversation or the text to go on with.
_INSTRUCTIONS = ("system", "instructions")
_CONVERSATIONS = ("messages", "input", "prompt")


def sticky_key(sticky: Sticky | None, call: CallFacts, model: str) -> str:
    """Return what the call sticks by, "" for nothing; ``model`` is the name that the provider is sent."""
    if sticky is None:
        return ""
    return call.session if sticky == "session" else _prefix(call.body, model)


def _prefix(body: dict[str, object], model: str) -> str:
    beginning = "\n".join(_beginning(body))
    return blake2b(f"{model}\n{beginning}".encode("utf-8", "replace"), digest_size=16).hexdigest() if beginning else ""


def _beginning(body: dict[str, object]) -> Iterator[str]:
    """Yield the parts that count, as JSON text."""
    yield from (raw_json(body[name]) for name in _INSTRUCTIONS if body.get(name))
    conversation = next((body[name] for name in _CONVERSATIONS if body.get(name)), None)
    if not isinstance(conversation, list):
        if conversation is not None:
            yield raw_json(conversation)[:_FIRST]
        return
    for message in conversation:
        if string(mapping(message).get("role")) not in ("system", "developer"):
            yield raw_json(mapping(message).get("content", message))[:_FIRST]
            return
        yield raw_json(message)
