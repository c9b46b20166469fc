"""Look-alikes of what OpenAI's Responses API streams."""

from itertools import chain
from typing import Any

from tests.providers.wire.playbook import FIXTURES, named
from tests.providers.wire.responses import items_play as r

Events = list[dict[str, Any]]
RESPONSE: dict[str, Any] = {"created_at": 1, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
COUNTS = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 5},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 127,
}


def _texts(at: int, id_: str, kind: str, pieces: tuple[str, ...], done: dict[str, Any]) -> Events:
    place = {"item_id": id_, "content_index": 0}
    deltas = [r.event(f"{kind}.delta", at, **place, delta=piece, logprobs=[]) for piece in pieces]
    return [*deltas, r.event(f"{kind}.done", at, **place, logprobs=[], **done)]


def message(
    at: int, *pieces: str, annotations: tuple[dict[str, Any], ...] = (), refusal: bool = False
) -> tuple[Events, Any]:
    id_, said = f"msg_{at}", "".join(pieces)
    head = {"type": "message", "id": id_, "role": "assistant"}
    if refusal:
        empty: dict[str, Any] = {"type": "refusal", "refusal": ""}
        kind, done = "refusal", {"refusal": said}
        part: dict[str, Any] = {"type": "refusal", "refusal": said}
    else:
        empty = {"type": "output_text", "text": "", "annotations": []}
        kind, done = "output_text", {"text": said}
        part = {"type": "output_text", "text": said, "annotations": list(annotations)}
    place = {"item_id": id_, "content_index": 0}
    noted = [
        r.event("output_text.annotation.added", at, **place, annotation_index=number, annotation=annotation)
        for number, annotation in enumerate(annotations)
    ]
    item = {**head, "status": "completed", "content": [part]}
    return [
        r.added(at, **head, status="in_progress", content=[]),
        r.event("content_part.added", at, **place, part=empty),
        *_texts(at, id_, kind, pieces, done),
        *noted,
        r.event("content_part.done", at, **place, part=part),
        r.done(at, **item),
    ], item


def call(at: int, id_: str, name: str, *pieces: str) -> tuple[Events, Any]:
    head = {"type": "function_call", "id": f"fc_{at}", "call_id": id_, "name": name}
    item = {**head, "status": "completed", "arguments": "".join(pieces)}
    deltas = [r.event("function_call_arguments.delta", at, item_id=f"fc_{at}", delta=piece) for piece in pieces]
    done = r.event("function_call_arguments.done", at, item_id=f"fc_{at}", name=name, arguments=item["arguments"])
    return [r.added(at, **head, status="in_progress", arguments=""), *deltas, done, r.done(at, **item)], item


def custom(at: int, id_: str, name: str, *pieces: str) -> tuple[Events, Any]:
    head = {"type": "custom_tool_call", "id": f"ctc_{at}", "call_id": id_, "name": name}
    item = {**head, "input": "".join(pieces)}
    deltas = [r.event("custom_tool_call_input.delta", at, item_id=f"ctc_{at}", delta=piece) for piece in pieces]
    done = r.event("custom_tool_call_input.done", at, item_id=f"ctc_{at}", input=item["input"])
    return [r.added(at, **head, input=""), *deltas, done, r.done(at, **item)], item


def reasoning(at: int, *summaries: str, encrypted: str | None = None) -> tuple[Events, Any]:
    head = {"type": "reasoning", "id": f"rs_{at}"}
    parts = [{"type": "summary_text", "text": text} for text in summaries]
    events: Events = [r.added(at, **head, summary=[])]
    for number, part in enumerate(parts):
        place = {"item_id": f"rs_{at}", "summary_index": number}
        events += [
            r.event("reasoning_summary_part.added", at, **place, part={"type": "summary_text", "text": ""}),
            r.event("reasoning_summary_text.delta", at, **place, delta=part["text"]),
            r.event("reasoning_summary_text.done", at, **place, text=part["text"]),
            r.event("reasoning_summary_part.done", at, **place, part=part),
        ]
    item = {**head, "summary": parts, "encrypted_content": encrypted}
    return [*events, r.done(at, **item)], item


