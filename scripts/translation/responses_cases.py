"""The responses dialect's fields, items and parts (openai 3.52, 2026-11-20); decisions for chat, then messages."""

from scripts.translation.case import Case, Json

_SCHEMA: Json = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
_TOOL: Json = {"type": "function", "name": "f", "description": "d", "parameters": _SCHEMA, "strict": False}
_CUSTOM: Json = {"type": "custom", "name": "c", "description": "d"}
_HI: Json = {"type": "message", "role": "user", "content": "Hi"}
_FORMAT: Json = {"type": "json_schema", "name": "n", "schema": _SCHEMA, "strict": True}
_PNG = "data:image/png;base64,iVBORw0KGgo="
_WITH_TOOL: Json = {"tools": [_TOOL]}
_RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
_CUSTOM_CALL: Json = {"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "ls"}
_CUSTOM_RESULT: Json = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"}
_CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"x": 1}'}


def _input(*items: Json) -> Json:
    return {"input": [_HI, *items]}


def _item(type_: str, letters: str, /, **item: object) -> Case:
    return Case("item", type_, _input({"type": type_.partition(",")[0], **item}), letters, _input())


def _part(name: str, letters: str, /, **part: object) -> Case:
    parts: list[object] = [{"type": "input_text", "text": "Hi"}, {"type": name.partition(".")[0], **part}]
    return Case("part", name, {"input": [{"type": "message", "role": "user", "content": parts}]}, letters)


def _field(name: str, value: object, letters: str, **beside: object) -> Case:
    return Case("field", name, {**beside, name: value}, letters, dict(beside))


def _tool(type_: str, letters: str, /, **more: object) -> Case:
    return Case("tool", type_, {"tools": [{"type": type_, **more}]}, letters)


def _choice(type_: str, letters: str, /, *tools: Json, **more: object) -> Case:
    offered: Json = {"tools": [*tools]}
    without = None if letters[0] == "R" else offered  # what is refused is refused with its tool
    return Case("tool choice", type_, {**offered, "tool_choice": {"type": type_, **more}}, letters, without)


def _said(**part: object) -> Json:
    return {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [part]}


