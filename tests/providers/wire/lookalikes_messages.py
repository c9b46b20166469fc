"""Look-alikes of what Anthropic's Messages API streams."""

from typing import Any

from tests.providers.wire.messages import blocks_play as a
from tests.providers.wire.playbook import FIXTURES, named

CACHED = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 100, "output_tokens": 1}
Events = list[dict[str, Any]]


def text(index: int, *pieces: str) -> Events:
    deltas = [a.delta(index, "text_delta", text=piece) for piece in pieces]
    return [a.start(index, type="text", text=""), *deltas, a.stop(index)]


def thinking(index: int, *pieces: str, signature: str = "") -> Events:
    deltas = [a.delta(index, "thinking_delta", thinking=piece) for piece in pieces]
    signed = [a.delta(index, "signature_delta", signature=signature)] if signature else []
    return [a.start(index, type="thinking", thinking="", signature=""), *deltas, *signed, a.stop(index)]


def tool(index: int, id_: str, name: str, *pieces: str, kind: str = "tool_use") -> Events:
    deltas = [a.delta(index, "input_json_delta", partial_json=piece) for piece in ("", *pieces)]
    return [a.start(index, type=kind, id=id_, name=name, input={}), *deltas, a.stop(index)]


def whole(index: int, **block: Any) -> Events:
    return [a.start(index, **block), a.stop(index)]


def stream(*blocks: Events, stop: str = "end_turn", usage: dict[str, Any] | None = None, **delta: Any) -> bytes:
    events = [event for block in blocks for event in block]
    return named(a.message_start(usage=usage), *events, a.message_delta(stop, {"output_tokens": 9}, **delta), a.STOP)


LONG = '{"city": "Plzeň 🐎", "when": ["now", {"and": null}], "x": 1.5}'
FOUND = {
    "type": "web_search_result",
    "title": "T",
    "url": "https://x.invalid/",
    "encrypted_content": "e",
    "page_age": None,
}
CITED = {
    "type": "web_search_result_location",
    "url": "https://x.invalid/",
    "title": "T",
    "cited_text": "found",
    "encrypted_index": "i",
}
DOCUMENT = {
    "type": "char_location",
    "cited_text": "grass",
    "document_index": 0,
    "document_title": "D",
    "start_char_index": 0,
    "end_char_index": 5,
}