def other(at: int, **item: Any) -> tuple[Events, Any]:
    return [r.added(at, **item), r.done(at, **item)], item


def stream(*items: tuple[Events, Any], status: str = "completed", usage: Any = COUNTS, **more: Any) -> bytes:
    output = [item for _, item in items]
    created = r.response("in_progress", **RESPONSE)
    events = [
        r.event("created", response=created),
        r.event("in_progress", response=created),
        *chain.from_iterable(events for events, _ in items),
        r.ended(status, output=output, usage=usage, **{**RESPONSE, **more}),
    ]
    return named(*({**event, "sequence_number": number} for number, event in enumerate(events)))


def numbered(*events: dict[str, Any]) -> bytes:
    return named(*({**event, "sequence_number": number} for number, event in enumerate(events)))


def ended(kind: str, *output: Any, **more: Any) -> dict[str, Any]:
    whole = {**r.response("completed", [*output], **RESPONSE), "usage": COUNTS}
    return r.event(kind, response={**whole, **more})


CREATED = r.event("created", response=r.response("in_progress", **RESPONSE))
RAW: dict[str, Any] = {
    "type": "reasoning",
    "id": "rs_0",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "I think"}],
}
ITEM: dict[str, Any] = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
ITEM["content"] = [{"type": "output_text", "text": "4", "annotations": []}]
NO_TEXT = {"type": "output_text", "text": "", "annotations": []}
PLACE = {"item_id": "msg_1", "content_index": 0}
TEXT = [
    r.added(1, **{**ITEM, "status": "in_progress", "content": []}),
    r.event("content_part.added", 1, **PLACE, part=NO_TEXT),
    r.event("output_text.delta", 1, **PLACE, delta="4", logprobs=[]),
    r.event("output_text.done", 1, **PLACE, text="4", logprobs=[]),
    r.done(1, **ITEM),
]
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"x": 1}'}
RAN: dict[str, Any] = {"type": "code_interpreter_call", "id": "ci_0", "status": "completed", "code": "1"}
RAN |= {"container_id": "cntr_1", "outputs": None}
SEARCHED = {
    "type": "custom_tool_call",
    "id": "ctc_0",
    "call_id": "xs_call_1",
    "name": "x_keyword_search",
    "input": "{}",
}

