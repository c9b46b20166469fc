"""The messages of a Responses request (also of ``input_tokens``).

Strategy: input items in a row that an assistant made (reasoning, its messages, calls, items of server tools) are one
message, as the answer was that they come from. ``instructions`` are a first system message.
"""

from providers.wire.media import from_url, inline
from providers.wire.parts import PartReader, content_parts, opaque, text_parts
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


def read_request(body: dict[str, object]) -> RequestSummary:
    """Read a request body. Never raises: what it cannot understand becomes an OpaquePart."""
    messages: list[Message] = []
    if instructions := body.get("instructions"):
        messages.append(Message("system", tuple(content_parts(instructions, _PARTS))))
    items = body.get("input")
    if isinstance(items, str):
        messages.append(Message("user", tuple(text_parts(items))))
    for item in sequence(items):
        _add(messages, _message(item))
    session = session_of(body) or _conversation(body.get("conversation"))
    return RequestSummary(tuple(messages), session, body.get("stream") is True)


def _add(messages: list[Message], message: Message) -> None:
    if message.role == "assistant" and messages and messages[-1].role == "assistant":
        messages[-1] = Message("assistant", messages[-1].parts + message.parts)
    else:
        messages.append(message)


def _message(entry: object) -> Message:
    item = mapping(entry)
    kind = string(item.get("type")) or ("message" if "role" in item else "")
    if kind == "message":
        return Message(whole(string(item.get("role"))), tuple(content_parts(item.get("content"), _PARTS)))
    role, reader = _ITEMS.get(kind, ("", None))
    if reader:
        return Message(role, tuple(reader(item)))
    # Items of server tools (web_search_call, mcp_call, …) are the assistant's; outputs are what client tools gave.
    role = "tool" if kind.endswith("_output") else "assistant" if item.get("id") else ""
    return Message(role, (opaque(kind, entry),))


def _conversation(conversation: object) -> str | None:
    return string(conversation) or string(mapping(conversation).get("id")) or None


def _reasoning(item: dict[str, object]) -> list[Part]:
    summary = "\n\n".join(string(mapping(part).get("text")) for part in sequence(item.get("summary")))
    content = "\n\n".join(string(mapping(part).get("text")) for part in sequence(item.get("content")))
    encrypted, id_ = string(item.get("encrypted_content")), string(item.get("id"))
    texts = [whole(text) for text in (summary, content) if text] or [""]
    first: Part = ReasoningPart(texts[0], encrypted=encrypted, id=id_)
    return [first, *(ReasoningPart(text) for text in texts[1:])]


def _call(field: str, kind: str) -> PartReader:
    def read(item: dict[str, object]) -> list[Part]:
        arguments = item.get(field)
        text = "" if arguments is None else arguments_json(arguments)
        return [ToolCallPart(whole(string(item.get("call_id"))), whole(string(item.get("name"))), text, kind)]

    return read


def _output(item: dict[str, object]) -> list[Part]:
    return [ToolResultPart(whole(string(item.get("call_id"))), tuple(content_parts(item.get("output"), _PARTS)))]


def _text(part: dict[str, object]) -> list[Part]:
    annotations = [opaque("annotation", annotation) for annotation in sequence(part.get("annotations"))]
    return [*text_parts(part.get("text")), *annotations]


def _refusal(part: dict[str, object]) -> list[Part]:
    return [RefusalPart(whole(string(part.get("refusal"))))]


def _image(part: dict[str, object]) -> list[Part]:
    image = part.get("image_url")
    if url := string(image) or string(mapping(image).get("url")):
        return [from_url("image", whole(url))]
    return [MediaPart("image", "", 0, whole(string(part.get("file_id"))) or raw_json(part))]


def _file(part: dict[str, object]) -> list[Part]:
    if data := string(part.get("file_data")):
        return [from_url("file", data if data.startswith("data:") else f"data:;base64,{data}")]
    address = string(part.get("file_url")) or string(part.get("file_id"))
    return [MediaPart("file", "", 0, whole(address) or raw_json(part))]


def _audio(part: dict[str, object]) -> list[Part]:
    audio = mapping(part.get("input_audio")) or part
    return [inline("audio", f"audio/{string(audio.get('format'))}", string(audio.get("data")))]


_PARTS: dict[str, PartReader] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
_ITEMS: dict[str, tuple[str, PartReader]] = {
    "reasoning": ("assistant", _reasoning),
    "function_call": ("assistant", _call("arguments", "function")),
    "custom_tool_call": ("assistant", _call("input", "custom")),
    "function_call_output": ("tool", _output),
    "custom_tool_call_output": ("tool", _output),
}
