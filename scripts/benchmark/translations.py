"""The bytes that `scripts/bench translate` translates: a large request and a long stream of each dialect."""

import json
from collections.abc import Iterator

from providers.wire.endpoints import Dialect

Json = dict[str, object]
MESSAGES, TOOLS, REQUEST_BYTES = 200, 40, 1_000_000
_WORD = 'Žluťoučký kůň upíral na dlaň ďábelské ódy; the quick brown fox is quoted as "fox".\n'


def _schema(number: int) -> Json:
    properties = {
        f"argument_{name}": {"type": "string", "description": f"What argument {name} of tool {number} means."}
        for name in range(8)
    }
    return {"type": "object", "properties": properties, "required": ["argument_0"]}


def _turns() -> Iterator[tuple[str, str]]:
    """What kind of message comes next, and its text."""
    size = REQUEST_BYTES * 9 // 10 // MESSAGES
    text = (_WORD * (size // len(_WORD.encode()) + 1))[:size]
    for number in range(MESSAGES):
        is_last = number == MESSAGES - 1  # the user's turn: a trailing assistant's would be a prefill
        yield "user" if is_last else ("user", "call", "result", "assistant")[number % 4], text


def request(dialect: Dialect) -> Json:
    """A request of about 1 MB with 200 messages, tool calls and results among them, and 40 tools, to be streamed."""
    return {Dialect.CHAT: _chat, Dialect.MESSAGES: _messages, Dialect.RESPONSES: _responses}[dialect]()


def _chat() -> Json:
    messages: list[Json] = [{"role": "system", "content": "Be short."}]
    for number, (kind, text) in enumerate(_turns()):
        id_ = f"call_{number // 4}"
        function = {"name": "tool_1", "arguments": json.dumps({"argument_0": text}, ensure_ascii=False)}
        made: dict[str, Json] = {
            "user": {"role": "user", "content": [{"type": "text", "text": text}]},
            "call": {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": id_, "type": "function", "function": function}],
            },
            "result": {"role": "tool", "tool_call_id": id_, "content": text},
            "assistant": {"role": "assistant", "content": text},
        }
        messages.append(made[kind])
    tools = [
        {"type": "function", "function": {"name": f"tool_{n}", "description": "A tool.", "parameters": _schema(n)}}
        for n in range(TOOLS)
    ]
    return {"model": "m", "stream": True, "messages": messages, "tools": tools}


def _messages() -> Json:
    messages: list[Json] = []
    for number, (kind, text) in enumerate(_turns()):
        id_ = f"toolu_{number // 4}"
        role, block = {
            "user": ("user", {"type": "text", "text": text}),
            "call": ("assistant", {"type": "tool_use", "id": id_, "name": "tool_1", "input": {"argument_0": text}}),
            "result": ("user", {"type": "tool_result", "tool_use_id": id_, "content": text}),
            "assistant": ("assistant", {"type": "text", "text": text}),
        }[kind]
        messages.append({"role": role, "content": [block]})
    tools = [{"name": f"tool_{n}", "description": "A tool.", "input_schema": _schema(n)} for n in range(TOOLS)]
    head: Json = {"model": "m", "max_tokens": 4096, "stream": True, "system": "Be short."}
    return {**head, "messages": messages, "tools": tools}


def _responses() -> Json:
    items: list[Json] = []
    for number, (kind, text) in enumerate(_turns()):
        id_ = f"call_{number // 4}"
        arguments = json.dumps({"argument_0": text}, ensure_ascii=False)
        said = [{"type": "output_text", "text": text, "annotations": []}]
        made: dict[str, Json] = {
            "user": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
            "call": {"type": "function_call", "call_id": id_, "name": "tool_1", "arguments": arguments},
            "result": {"type": "function_call_output", "call_id": id_, "output": text},
            "assistant": {"type": "message", "role": "assistant", "content": said},
        }
        items.append(made[kind])
    tools = [
        {"type": "function", "name": f"tool_{n}", "description": "A tool.", "parameters": _schema(n), "strict": False}
        for n in range(TOOLS)
    ]
    return {"model": "m", "stream": True, "instructions": "Be short.", "input": items, "tools": tools}


def stream(dialect: Dialect, events: int) -> tuple[bytes, bytes, bytes]:
    """The beginning of an answer, ``events`` pieces of its text, and its end."""
    made = {Dialect.CHAT: _chat_stream, Dialect.MESSAGES: _messages_stream, Dialect.RESPONSES: _responses_stream}
    ahead, piece, end = made[dialect]()
    return _events(ahead, dialect), b"".join(_events([piece], dialect) for _ in range(events)), _events(end, dialect)


def _events(values: list[Json], dialect: Dialect) -> bytes:
    named = dialect is not Dialect.CHAT
    lines = (f"event: {value['type']}\n" if named else "" for value in values)
    data = (json.dumps(value, separators=(",", ":")) if value else "[DONE]" for value in values)
    return "".join(f"{line}data: {text}\n\n" for line, text in zip(lines, data, strict=True)).encode()


def _chat_stream() -> tuple[list[Json], Json, list[Json]]:
    head: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    return [chunk({"role": "assistant", "content": ""})], chunk({"content": " word"}), [chunk({}, "stop"), {}]


def _messages_stream() -> tuple[list[Json], Json, list[Json]]:
    usage = {"input_tokens": 3, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    ahead: list[Json] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    piece: Json = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " word"}}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    end: list[Json] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    return ahead, piece, end


def _responses_stream() -> tuple[list[Json], Json, list[Json]]:
    response = {"id": "resp_1", "object": "response", "model": "m", "status": "in_progress", "output": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    place: Json = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    ahead: list[Json] = [
        {"type": "response.created", "sequence_number": 0, "response": response},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item},
        {"type": "response.content_part.added", "sequence_number": 2, **place, "part": empty},
    ]
    piece: Json = {"type": "response.output_text.delta", "sequence_number": 3, **place, "delta": " word"}
    end: list[Json] = [
        {"type": "response.completed", "sequence_number": 9, "response": {**response, "status": "completed"}}
    ]
    return ahead, piece, end