LONG = '{"city": "Plzeň 🐎", "when": ["now", {"and": null}], "x": 1.5}'
CITED = {"type": "url_citation", "start_index": 0, "end_index": 3, "url": "https://x.invalid/", "title": "T"}
STREAMS: dict[str, bytes] = {
    "text only": stream(message(0, "Žluť", "oučký ", "🐎")),
    "one tool": stream(call(0, "call_1", "f", LONG)),
    "a tool in crumbs": stream(message(0, "Let me."), call(1, "call_1", "f", *LONG)),
    "parallel tools": stream(
        call(0, "call_1", "f", '{"x": 1}'), call(1, "call_2", "now"), call(2, "call_3", "f", "{}")
    ),
    "reasoning": stream(reasoning(0, "I think"), message(1, "4")),
    "reasoning in parts": stream(reasoning(0, "One.", "Two.", encrypted="b3BhcXVl"), message(1, "4")),
    "reasoning that is not shown": stream(reasoning(0, encrypted="b3BhcXVl"), call(1, "call_1", "f", "{}")),
    "a custom tool": stream(custom(0, "call_1", "shell", "ls ", "-l")),
    "citations": stream(message(0, "The sky", annotations=(CITED,))),
    "server tools": stream(
        other(0, type="web_search_call", id="ws_1", status="completed", action={"type": "search", "query": "x"}),
        message(1, "Found."),
    ),
    "refusal": stream(message(0, "I can", "not.", refusal=True)),
    "max_output_tokens": stream(
        message(0, "a"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    ),
    "content filter": stream(message(0, "a"), status="incomplete", incomplete_details={"reason": "content_filter"}),
    "raw reasoning that is done after the text": numbered(
        CREATED,
        r.added(0, type="reasoning", id="rs_0", summary=[]),
        r.event("reasoning_text.delta", 0, item_id="rs_0", content_index=0, delta="I "),
        r.event("reasoning_text.delta", 0, item_id="rs_0", content_index=0, delta="think"),
        *TEXT,
        r.event("reasoning_text.done", 0, item_id="rs_0", content_index=0, text="I think"),
        r.done(0, **RAW),
        ended("completed", {**RAW, "id": "rs_other"}, ITEM),
    ),
    "code that ran there": numbered(
        CREATED,
        r.added(0, **{**RAN, "status": "in_progress", "code": ""}),
        r.event("code_interpreter_call.in_progress", 0, item_id="ci_0"),
        r.event("code_interpreter_call_code.delta", 0, item_id="ci_0", delta="1"),
        r.event("code_interpreter_call_code.done", 0, item_id="ci_0", code="1"),
        r.event("code_interpreter_call.completed", 0, item_id="ci_0"),
        r.done(0, **RAN),
        *TEXT,
        ended("completed", RAN, ITEM),
    ),
    "a keepalive": numbered(CREATED, {"type": "keepalive"}, *TEXT, ended("completed", ITEM)),
    "arguments only at the end": numbered(CREATED, r.added(0, **{**CALL, "arguments": ""}), ended("completed", CALL)),
    "a cut answer, sent as completed": numbered(
        CREATED,
        *TEXT,
        ended("completed", ITEM, status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ),
    "items without an end": numbered(CREATED, *TEXT[:3], ended("done", ITEM)),
    "an end without items": numbered(CREATED, *TEXT, ended("completed")),
    "no begin": numbered(*TEXT, ended("completed", ITEM)),
    "items that share an index": numbered(
        CREATED,
        r.added(1, **{**CALL, "arguments": ""}),
        r.event("function_call_arguments.delta", 1, item_id="fc_1", delta='{"x": '),
        r.event("function_call_arguments.delta", 1, item_id="fc_1", delta="1}"),
        *TEXT,
        r.done(1, **CALL),
        ended("completed", CALL, ITEM),
    ),
    "a name that comes late": numbered(
        CREATED,
        r.added(0, type="function_call", id="fc_1", arguments=""),
        r.event("function_call_arguments.delta", 0, item_id="fc_1", delta='{"x": 1}'),
        r.done(0, **CALL),
        ended("completed", CALL),
    ),
    "a search of X": numbered(
        CREATED,
        r.added(0, **{**SEARCHED, "input": ""}),
        r.event("custom_tool_call_input.delta", 0, item_id="ctc_0", delta="{}"),
        r.event("custom_tool_call_input.done", 0, item_id="ctc_0", input="{}"),
        r.done(0, **SEARCHED),
        *TEXT,
        ended("completed", SEARCHED, ITEM),
    ),
    "llama-server, tools": (FIXTURES / "llamacpp.responses.USE_TWO_TOOLS.sse").read_bytes(),
    "llama-server, thinking": (FIXTURES / "llamacpp.responses.USE_THINK.sse").read_bytes(),
}
FAILED = {"code": "rate_limit_exceeded", "message": "slow down"}
FAILURES: dict[str, bytes] = {
    "failed": stream(message(0, "a"), status="failed", error=FAILED, usage=None),
    "an error event": named(r.CREATED, {"type": "error", "code": "server_error", "message": "no", "param": None}),
}
# llama-server numbers its items anew, without an output_index (seen 2026-11-20): the SDK refuses that, and what other
# servers leave out; it also believes an end that repeats no items.
ODD = frozenset(
    (
        "llama-server, tools",
        "llama-server, thinking",
        "items without an end",
        "an end without items",
        "no begin",
        "items that share an index",
        "a name that comes late",
        "a search of X",
    )
)
