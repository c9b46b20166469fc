"""What the providers' dialects look like on the wire: bodies as JSON, streams as lists of events.

Event lists are ``list[bytes]``, one server-sent event each, so that a test can put gates, cuts and stalls between them.
Every list is deterministic; times and ids are fixed.
"""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

Json = dict[str, Any]
Tool = tuple[str, Json]
WORDS = ("Patchbay", " passes", " every", " word", " on", ".")
CREATED = 1_700_000_000
INPUT_TOKENS = 11


def data(payload: Json) -> bytes:
    """One ``data:`` event."""
    return b"data: " + json.dumps(payload, separators=(",", ":")).encode() + b"\n\n"


def named(payload: Json) -> bytes:
    """One event named by its payload's type, as messages and responses have it."""
    return b"event: " + str(payload["type"]).encode() + b"\n" + data(payload)


def crumbs(arguments: Json, size: int = 7) -> list[str]:
    """A tool call's arguments in small pieces."""
    text = json.dumps(arguments)
    return [text[at : at + size] for at in range(0, len(text), size)]


# ---------------------------------------------------------------------------------------------------------------- chat


def _chat_chunk(model: str, delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": [choice],
    }


def chat_usage(words: Sequence[str]) -> Json:
    """The usage object of a chat answer of so many words, with cached tokens."""
    total = INPUT_TOKENS + len(words)
    cached = {"cached_tokens": 4}
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": len(words),
        "total_tokens": total,
        "prompt_tokens_details": cached,
    }


def chat_events(
    words: Sequence[str] = WORDS, *, model: str = "fake-model", usage: bool = True, tools: Sequence[Tool] = ()
) -> list[bytes]:
    """A chat stream: the role, each word, each tool call in crumbs, the finish reason, usage, ``[DONE]``."""
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    for index, (name, arguments) in enumerate(tools):
        start = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [start]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in crumbs(arguments)]
    chunks = [_chat_chunk(model, delta) for delta in deltas]
    chunks.append(_chat_chunk(model, {}, "tool_calls" if tools else "stop"))
    if usage:
        chunks.append({**_chat_chunk(model, {}), "choices": [], "usage": chat_usage(words)})
    return [*map(data, chunks), b"data: [DONE]\n\n"]


def chat_body(words: Sequence[str] = WORDS, *, model: str = "fake-model", tools: Sequence[Tool] = ()) -> Json:
    """A whole chat answer."""
    message: Json = {"role": "assistant", "content": "".join(words) or None}
    if tools:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(tools)
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tools else "stop", "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": CREATED, "model": model}
    return {**head, "choices": [choice], "usage": chat_usage(words)}


# ------------------------------------------------------------------------------------------------------------ messages


def _messages_usage(output: int) -> Json:
    return {
        "input_tokens": INPUT_TOKENS - 4,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
    }


