"""The demo's answers: a virtual upstream that streams a built-in text word by word, in every dialect, off the network.

Sans-I/O like everything else: an answer is a head and a sequence of (pause before it in seconds, bytes).
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from providers.exchange.account import ExchangeAccount
from providers.exchange.answer_head import Headers
from providers.wire.endpoints import Operation

PAUSE = 0.03  # seconds between words: about the pace of a local 8B model
TEXT = (
    "Hello from Patchbay! This answer is built in: no model was asked and no network was used. "
    "It comes word by word, as a model would send it, so you can see that streaming works from end to end. "
    "Start llama-server, or set a key such as OPENAI_API_KEY, and the `model` field decides who answers instead."
)
WORDS = [word + " " for word in TEXT.split(" ")[:-1]] + [TEXT.split(" ")[-1]]

Step = tuple[float, bytes]
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: ``prompt`` in tokens, ``wants_usage`` for the chunk that chat clients must ask for."""

    account: ExchangeAccount
    prompt: int
    wants_usage: bool


def head(account: ExchangeAccount) -> Headers:
    """The answer's response headers."""
    streamed = account.stream and _ANSWERS[Operation(account.operation)][0] is not None
    return [("content-type", "text/event-stream" if streamed else "application/json")]


def answer(account: ExchangeAccount, request_body: bytes) -> Iterator[Step]:
    """The answer's body to one call; token counts are words, for want of a tokenizer."""
    asked = Asked(account, max(1, len(request_body) // 4), _wants_usage(request_body))
    stream, body = _ANSWERS[Operation(account.operation)]
    if account.stream and stream is not None:
        yield from stream(asked)
    else:
        yield PAUSE, _json(body(asked))


def _wants_usage(request_body: bytes) -> bool:
    match json.loads(request_body):
        case {"stream_options": {"include_usage": True}}:
            return True
    return False


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _data(value: object) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _event(value: Json) -> bytes:
    return f"event: {value['type']}\n".encode() + _data(value)


def _paced(pieces: list[bytes], first: list[bytes], last: list[bytes]) -> Iterator[Step]:
    yield 0.0, b"".join(first)
    for piece in pieces:
        yield PAUSE, piece
    yield 0.0, b"".join(last)


# chat


def _chat_usage(asked: Asked) -> Json:
    return {
        "prompt_tokens": asked.prompt,
        "completion_tokens": len(WORDS),
        "total_tokens": asked.prompt + len(WORDS),
    }


def _chat_chunk(asked: Asked, delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_chat_head(asked, "chat.completion.chunk"), "choices": [choice]}


def _chat_head(asked: Asked, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{asked.account.id}",
        "object": kind,
        "created": int(time.time()),
        "model": asked.account.model,
    }


def _chat_stream(asked: Asked) -> Iterator[Step]:
    first = [_data(_chat_chunk(asked, {"role": "assistant", "content": ""}))]
    usage = {**_chat_head(asked, "chat.completion.chunk"), "choices": [], "usage": _chat_usage(asked)}
    last = [_data(_chat_chunk(asked, {}, "stop")), _data(usage) if asked.wants_usage else b"", b"data: [DONE]\n\n"]
    return _paced([_data(_chat_chunk(asked, {"content": word})) for word in WORDS], first, last)


def _chat_body(asked: Asked) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    return {**_chat_head(asked, "chat.completion"), "choices": [choice], "usage": _chat_usage(asked)}


# completions, embeddings, rerank


def _completions_stream(asked: Asked) -> Iterator[Step]:
    def chunk(text: str, finish: str | None) -> bytes:
        choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
        return _data({**_chat_head(asked, "text_completion"), "choices": [choice]})

    usage = _data({**_chat_head(asked, "text_completion"), "choices": [], "usage": _chat_usage(asked)})
    return _paced(
        [chunk(word, None) for word in WORDS],
        [],
        [chunk("", "stop"), usage if asked.wants_usage else b"", b"data: [DONE]\n\n"],
    )


def _completions_body(asked: Asked) -> Json:
    choice = {"index": 0, "text": TEXT, "finish_reason": "stop", "logprobs": None}
    return {**_chat_head(asked, "text_completion"), "choices": [choice], "usage": _chat_usage(asked)}


def _embeddings_body(asked: Asked) -> Json:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.5, 0.5, 0.5]}]
    usage = {"prompt_tokens": asked.prompt, "total_tokens": asked.prompt}
    return {"object": "list", "data": data, "model": asked.account.model, "usage": usage}


