"""The messages of a chat, completions, embeddings or rerank request.

Strategy: a message's parts come in the order that an answer gives them: reasoning, text, refusal, tool calls. So an
answer and the same turn in the next request's history are the same neutral message. Cache marks are left out for the
same reason: they wander through the history from turn to turn.
"""

from providers.wire.media import from_url, inline
from providers.wire.parts import content_parts, opaque, text_parts, unknown_keys
from providers.wire.request import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    RequestSummary,
    ToolCallPart,
    ToolResultPart,
)
from providers.wire.session import session_of
from providers.wire.values import arguments_json, mapping, raw_json, sequence, string, whole

_READ_HERE = frozenset(
    (
        "role",
        "content",
        "refusal",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "thinking_blocks",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "annotations",
        "cache_control",
    )
)
_CALL_READ_HERE = frozenset(("id", "type", "function", "custom", "index"))


def read_request(body: dict[str, object]) -> RequestSummary:
    """Read a request body. Never raises: what it cannot understand becomes an OpaquePart."""
    messages = [_message(entry) for entry in sequence(body.get("messages"))]
    if "messages" not in body:
        messages = [Message("user", tuple(parts)) for parts in _prompts(body) if parts]
    return RequestSummary(tuple(messages), session_of(body), body.get("stream") is True)


def _message(entry: object) -> Message:
    message = mapping(entry)
    if not message:
        return Message("", (opaque("", entry),))
    role = string(message.get("role"))
    content = content_parts(message.get("content"), _PARTS)
    if role in ("tool", "function"):
        call_id = string(message.get("tool_call_id")) or string(message.get("name"))
        content = [ToolResultPart(whole(call_id), tuple(content))]
    parts = [*_reasoning(message), *content]
    parts += (opaque("annotation", annotation) for annotation in sequence(message.get("annotations")))
    if refusal := string(message.get("refusal")):
        parts.append(RefusalPart(whole(refusal)))
    if call := mapping(message.get("function_call")):
        parts += _tool_call({"function": call})
    for entry_ in sequence(message.get("tool_calls")):
        parts += _tool_call(mapping(entry_)) if isinstance(entry_, dict) else [opaque("tool_call", entry_)]
    return Message(whole(role), (*parts, *unknown_keys(message, _READ_HERE)))


def _reasoning(message: dict[str, object]) -> list[Part]:
    """The carrier that keeps most, one of them only: they repeat each other."""
    details = sequence(message.get("reasoning_details")) or sequence(message.get("thinking_blocks"))
    plain = string(message.get("reasoning_content")) or string(message.get("reasoning"))
    parts = _merge_details(details)
    if plain and not any(isinstance(part, ReasoningPart) and part.text for part in parts):
        if parts and isinstance(parts[0], ReasoningPart):
            first = parts[0]
            return [ReasoningPart(whole(plain), first.signature, first.encrypted, first.id, first.format), *parts[1:]]
        return [ReasoningPart(whole(plain)), *parts]
    return parts


def _merge_details(details: list[object]) -> list[Part]:
    """One part per index: clients send the fragments of a stream back as they came."""
    merged: dict[object, Part] = {}
    for position, entry in enumerate(details):
        detail = mapping(entry)
        kind = string(detail.get("type"))
        if kind not in _DETAILS:
            merged[f"at {position}"] = opaque(kind or "reasoning_details", entry)
            continue
        index = detail.get("index")
        key: object = index if isinstance(index, int) else f"at {position}"
        before = merged.get(key)
        old = before if isinstance(before, ReasoningPart) else ReasoningPart("")
        merged[key] = ReasoningPart(
            old.text + whole(string(detail.get(_DETAILS[kind]))) if _DETAILS[kind] != "data" else old.text,
            string(detail.get("signature")) or old.signature,
            string(detail.get("data")) or old.encrypted,
            old.id or string(detail.get("id")),
            old.format or string(detail.get("format")),
        )
    return list(merged.values())


def _tool_call(call: dict[str, object]) -> list[Part]:
    custom = call.get("type") == "custom"
    function = mapping(call.get("custom" if custom else "function"))
    arguments = function.get("input" if custom else "arguments")
    text = "" if arguments is None else arguments_json(arguments)
    kind = "custom" if custom else "function"
    part = ToolCallPart(whole(string(call.get("id"))), whole(string(function.get("name"))), text, kind)
    return [part, *unknown_keys(call, _CALL_READ_HERE)]


def _prompts(body: dict[str, object]) -> list[list[Part]]:
    """What completions (``prompt``), embeddings (``input``) and rerank (``query``, ``documents``) ask about.

    A list of texts is one message each, token numbers stay opaque.
    """
    groups: list[list[Part]] = []
    for key in ("prompt", "input", "query", "documents"):
        value = body.get(key)
        entries = (
            value if isinstance(value, list) and any(isinstance(entry, str | dict) for entry in value) else [value]
        )
        groups += [_prompt(key, entry) for entry in entries]
    return groups


def _prompt(key: str, entry: object) -> list[Part]:
    if entry is None or isinstance(entry, str):
        return text_parts(entry)
    text = text_parts(mapping(entry).get("text"))  # rerank documents as objects
    return text or [opaque(key, entry)]


def _text(part: dict[str, object]) -> list[Part]:
    return text_parts(part.get("text"))


def _refusal(part: dict[str, object]) -> list[Part]:
    return [RefusalPart(whole(string(part.get("refusal"))))]


def _thinking(part: dict[str, object]) -> list[Part]:
    """Mistral's reasoning inside of the content."""
    thinking = part.get("thinking")
    pieces = [thinking] if isinstance(thinking, str) else [mapping(p).get("text") for p in sequence(thinking)]
    return [ReasoningPart(whole("".join(map(string, pieces))), string(part.get("signature")))]


def _image(part: dict[str, object]) -> list[Part]:
    image = part.get("image_url")
    return [from_url("image", whole(string(image) or string(mapping(image).get("url"))))]


def _audio(part: dict[str, object]) -> list[Part]:
    audio = mapping(part.get("input_audio"))
    return [inline("audio", f"audio/{string(audio.get('format'))}", string(audio.get("data")))]


def _file(part: dict[str, object]) -> list[Part]:
    file = mapping(part.get("file"))
    if data := string(file.get("file_data")):
        return [from_url("file", data if data.startswith("data:") else f"data:;base64,{data}")]
    return [MediaPart("file", "", 0, whole(string(file.get("file_id"))) or raw_json(file))]


_PARTS = {
    "text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
# Type of a reasoning detail → where its content stands.
_DETAILS = {
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "reasoning.encrypted": "data",
    "thinking": "thinking",
    "redacted_thinking": "data",
}