STREAMS: dict[str, bytes] = {
    "text only": stream(text(0, "Žluť", "oučký ", "🐎"), usage=CACHED),
    "an empty answer": stream(),
    "one tool": stream(tool(0, "toolu_1", "f", LONG), stop="tool_use"),
    "a tool in crumbs": stream(text(0, "Let me."), tool(1, "toolu_1", "f", *LONG), stop="tool_use"),
    "parallel tools": stream(
        tool(0, "toolu_1", "f", '{"x": 1}'),
        tool(1, "toolu_2", "now"),
        tool(2, "toolu_3", "f", '{"x": 3}'),
        stop="tool_use",
    ),
    "text after a tool": stream(tool(0, "toolu_1", "f", "{}"), text(1, "while I wait"), stop="tool_use"),
    "thinking with a signature": stream(thinking(0, "I ", "think", signature="c2ln"), text(1, "4"), usage=CACHED),
    "thinking without a signature": stream(thinking(0, "I think"), text(1, "4")),
    "thinking that is not shown": stream(thinking(0, signature="c2ln"), text(1, "4")),
    "thinking between tools": stream(
        thinking(0, "one", signature="a"),
        tool(1, "toolu_1", "f", "{}"),
        thinking(2, "two", signature="b"),
        tool(3, "toolu_2", "f", "{}"),
        stop="tool_use",
    ),
    "redacted thinking": stream(
        thinking(0, "I think", signature="c2ln"), whole(1, type="redacted_thinking", data="b3Bh"), text(2, "4")
    ),
    "citations": stream(
        text(0, "The sky is "),
        [
            a.start(1, type="text", text="", citations=[]),
            a.delta(1, "citations_delta", citation=CITED),
            a.delta(1, "text_delta", text="blue"),
            a.stop(1),
        ],
        text(2, ", and "),
        [
            a.start(3, type="text", text="", citations=[]),
            a.delta(3, "citations_delta", citation=DOCUMENT),
            a.delta(3, "text_delta", text="green"),
            a.stop(3),
        ],
    ),
    "server tools": stream(
        text(0, "I search."),
        tool(1, "srvtoolu_1", "web_search", '{"query": "x"}', kind="server_tool_use"),
        whole(2, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[FOUND]),
        text(3, " Found."),
    ),
    "already filled": named(
        a.message_start(
            [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}],
            stop_reason="tool_use",
            usage={"input_tokens": 3, "output_tokens": 9},
        ),
        a.STOP,
    ),
    "growing input": named(
        a.message_start(usage={"input_tokens": 12, "output_tokens": 1}),
        *text(0, "a"),
        a.message_delta("end_turn", {"input_tokens": 24, "output_tokens": 9, "cache_read_input_tokens": 0}),
        a.STOP,
    ),
    "pings": named(a.message_start(), a.PING, *text(0, "a"), a.PING, a.message_delta(), a.STOP),
    "refusal": stream(
        text(0, "I"),
        stop="refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": "That is not allowed."},
    ),
    "a bare refusal": stream(stop="refusal"),
    "stop sequence": stream(text(0, "a"), stop="stop_sequence", stop_sequence="END"),
    "max_tokens": stream(text(0, "a"), stop="max_tokens"),
    "a full window": stream(text(0, "a"), stop="model_context_window_exceeded"),
    "pause_turn": stream(
        text(0, "I search."),
        tool(1, "srvtoolu_1", "web_search", '{"query": "x"}', kind="server_tool_use"),
        stop="pause_turn",
    ),
    "a server tool without arguments": stream(
        thinking(0, signature="c2ln"),
        tool(1, "srvtoolu_1", "advisor", kind="server_tool_use"),
        whole(2, type="advisor_tool_result", tool_use_id="srvtoolu_1", content={"type": "advisor_result", "text": "4"}),
        text(3, "It is ", "4."),
        usage={"input_tokens": 3, "output_tokens": 2, "service_tier": "standard", "inference_geo": "global"},
    ),
    "code that ran there, in a container": stream(
        tool(0, "srvtoolu_1", "bash_code_execution", '{"command": ', '"ls"}', kind="server_tool_use"),
        whole(1, type="bash_code_execution_tool_result", tool_use_id="srvtoolu_1", content={"stdout": "a"}),
        text(2, "a"),
        container={"id": "container_1", "expires_at": "2026-01-01T00:00:00Z"},
    ),
    "MCP": stream(
        [
            a.start(0, type="mcp_tool_use", id="mcptoolu_1", name="t", server_name="s", input={}),
            a.delta(0, "input_json_delta", partial_json='{"q": 1}'),
            a.stop(0),
        ],
        whole(1, type="mcp_tool_result", tool_use_id="mcptoolu_1", is_error=False, content=[]),
        text(2, "a"),
    ),
    "another model took over": stream(
        thinking(0, "first", signature="a"),
        whole(1, type="fallback", **{"from": {"model": "x"}, "to": {"model": "y"}}),
        thinking(2, "second", signature="b"),
        tool(3, "toolu_1", "f", '{"x": 1}'),
        stop="tool_use",
    ),
    "compaction": stream(
        [a.start(0, type="compaction", content=None), a.delta(0, "compaction_delta", content="so far"), a.stop(0)],
        text(1, "a"),
    ),
    "calls that say who called": named(
        a.message_start(),
        a.start(0, type="tool_use", id="toolu_1", name="f", input={}, caller={"type": "direct"}),
        a.delta(0, "input_json_delta", partial_json='{"x": 1}'),
        a.stop(0),
        *whole(1, type="tool_use", id="toolu_2", name="g", input={}, caller={"type": "direct"}),
        a.message_delta("tool_use", {"output_tokens": 9}),
        a.STOP,
    ),
    "filled with what ran there": named(
        a.message_start(
            [
                {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "a"}},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "f",
                    "input": {"x": "é"},
                    "caller": {"type": "code_execution_20250825", "tool_id": "srvtoolu_0"},
                },
            ],
            stop_reason="tool_use",
            container={"id": "container_1", "expires_at": "2026-01-01T00:00:00Z"},
            usage={"input_tokens": 0, "output_tokens": 0},
        ),
        a.STOP,
    ),
    "a start that is repeated": named(a.message_start(), a.message_start(), *text(0, "a"), a.message_delta(), a.STOP),
    "llama-server, tools": (FIXTURES / "llamacpp.messages.USE_TWO_TOOLS.sse").read_bytes(),
    "llama-server, thinking": (FIXTURES / "llamacpp.messages.USE_THINK.sse").read_bytes(),
}
FAILURES: dict[str, bytes] = {
    "an error event": named(
        a.message_start(),
        *text(0, "a"),
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    )
}
ODD: frozenset[str] = frozenset()