CASES: tuple[Case, ...] = (
    _field("access_programs", {"cyber": "x"}, "DD"),
    _field("background", True, "RR"),
    _field("context_management", [{"type": "compaction", "compact_threshold": 9000}], "DD"),
    _field("conversation", "conv_1", "RR"),
    _field("image", {"x": 1}, "DD"),
    _field("include", ["reasoning.encrypted_content"], "KK"),
    Case("field", "include, logprobs", {"include": ["message.output_text.logprobs"]}, "RR"),
    _field("input", "Hello", "MM"),
    _field("instructions", "Be short.", "MM"),
    _field("max_output_tokens", 500, "MM"),
    _field("max_tool_calls", 2, "DD", tools=[_TOOL]),
    _field("metadata", {"a": "b"}, "MD"),
    _field("model", "another", "KK"),
    _field("moderation", {"model": "omni-moderation-latest"}, "MD"),
    _field("parallel_tool_calls", False, "MM", tools=[_TOOL]),
    _field("previous_response_id", "resp_1", "RR"),
    _field("prompt", {"id": "pmpt_1"}, "RR"),
    _field("prompt_cache_key", "k", "MD"),
    _field("prompt_cache_options", {"mode": "explicit"}, "MD"),
    _field("prompt_cache_retention", "24h", "MD"),
    _field("reasoning", {"effort": "high"}, "MM"),
    Case("field", "reasoning.summary", {"reasoning": {"summary": "auto"}}, "KK"),
    _field("safety_identifier", "u", "MM"),
    _field("service_tier", "flex", "MA"),
    _field("store", True, "DD"),
    _field("stream", True, "MM"),
    _field("stream_options", {"include_obfuscation": True}, "KK", stream=True),
    _field("temperature", 0.5, "MM"),
    _field("text", {"format": _FORMAT}, "MD"),
    Case("field", "text.verbosity", {"text": {"verbosity": "low"}}, "MD"),
    _field("tool_choice", "required", "MM", tools=[_TOOL]),
    _field("tools", [_TOOL], "MM"),
    _field("top_logprobs", 2, "RR"),
    _field("top_p", 0.5, "MM"),
    _field("truncation", "auto", "DD"),
    _field("user", "u", "MM"),
    Case("item", "message", {"input": [{"type": "message", "role": "user", "content": "Hello"}]}, "MM"),
    Case(
        "item", "message, developer", {"input": [{"type": "message", "role": "developer", "content": "x"}, _HI]}, "MM"
    ),
    Case("item", "message, assistant", _input(_said(type="output_text", text="Hello", annotations=[]), _HI), "MM"),
    Case("item", "function_call", _input(_CALL, _RESULT), "MM"),
    Case(
        "item",
        "function_call_output",
        _input(_CALL, {"type": "function_call_output", "call_id": "call_1", "output": "1"}),
        "MM",
        _input(_CALL),
    ),
    Case(
        "item",
        "function_call_output, image",
        _input(
            _CALL,
            {
                "type": "function_call_output",
                "call_id": "call_1",
                "output": [{"type": "input_image", "image_url": _PNG}],
            },
        ),
        "AM",
        _input(_CALL, {"type": "function_call_output", "call_id": "call_1", "output": "1"}),
    ),
    Case("item", "custom_tool_call", _input(_CUSTOM_CALL, _CUSTOM_RESULT), "MM"),
    Case(
        "item",
        "custom_tool_call_output",
        _input(
            {"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"},
        ),
        "MM",
        _input({"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "ls"}),
    ),
    Case(
        "item",
        "reasoning",
        _input(
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "b3Bh",
            },
            _CALL,
        ),
        "DD",
        _input(_CALL),
    ),
    _item("compaction", "RR", encrypted_content="b3Bh"),
    _item("compaction_trigger", "RR"),
    _item("item_reference", "RR", id="msg_1"),
    _item("additional_tools", "RR", role="developer", tools=[_TOOL]),
    _item("configuration_update", "RR", reasoning={"effort": "low"}),
    _item("file_search_call", "DD", id="fs_1", queries=["x"], status="completed"),
    _item("web_search_call", "DD", id="ws_1", status="completed", action={"type": "search", "query": "x"}),
    _item("code_interpreter_call", "DD", id="ci_1", code="1", container_id="c", outputs=None, status="completed"),
    _item("image_generation_call", "DD", id="ig_1", result=None, status="completed"),
    _item(
        "computer_call",
        "RD",
        id="cu_1",
        call_id="call_1",
        action={"type": "wait"},
        pending_safety_checks=[],
        status="completed",
    ),
    _item("computer_call_output", "RR", call_id="call_1", output={"type": "computer_screenshot", "image_url": _PNG}),
    _item("tool_search_call", "DD", arguments={}),
    _item("tool_search_output", "DR", tools=[]),
    _item(
        "local_shell_call",
        "RD",
        id="ls_1",
        call_id="call_1",
        action={"type": "exec", "command": ["ls"], "env": {}},
        status="completed",
    ),
    _item("local_shell_call_output", "RR", id="ls_1", output="x"),
    _item("shell_call", "RD", call_id="call_1", action={"commands": ["ls"]}),
    _item("shell_call_output", "RR", call_id="call_1", output=[]),
    _item(
        "apply_patch_call", "RD", call_id="call_1", operation={"type": "delete_file", "path": "x"}, status="completed"
    ),
    _item("apply_patch_call_output", "RR", call_id="call_1", status="completed"),
    _item("mcp_list_tools", "DD", id="m_1", server_label="m", tools=[]),
    _item("mcp_approval_request", "RD", id="m_1", server_label="m", name="t", arguments="{}"),
    _item("mcp_approval_response", "RR", approval_request_id="m_1", approve=True),
    _item("mcp_call", "DD", id="m_1", server_label="m", name="t", arguments="{}"),
    _item("program", "DD", id="p_1", call_id="call_1", code="x", fingerprint="f"),
    _item("program_output", "DR", id="p_1", call_id="call_1", result="x", status="completed"),
    _part("input_text", "MM", text="there"),
    _part("input_text.prompt_cache_breakpoint", "MM", text="x", prompt_cache_breakpoint={"mode": "explicit"}),
    _part("input_image", "MM", image_url=_PNG, detail="auto"),
    _part("input_image.file_id", "RR", file_id="file-1", detail="auto"),
    _part("input_file", "MM", filename="a.pdf", file_data="data:application/pdf;base64,JVBE"),
    _part("input_file.file_id", "RR", file_id="file-1"),
    _part("input_file.file_url", "FM", file_url="https://x.invalid/a.pdf"),
    Case("part", "output_text", _input(_said(type="output_text", text="Hello", annotations=[]), _HI), "MM"),
    Case("part", "refusal", _input(_said(type="refusal", refusal="No."), _HI), "MM"),
    Case("tool", "function", _WITH_TOOL, "MM"),
    Case("tool", "custom", {"tools": [_CUSTOM]}, "MA"),
    _tool("namespace", "MM", name="n", description="d", tools=[_TOOL]),
    _tool("web_search", "RA"),
    _tool("web_search_2025_08_26", "RA"),
    _tool("web_search_preview", "RA"),
    _tool("web_search_preview_2025_03_11", "RA"),
    _tool("mcp", "RR", server_label="m", server_url="https://mcp.invalid/", require_approval="never"),
    _tool("file_search", "RR", vector_store_ids=["vs_1"]),
    _tool("computer", "RR"),
    _tool("computer_use_preview", "RR", display_width=800, display_height=600, environment="linux"),
    _tool("code_interpreter", "RR", container={"type": "auto"}),
    _tool("programmatic_tool_calling", "RR"),
    _tool("image_generation", "RR"),
    _tool("local_shell", "RR"),
    _tool("shell", "RR"),
    _tool("tool_search", "RR"),
    _tool("apply_patch", "RR"),
    _choice("function", "MM", _TOOL, name="f"),
    _choice("custom", "MM", _CUSTOM, name="c"),
    _choice("allowed_tools", "MA", _TOOL, mode="auto", tools=[{"type": "function", "name": "f"}]),
    _choice("file_search", "RR", _TOOL, {"type": "file_search"}),
    _choice("mcp", "RR", _TOOL, {"type": "mcp", "server_label": "m"}, server_label="m"),
    *(
        _choice(type_, "RR", _TOOL, {"type": type_})
        for type_ in ("code_interpreter", "computer", "computer_use", "computer_use_preview", "image_generation")
    ),
    *(
        _choice(type_, "RA", _TOOL, {"type": type_})
        for type_ in ("web_search_preview", "web_search_preview_2025_03_11")
    ),
    _choice("programmatic_tool_calling", "RR", _TOOL, {"type": "programmatic_tool_calling"}),
    _choice("apply_patch", "RR", _TOOL, {"type": "apply_patch"}),
    _choice("shell", "RR", _TOOL, {"type": "shell"}),
    Case("text format", "text", {"text": {"format": {"type": "text"}}}, "KK"),
    Case("text format", "json_object", {"text": {"format": {"type": "json_object"}}}, "MA"),
    Case("text format", "json_schema", {"text": {"format": _FORMAT}}, "MD"),
)
