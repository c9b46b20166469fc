"""The chat dialect's fields and types (openai 3.52, 2026-11-20); decisions for messages, then responses."""

from scripts.translation.case import Case, Json

_SCHEMA: Json = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
_TOOL: Json = {"type": "function", "function": {"name": "f", "description": "d", "parameters": _SCHEMA}}
_CUSTOM: Json = {"type": "custom", "custom": {"name": "c", "description": "d"}}
_HI: Json = {"role": "user", "content": "Hi"}
_CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
_PNG = "data:image/png;base64,iVBORw0KGgo="
_WITH_TOOL: Json = {"tools": [_TOOL]}
_NAMED_FORMAT: Json = {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA, "strict": True}}


def _messages(*messages: Json) -> Json:
    return {"messages": list(messages)}


def _part(**part: object) -> Json:
    return _messages({"role": "user", "content": [{"type": "text", "text": "Hi"}, part]})


def _assistant(**message: object) -> Json:
    return _messages(_HI, {"role": "assistant", **message}, {"role": "user", "content": "Go on"})


_CALLED = _assistant(content=None, tool_calls=[_CALL])
_FUNCTION_CALL: Json = {"name": "f", "arguments": "{}"}


def _field(name: str, value: object, letters: str, **beside: object) -> Case:
    """A top-level field; ``beside`` are those that it needs to mean anything."""
    return Case("field", name, {**beside, name: value}, letters, dict(beside))


CASES: tuple[Case, ...] = (
    _field("audio", {"voice": "alloy", "format": "mp3"}, "RR"),
    _field("frequency_penalty", 0.5, "DD"),
    _field("function_call", {"name": "f"}, "MM", functions=[_TOOL["function"]]),
    _field("functions", [_TOOL["function"]], "MM"),
    _field("logit_bias", {"50256": -100}, "DD"),
    _field("logprobs", True, "RR"),
    _field("max_completion_tokens", 500, "MM"),
    _field("max_tokens", 500, "MM"),
    _field("messages", [{"role": "user", "content": "Hello"}], "MM"),
    _field("metadata", {"a": "b"}, "DM"),
    _field("modalities", ["text", "audio"], "RR"),
    _field("model", "another", "KK"),
    _field("moderation", {"model": "omni-moderation-latest"}, "DM"),
    _field("n", 2, "RR"),
    _field("parallel_tool_calls", False, "MM", tools=[_TOOL]),
    _field("prediction", {"type": "content", "content": "x"}, "DD"),
    _field("presence_penalty", 0.5, "DD"),
    _field("prompt_cache_key", "k", "DM"),
    _field("prompt_cache_options", {"mode": "explicit"}, "DM"),
    _field("prompt_cache_retention", "24h", "DM"),
    _field("reasoning_effort", "high", "MM"),
    _field("response_format", _NAMED_FORMAT, "DM"),
    _field("safety_identifier", "u", "MM"),
    _field("seed", 7, "DD"),
    _field("service_tier", "flex", "AM"),
    _field("stop", ["END"], "MR"),
    _field("store", True, "DD"),
    _field("stream", True, "MM"),
    _field("stream_options", {"include_usage": True}, "KK", stream=True),
    _field("temperature", 0.5, "MM"),
    _field("tool_choice", "required", "MM", tools=[_TOOL]),
    _field("tools", [_TOOL], "MM"),
    _field("top_logprobs", 2, "RR"),
    _field("top_p", 0.5, "MM"),
    _field("user", "u", "MM"),
    _field("verbosity", "low", "DM"),
    _field("web_search_options", {"user_location": {"type": "approximate", "approximate": {"country": "CZ"}}}, "AM"),
    Case("message", "developer", _messages({"role": "developer", "content": "Be short."}, _HI), "MM"),
    Case("message", "system", _messages({"role": "system", "content": "Be short."}, _HI), "MM"),
    Case("message", "system, later", _messages(_HI, {"role": "system", "content": "Be short."}), "MM"),
    Case("message", "user", _messages({"role": "user", "content": "Hello"}), "MM"),
    Case("message", "user.name", _messages({**_HI, "name": "Ann"}), "DD"),
    Case("message", "assistant", _assistant(content="Hello"), "MM"),
    Case("message", "assistant.name", _assistant(content="Hello", name="Bob"), "DD", _assistant(content="Hello")),
    Case("message", "assistant.refusal", _assistant(content=None, refusal="No."), "MM"),
    Case("message", "assistant.audio", _assistant(content="Hello", audio={"id": "a"}), "RR"),
    Case("message", "assistant.tool_calls", _CALLED, "MM"),
    Case("message", "assistant.function_call", _assistant(content=None, function_call=_FUNCTION_CALL), "MM"),
    Case(
        "message",
        "tool",
        _messages(
            _HI,
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        ),
        "MM",
    ),
    Case(
        "message",
        "function",
        _messages(
            _HI,
            {"role": "assistant", "content": None, "function_call": _FUNCTION_CALL},
            {"role": "function", "name": "f", "content": "1"},
        ),
        "MM",
    ),
    Case("part", "text", _part(type="text", text="there"), "MM"),
    Case(
        "part",
        "text.prompt_cache_breakpoint",
        _part(type="text", text="x", prompt_cache_breakpoint={"mode": "explicit"}),
        "MM",
    ),
    Case("part", "image_url", _part(type="image_url", image_url={"url": _PNG}), "MM"),
    Case("part", "image_url.detail", _part(type="image_url", image_url={"url": _PNG, "detail": "low"}), "DM"),
    Case("part", "input_audio", _part(type="input_audio", input_audio={"data": "AAAA", "format": "wav"}), "RR"),
    Case(
        "part",
        "file",
        _part(type="file", file={"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}),
        "MM",
    ),
    Case("part", "file.file_id", _part(type="file", file={"file_id": "file-1"}), "RM"),
    Case("part", "refusal", _assistant(content=[{"type": "refusal", "refusal": "No."}]), "MM"),
    Case("tool", "function", _WITH_TOOL, "MM"),
    Case("tool", "custom", {"tools": [_CUSTOM]}, "AM"),
    Case(
        "tool choice", "function", {**_WITH_TOOL, "tool_choice": {"type": "function", "function": {"name": "f"}}}, "MM"
    ),
    Case(
        "tool choice", "custom", {"tools": [_CUSTOM], "tool_choice": {"type": "custom", "custom": {"name": "c"}}}, "AM"
    ),
    Case(
        "tool choice",
        "allowed_tools",
        {**_WITH_TOOL, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_TOOL]}}},
        "AM",
        _WITH_TOOL,
    ),
    Case("response format", "text", {"response_format": {"type": "text"}}, "KK"),
    Case("response format", "json_object", {"response_format": {"type": "json_object"}}, "AM"),
    Case("response format", "json_schema", {"response_format": _NAMED_FORMAT}, "DM"),
)
