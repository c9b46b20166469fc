"""Look-alikes of what chat providers stream: OpenAI, OpenRouter, DeepSeek, Mistral, Azure, Gemini, llama-server."""

from typing import Any

from tests.providers.wire.chat.chunks import call, chunk
from tests.providers.wire.playbook import FIXTURES, sse

USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 7,
    "total_tokens": 127,
    "prompt_tokens_details": {"cached_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def function(index: int, id_: str, name: str, arguments: str = "") -> dict[str, Any]:
    return {**call(index, id_, name, arguments), "type": "function"}


def pieces(*texts: str, key: str = "content", **more: Any) -> list[dict[str, Any]]:
    return [chunk({key: text}, **more) for text in texts]


FIRST = chunk({"role": "assistant", "content": "", "refusal": None})
NO_TEXT = chunk({"role": "assistant", "content": None})
CALLED = chunk(finish="tool_calls")
STOPPED = chunk(finish="stop")
COUNTED = chunk(choices=[], usage=USAGE)
LONG = '{"city": "Plzeň", "when": ["now", {"and": null}], "n": 12345678901234567890, "x": 1.50}'


def detail(kind: str, index: int = 0, **more: Any) -> dict[str, Any]:
    entry = {"type": f"reasoning.{kind}", "format": "anthropic-claude-v1", "index": index, **more}
    return chunk({"content": "", "reasoning_details": [entry]})


def unnumbered(id_: str, name: str, arguments: str = "") -> dict[str, Any]:
    return {**call(None, id_, name, arguments), "type": "function"}


def snowflake(delta: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "assistant", "content": "", "refusal": "", "tool_calls": None, **delta}
    nothing = {"content": None, "refusal": None}
    return {**chunk(), "id": "", "created": 0, "choices": [{"index": 0, "delta": said, "logprobs": nothing}]}


SOURCE = {"url": "https://x.invalid/", "title": "X", "start_index": 0, "end_index": 0, "content": "x"}
SECOND_CHOICE = {"index": 1, "delta": {"content": "another"}, "finish_reason": None}
AZURE = {"hate": {"filtered": False, "severity": "safe"}}

STREAMS: dict[str, bytes] = {
    "text only": sse(FIRST, *pieces("Žluť", "ou", "čký 🐎"), STOPPED, COUNTED, done=True),
    "no usage": sse(FIRST, *pieces("a"), STOPPED, done=True),
    "one tool": sse(NO_TEXT, chunk({"tool_calls": [function(0, "call_1", "f", LONG)]}), CALLED, COUNTED, done=True),
    "a tool in crumbs": sse(
        NO_TEXT,
        chunk({"tool_calls": [function(0, "call_1", "f")]}),
        *(chunk({"tool_calls": [call(0, arguments=letter)]}) for letter in LONG),
        CALLED,
        done=True,
    ),
    "text and a tool without arguments": sse(
        FIRST,
        *pieces("Let me look."),
        chunk({"tool_calls": [function(0, "call_1", "now")]}),
        CALLED,
        done=True,
    ),
    "parallel tools": sse(
        NO_TEXT,
        chunk({"tool_calls": [function(0, "call_1", "f")]}),
        chunk({"tool_calls": [call(0, arguments='{"x": 1}')]}),
        chunk({"tool_calls": [function(1, "call_2", "g")]}),
        chunk({"tool_calls": [call(1, arguments='{"y": [2]}')]}),
        CALLED,
        COUNTED,
        done=True,
    ),
    "interleaved tools": sse(
        NO_TEXT,
        chunk({"tool_calls": [function(0, "call_1", "f"), function(1, "call_2", "g")]}),
        chunk({"tool_calls": [call(1, arguments='{"y"'), call(0, arguments='{"x"')]}),
        chunk({"tool_calls": [call(0, arguments=": 1}")]}),
        chunk({"tool_calls": [call(1, arguments=": 2}")]}),
        chunk({"content": "and a word"}),
        CALLED,
        done=True,
    ),
    "tools, yet stop": sse(
        NO_TEXT, chunk({"tool_calls": [function(0, "call_1", "f", "{}")]}), chunk(finish="stop", usage=USAGE), done=True
    ),
    "reasoning_content": sse(
        FIRST, *pieces("I ", "think", key="reasoning_content"), *pieces("So: 4."), STOPPED, COUNTED, done=True
    ),
    "reasoning alone": sse(
        FIRST, *pieces("I think", key="reasoning_content"), chunk(finish="length", usage=USAGE), done=True
    ),
    "reasoning with a signature": sse(
        FIRST,
        detail("text", text="I "),
        detail("text", text="think"),
        detail("text", signature="c2ln"),
        *pieces("4"),
        STOPPED,
        done=True,
    ),
    "redacted reasoning": sse(FIRST, detail("encrypted", data="b3BhcXVl"), *pieces("4"), STOPPED, done=True),
    "usage on the finish chunk": sse(FIRST, *pieces("a"), chunk(finish="length", usage=USAGE), done=True),
    "usage on both": sse(FIRST, *pieces("a"), chunk(finish="stop", usage=USAGE), COUNTED, done=True),
    "content filter": sse(FIRST, *pieces("I"), chunk(finish="content_filter"), done=True),
    "refusal": sse(FIRST, chunk({"refusal": "I can"}), chunk({"refusal": "not."}), STOPPED, COUNTED, done=True),
    "several choices": sse(
        FIRST,
        chunk({"content": "one"}),
        chunk(choices=[SECOND_CHOICE]),
        STOPPED,
        chunk(choices=[{**SECOND_CHOICE, "delta": {}, "finish_reason": "stop"}]),
        done=True,
    ),
    "OpenRouter's comments": b": OPENROUTER PROCESSING\n\n"
    + sse(FIRST)
    + b": OPENROUTER PROCESSING\n\n"
    + sse(
        *pieces("4", provider="P"),
        chunk(finish="stop", native_finish_reason="end_turn"),
        chunk({"content": ""}, finish="stop", usage=USAGE),
        done=True,
    ),
    "Mistral's content lists": sse(
        chunk({"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
        chunk({"content": [{"type": "text", "text": "So "}]}),
        chunk({"content": "4"}, finish="stop", usage=USAGE),
        done=True,
    ),
    "Azure's filter results": sse(
        chunk(choices=[], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": AZURE}]),
        FIRST,
        *pieces("4"),
        STOPPED,
        done=True,
    ),
    "Gemini's signatures": sse(
        chunk(
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        **function(0, "function-call-1", "f", '{"x": 1}'),
                        "extra_content": {"google": {"thought_signature": "c2ln"}},
                    }
                ],
            }
        ),
        chunk(finish="stop", usage=USAGE),
        done=True,
    ),
    "Together's text beside the delta": sse(
        *(
            {**chunk(), "choices": [{"index": 0, "text": text, "delta": {"token_id": number, "content": text}}]}
            for number, text in enumerate(("So ", "4"), 300)
        ),
        chunk(finish="stop", usage=USAGE),
        done=True,
    ),
    "Moonshot's calls without an index": sse(
        FIRST,
        chunk({"tool_calls": [unnumbered("f_0", "f"), unnumbered("g_1", "g")]}),
        chunk({"tool_calls": [call(arguments='{"x": 1}'), call(arguments='{"y": 2}')]}),
        {**chunk(), "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls", "usage": USAGE}]},
        done=True,
    ),
    "an index that comes later": sse(
        chunk({"role": "assistant", "tool_calls": [unnumbered("a", "f", '{"x":'), unnumbered("b", "g", '{"y":')]}),
        chunk({"tool_calls": [call(1, arguments="2}"), call(0, arguments="1}")]}),
        CALLED,
        done=True,
    ),
    "calls under one index": sse(
        NO_TEXT,
        chunk({"tool_calls": [function(0, "a", "f", '{"x": 1}')]}),
        chunk({"tool_calls": [function(0, "b", "f", '{"x": 2}')]}, "stop"),
        COUNTED,
        done=True,
    ),
    "Snowflake's empty strings": sse(
        snowflake({"reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0, "id": "r-1"}]}),
        snowflake({"content": "4"}),
        snowflake({"function_call": {"name": "", "arguments": ""}, "audio": {"id": "", "data": ""}}),
        {**chunk(choices=[], usage=USAGE), "id": ""},
        done=True,
    ),
    "a call behind the finish reason": sse(
        FIRST, *pieces("Let me."), STOPPED, chunk({"tool_calls": [function(0, "a", "f", "{}")]}), COUNTED, done=True
    ),
    "Gemini's filter": sse(chunk({"role": "assistant"}, "content_filter: RECITATION", usage=USAGE), done=True),
    "annotations ahead of the text": sse(
        chunk({"content": "", "annotations": [{"type": "url_citation", "url_citation": SOURCE}]}),
        *pieces("hm", key="reasoning"),
        *pieces("See ", "there."),
        chunk({"content": ""}, "stop", usage=USAGE),
        done=True,
    ),
    "llama-server, tools": (FIXTURES / "llamacpp.chat.USE_TWO_TOOLS.sse").read_bytes(),
    "llama-server, thinking": (FIXTURES / "llamacpp.chat.USE_THINK.sse").read_bytes(),
}
FAILURES: dict[str, bytes] = {
    "an error chunk": sse(
        FIRST, *pieces("a"), {"error": {"message": "overloaded", "type": "server_error", "code": 503}}
    ),
    "an error after the finish": sse(
        FIRST,
        *pieces("a"),
        chunk({"content": ""}, finish="error", error={"code": 502, "message": "provider died"}),
    ),
    "a named error": sse(FIRST, *pieces("a")) + b'event: error\ndata: {"error":{"message":"no","type":"x"}}\n\n',
}
# Streams that the openai SDK itself cannot read, or reads less (or more) of than there is.
ODD = frozenset(
    (
        "Mistral's content lists",
        "reasoning with a signature",
        "redacted reasoning",
        "Azure's filter results",
        "Moonshot's calls without an index",
        "an index that comes later",
        "calls under one index",
        "Snowflake's empty strings",
        "a call behind the finish reason",
        "Gemini's filter",
        "annotations ahead of the text",
    )
)