def messages_events(
    words: Sequence[str] = WORDS, *, model: str = "fake-model", tools: Sequence[Tool] = ()
) -> list[bytes]:
    """A messages stream: start, a text block, a block per tool call, delta with usage, stop."""
    start = {**messages_body((), model=model), "stop_reason": None, "usage": _messages_usage(1)}
    events: list[Json] = [{"type": "message_start", "message": start}]
    text = [{"type": "text_delta", "text": word} for word in words]
    blocks: list[tuple[Json, list[Json]]] = [({"type": "text", "text": ""}, text)] if words else []
    for index, (name, arguments) in enumerate(tools):
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in crumbs(arguments)]
        blocks.append(({"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}, pieces))
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": len(words)}})
    return [*map(named, events), named({"type": "message_stop"})]


def messages_body(words: Sequence[str] = WORDS, *, model: str = "fake-model", tools: Sequence[Tool] = ()) -> Json:
    """A whole messages answer."""
    content: list[Json] = [{"type": "text", "text": "".join(words)}] if words else []
    content += [{"type": "tool_use", "id": f"toolu_{i}", "name": n, "input": a} for i, (n, a) in enumerate(tools)]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content}
    stop = {"stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None}
    return {**head, **stop, "usage": _messages_usage(len(words))}


# ----------------------------------------------------------------------------------------------------------- responses


def _responses_items(words: Sequence[str], tools: Sequence[Tool]) -> list[Json]:
    items: list[Json] = []
    if words:
        part = {"type": "output_text", "text": "".join(words), "annotations": [], "logprobs": []}
        items.append({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
    for index, (name, arguments) in enumerate(tools):
        call = {"id": f"fc_{index}", "type": "function_call", "call_id": f"call_{index}", "status": "completed"}
        items.append({**call, "name": name, "arguments": json.dumps(arguments)})
    return items


def responses_body(words: Sequence[str] = WORDS, *, model: str = "fake-model", tools: Sequence[Tool] = ()) -> Json:
    """A whole responses answer."""
    head: Json = {"id": "resp_1", "object": "response", "created_at": CREATED, "status": "completed", "model": model}
    details = {"input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 0}}
    total = INPUT_TOKENS + len(words)
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": len(words), "total_tokens": total, **details}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None}
    return {**head, "output": _responses_items(words, tools), "usage": usage, **rest}


def _text_item_events(item: Json, words: Sequence[str], index: int) -> list[Json]:
    where = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = item["content"][0]
    deltas = [{"type": "response.output_text.delta", **where, "delta": word, "logprobs": []} for word in words]
    return [
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        *deltas,
        {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
    ]


def _call_item_events(item: Json, index: int) -> list[Json]:
    where = {"item_id": item["id"], "output_index": index}
    pieces = crumbs(json.loads(item["arguments"]))
    deltas = [{"type": "response.function_call_arguments.delta", **where, "delta": piece} for piece in pieces]
    done = {"type": "response.function_call_arguments.done", **where, "name": item["name"]}
    return [*deltas, {**done, "arguments": item["arguments"]}]


def responses_events(
    words: Sequence[str] = WORDS, *, model: str = "fake-model", tools: Sequence[Tool] = ()
) -> list[bytes]:
    """A responses stream, sequence numbers and all, that ends with ``response.completed``."""
    whole = responses_body(words, model=model, tools=tools)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [{"type": f"response.{word}", "response": begun} for word in ("created", "in_progress")]
    for index, item in enumerate(whole["output"]):
        empty: Json = {"content": []} if item["type"] == "message" else {"arguments": ""}
        opened = {**item, **empty, "status": "in_progress"}
        inner = _text_item_events(item, words, index) if "content" in item else _call_item_events(item, index)
        events.append({"type": "response.output_item.added", "output_index": index, "item": opened})
        events += [*inner, {"type": "response.output_item.done", "output_index": index, "item": item}]
    events.append({"type": "response.completed", "response": whole})
    return [named({**event, "sequence_number": number}) for event, number in zip(events, count(), strict=False)]


# ------------------------------------------------------------------------------------- completions, embeddings, lists


def completions_events(words: Sequence[str] = WORDS, *, model: str = "fake-model") -> list[bytes]:
    """A stream of the old completions endpoint."""
    head = {"id": "cmpl-1", "object": "text_completion", "created": CREATED, "model": model}
    texts = [*((word, None) for word in words), ("", "stop")]
    choices = ({"index": 0, "text": text, "finish_reason": finish, "logprobs": None} for text, finish in texts)
    return [*(data({**head, "choices": [choice]}) for choice in choices), b"data: [DONE]\n\n"]


def completions_body(words: Sequence[str] = WORDS, *, model: str = "fake-model") -> Json:
    """A whole completions answer."""
    choice = {"index": 0, "text": "".join(words), "finish_reason": "stop", "logprobs": None}
    head = {"id": "cmpl-1", "object": "text_completion", "created": CREATED, "model": model}
    return {**head, "choices": [choice], "usage": chat_usage(words)}


def embeddings_body(*, model: str = "fake-model", size: int = 3) -> Json:
    """One embedding vector."""
    vector = [round(i / 8, 3) for i in range(size)]
    entry = {"object": "embedding", "index": 0, "embedding": vector}
    return {"object": "list", "data": [entry], "model": model, "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def models_body(*ids: str) -> Json:
    """A model list in OpenAI's shape."""
    entries = [{"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in ids]
    return {"object": "list", "data": entries}


def error_body(message: str, *, type_: str = "invalid_request_error", code: str | int | None = None) -> Json:
    """An OpenAI-shaped error."""
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def anthropic_error(message: str, type_: str = "invalid_request_error") -> Json:
    """An Anthropic-shaped error."""
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_fake"}