def _rerank_body(asked: Asked) -> Json:
    results = [{"index": 0, "relevance_score": 1.0}]
    return {
        "model": asked.account.model,
        "results": results,
        "usage": {"prompt_tokens": asked.prompt, "total_tokens": asked.prompt},
    }


# messages


def _message(asked: Asked) -> Json:
    shared = {"id": f"msg_{asked.account.id}", "type": "message", "role": "assistant", "model": asked.account.model}
    usage = {"input_tokens": asked.prompt, "output_tokens": 1}
    return {**shared, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}


def _messages_stream(asked: Asked) -> Iterator[Step]:
    def delta(text: str) -> bytes:
        return _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})

    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    last: list[Json] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": len(WORDS)}},
        {"type": "message_stop"},
    ]
    first: list[Json] = [{"type": "message_start", "message": _message(asked)}, start]
    return _paced([delta(word) for word in WORDS], [_event(e) for e in first], [_event(e) for e in last])


def _messages_body(asked: Asked) -> Json:
    usage = {"input_tokens": asked.prompt, "output_tokens": len(WORDS)}
    content = [{"type": "text", "text": TEXT}]
    return {**_message(asked), "content": content, "stop_reason": "end_turn", "usage": usage}


def _count_tokens_body(asked: Asked) -> Json:
    return {"input_tokens": asked.prompt}


# responses


def _response(asked: Asked, status: str) -> Json:
    done = status == "completed"
    usage = {
        "input_tokens": asked.prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": len(WORDS),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked.prompt + len(WORDS),
    }
    return {
        "id": f"resp_{asked.account.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": asked.account.model,
        "output": [_item(asked, TEXT, "completed")] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if done else None,
    }


def _item(asked: Asked, text: str | None, status: str) -> Json:
    content = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "id": f"msg_{asked.account.id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _responses_stream(asked: Asked) -> Iterator[Step]:
    where = {"item_id": f"msg_{asked.account.id}", "output_index": 0, "content_index": 0}
    empty: Json = {"type": "output_text", "text": "", "annotations": []}
    full: Json = {**empty, "text": TEXT}
    before: list[Json] = [
        {"type": "response.created", "response": _response(asked, "in_progress")},
        {"type": "response.in_progress", "response": _response(asked, "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": _item(asked, None, "in_progress")},
        {"type": "response.content_part.added", **where, "part": empty},
    ]
    deltas: list[Json] = [
        {"type": "response.output_text.delta", **where, "delta": word, "logprobs": []} for word in WORDS
    ]
    after: list[Json] = [
        {"type": "response.output_text.done", **where, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": full},
        {"type": "response.output_item.done", "output_index": 0, "item": _item(asked, TEXT, "completed")},
        {"type": "response.completed", "response": _response(asked, "completed")},
    ]
    numbered = [_event({**event, "sequence_number": n}) for n, event in enumerate([*before, *deltas, *after])]
    cuts = [0, len(before), len(before) + len(deltas), len(numbered)]
    first, pieces, last = (numbered[a:b] for a, b in pairwise(cuts))
    return _paced(pieces, first, last)


def _responses_body(asked: Asked) -> Json:
    return _response(asked, "completed")


def _input_tokens_body(asked: Asked) -> Json:
    return {"object": "response.input_tokens", "input_tokens": asked.prompt}


_Stream = Callable[[Asked], Iterator[Step]]
_Body = Callable[[Asked], Json]
_ANSWERS: dict[Operation, tuple[_Stream | None, _Body]] = {
    Operation.CHAT: (_chat_stream, _chat_body),
    Operation.COMPLETIONS: (_completions_stream, _completions_body),
    Operation.EMBEDDINGS: (None, _embeddings_body),
    Operation.RERANK: (None, _rerank_body),
    Operation.MESSAGES: (_messages_stream, _messages_body),
    Operation.COUNT_TOKENS: (None, _count_tokens_body),
    Operation.RESPONSES: (_responses_stream, _responses_body),
    Operation.INPUT_TOKENS: (None, _input_tokens_body),
}
