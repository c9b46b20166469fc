"""The messages dialect (anthropic 2.11 and its betas, 2026-11-20); decisions for chat, then responses."""

from scripts.translation.case import Case, Json

_SCHEMA: Json = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
_TOOL: Json = {"name": "f", "description": "d", "input_schema": _SCHEMA}
_HI: Json = {"role": "user", "content": "Hi"}
_PDF: Json = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
_PNG: Json = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
_TEXT: Json = {"type": "text", "text": "there"}
_PLAIN: Json = {"type": "text", "media_type": "text/plain", "data": "grass is green"}
_FOUND: Json = {"type": "web_search_result", "title": "T", "url": "https://x.invalid/", "encrypted_content": "e"}
_SEARCHED: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
_WITH_TOOL: Json = {"tools": [_TOOL]}
_CITATION: Json = {
    "type": "char_location",
    "cited_text": "g",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}
_MCP: Json = {"type": "url", "name": "m", "url": "https://mcp.invalid/"}


def _user(*blocks: Json) -> Json:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, *blocks]}]}


def _assistant(*blocks: Json) -> Json:
    said: Json = {"role": "assistant", "content": [{"type": "text", "text": "Hello"}, *blocks]}
    return {"messages": [_HI, said, {"role": "user", "content": "Go on"}]}


def _block(name: str, letters: str, /, **block: object) -> Case:
    """A block of a user's turn."""
    return Case("block", name, _user({"type": name.partition(".")[0].partition(",")[0], **block}), letters, _user())


def _said(name: str, letters: str, /, **block: object) -> Case:
    """A block of an assistant's turn."""
    return Case("block", name, _assistant({"type": name.partition(".")[0], **block}), letters, _assistant())


def _answered(name: str, letters: str, /, **result: object) -> Case:
    call: Json = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}
    asked: list[object] = [_HI, {"role": "assistant", "content": [call]}]
    plain: Json = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1"}
    turns: list[Json] = [
        {"messages": [*asked, {"role": "user", "content": [block]}]} for block in ({**plain, **result}, plain)
    ]
    return Case("block", name, turns[0], letters, turns[1])


def _field(name: str, value: object, letters: str, **beside: object) -> Case:
    return Case("field", name, {**beside, name: value}, letters, dict(beside))


def _tool(type_: str, letters: str, name: str = "", **more: object) -> Case:
    tool: Json = {"type": type_, **({"name": name} if name else {}), **more}
    servers: Json = {"mcp_servers": [_MCP]} if type_ == "mcp_toolset" else {}
    return Case("tool", type_, {"tools": [tool], **servers}, letters)


def _choice(type_: str, letters: str = "MM", /, **more: object) -> Case:
    return Case("tool choice", type_, {**_WITH_TOOL, "tool_choice": {"type": type_, **more}}, letters, _WITH_TOOL)


def _result_of(type_: str, /, **content: object) -> Case:
    """A server tool's result in the history."""
    return _said(type_, "DD", tool_use_id="srvtoolu_1", content=content or [])


CASES: tuple[Case, ...] = (
    _field("betas", ["context-1m-2025-08-07"], "DD"),
    _field("billing_policy", {"type": "x"}, "RR"),
    _field("cache_control", {"type": "ephemeral"}, "KK"),
    _field("compaction", {"type": "compact"}, "RR"),
    _field("container", "container_1", "RR"),
    _field("context_management", {"edits": [{"type": "clear_tool_uses_20250919"}]}, "DD"),
    _field("diagnostics", {"previous_message_id": None}, "DD"),
    _field("fallback_credit_token", "t", "DD"),
    _field("fallbacks", [{"model": "x"}], "DD"),
    _field("inference_geo", "eu", "RR"),
    _field("max_tokens", 500, "MM"),
    Case("field", "max_tokens, 0", {"max_tokens": 0}, "RR"),
    Case(
        "field",
        "mcp_servers",
        {"mcp_servers": [_MCP], "tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}]},
        "RM",
    ),
    _field("messages", [{"role": "user", "content": "Hello"}], "MM"),
    _field("metadata", {"user_id": "u"}, "MM"),
    _field("model", "another", "KK"),
    _field("output_config", {"effort": "low"}, "MM"),
    Case(
        "field", "output_config.format", {"output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}}}, "MM"
    ),
    Case(
        "field", "output_config.task_budget", {"output_config": {"task_budget": {"type": "tokens", "total": 9}}}, "DD"
    ),
    _field("service_tier", "standard_only", "MM"),
    _field("speed", "fast", "DD"),
    _field("stop_sequences", ["END"], "MR"),
    _field("stream", True, "MM"),
    _field("system", "Be short.", "MM"),
    _field("temperature", 0.5, "MM"),
    _field("thinking", {"type": "enabled", "budget_tokens": 1024}, "AA", max_tokens=4000),
    _field("thread", {"type": "create"}, "DD"),
    Case("field", "thread, continue", {"thread": {"type": "continue", "previous_message_id": "x"}}, "RR"),
    _field("tool_choice", {"type": "any"}, "MM", tools=[_TOOL]),
    _field("tools", [_TOOL], "MM"),
    _field("top_k", 5, "DD"),
    _field("top_p", 0.5, "MM"),
    _field("user_profile_id", "x", "RR"),
    _field("workspace_id", "x", "RR"),
    Case("message", "user", {"messages": [{"role": "user", "content": "Hello"}]}, "MM"),
    Case("message", "assistant", _assistant(), "MM"),
    Case("message", "system", {"messages": [_HI, {"role": "system", "content": "Be short."}]}, "MM"),
    Case(
        "message",
        "system.clear_at",
        {"messages": [_HI, {"role": "system", "content": "x", "clear_at": {"type": "y"}}]},
        "RR",
    ),
    Case(
        "message",
        "system.output_config",
        {"messages": [_HI, {"role": "system", "content": "x", "output_config": {"effort": "low"}}]},
        "RR",
    ),
    _block("text", "MM", text="there"),
    _block("text.cache_control", "MM", text="there", cache_control={"type": "ephemeral"}),
    _block("text.cache_control.ttl", "AA", text="there", cache_control={"type": "ephemeral", "ttl": "1h"}),
    _said("text.citations", "DD", text="grass", citations=[_CITATION]),
    _block("image", "MM", source=_PNG),
    _block("image, url", "MM", source={"type": "url", "url": "https://x.invalid/a.png"}),
    _block("image, file", "RR", source={"type": "file", "file_id": "file_1"}),
    _block("image.transformations", "DD", source=_PNG, transformations={"oversized_image": "error"}),
    _block("document", "MM", source=_PDF),
    _block("document, url", "FM", source={"type": "url", "url": "https://x.invalid/a.pdf"}),
    _block("document, file", "RR", source={"type": "file", "file_id": "file_1"}),
    _block("document, text", "AA", source=_PLAIN),
    _block("document, content", "AA", source={"type": "content", "content": [_TEXT]}),
    _block("document.citations", "DD", source=_PDF, citations={"enabled": True}),
    _block("document.context", "AM", source=_PDF, context="c"),
    _block("search_result", "AA", source="https://x.invalid/", title="T", content=[_TEXT]),
    _said("thinking", "DD", thinking="hm", signature="c2ln"),
    _said("redacted_thinking", "DD", data="b3Bh"),
    _said("tool_use", "MM", id="toolu_1", name="f", input={"x": 1}),
    _answered("tool_result", "MM", content="2"),
    _answered("tool_result, image", "AM", content=[{"type": "image", "source": _PNG}]),
    _answered("tool_result, document", "AM", content=[{"type": "document", "source": _PDF}]),
    _answered(
        "tool_result, search_result",
        "AA",
        content=[{"type": "search_result", "source": "s", "title": "T", "content": [_TEXT]}],
    ),
    _answered("tool_result, tool_reference", "RR", content=[{"type": "tool_reference", "tool_name": "f"}]),
    _answered("tool_result, browser_state", "RR", content=[{"type": "browser_state", "url": "https://x.invalid/"}]),
    _answered("tool_result.is_error", "AA", is_error=True),
    _said("server_tool_use", "DD", id="srvtoolu_1", name="web_search", input={"query": "x"}),
    Case(
        "block",
        "web_search_tool_result",
        _assistant(_SEARCHED, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [_FOUND]}),
        "DD",
        _assistant(),
    ),
    _result_of("web_fetch_tool_result", type="web_fetch_tool_result_error", error_code="unavailable"),
    _result_of(
        "code_execution_tool_result", type="code_execution_result", stdout="", stderr="", return_code=0, content=[]
    ),
    _result_of(
        "bash_code_execution_tool_result",
        type="bash_code_execution_result",
        stdout="",
        stderr="",
        return_code=0,
        content=[],
    ),
    _result_of(
        "text_editor_code_execution_tool_result", type="text_editor_code_execution_create_result", is_file_update=False
    ),
    _result_of("tool_search_tool_result", type="tool_search_tool_search_result", tool_references=[]),
    _result_of("advisor_tool_result", type="advisor_result", text="x"),
    _said("mcp_tool_use", "DD", id="mcptoolu_1", name="t", server_name="m", input={}),
    _said("mcp_tool_result", "DD", tool_use_id="mcptoolu_1", content="x", is_error=False),
    _said("mcp_tool_listing", "DD", server_name="m", tools=[]),
    _said("compaction", "AA", content="So far: …"),
    _said("fallback", "DD", model="x"),
    _block("container_upload", "RR", file_id="file_1"),
    Case(
        "block",
        "tool_addition",
        {
            "messages": [
                _HI,
                {
                    "role": "system",
                    "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "tool_name": "f"}}],
                },
            ]
        },
        "RR",
    ),
    Case(
        "block",
        "tool_removal",
        {
            "messages": [
                _HI,
                {
                    "role": "system",
                    "content": [{"type": "tool_removal", "tool": {"type": "tool_reference", "tool_name": "f"}}],
                },
            ]
        },
        "RR",
    ),
    Case("tool", "custom", {"tools": [{**_TOOL, "type": "custom"}]}, "MM"),
    Case(
        "tool", "custom.cache_control", {"tools": [{**_TOOL, "cache_control": {"type": "ephemeral"}}]}, "AA", _WITH_TOOL
    ),
    Case("tool", "custom.defer_loading", {"tools": [{**_TOOL, "defer_loading": True}]}, "DD", _WITH_TOOL),
    Case("tool", "custom.input_examples", {"tools": [{**_TOOL, "input_examples": [{"x": 1}]}]}, "DD", _WITH_TOOL),
    *(_tool(f"bash_{date}", "AA", "bash") for date in ("20241022", "20250124")),
    *(_tool(f"text_editor_{date}", "AA", "str_replace_editor") for date in ("20241022", "20250124")),
    *(_tool(f"text_editor_{date}", "AA", "str_replace_based_edit_tool") for date in ("20250429", "20250728")),
    _tool("memory_20250818", "AA", "memory"),
    *(
        _tool(f"computer_{date}", "RR", "computer", display_width_px=800, display_height_px=600)
        for date in ("20241022", "20250124", "20251124")
    ),
    *(_tool(f"{kind}_toolset_20260801", "RR") for kind in ("browser", "computer")),
    *(_tool(f"web_search_{date}", "RM", "web_search") for date in ("20250305", "20260209", "20260318")),
    *(_tool(f"web_fetch_{date}", "RR", "web_fetch") for date in ("20250910", "20260209", "20260309", "20260318")),
    *(
        _tool(f"code_execution_{date}", "RR", "code_execution")
        for date in ("20250522", "20250825", "20260120", "20260521")
    ),
    *(
        _tool(f"tool_search_tool_{kind}", "RR", "tool_search")
        for kind in ("bm25_20251119", "bm25", "regex_20251119", "regex")
    ),
    _tool("advisor_20260301", "RR", "advisor", model="x"),
    _tool("mcp_toolset", "RM", mcp_server_name="m"),
    _choice("auto"),
    _choice("any"),
    _choice("tool", name="f"),
    _choice("none"),
    Case(
        "tool choice",
        "auto.disable_parallel_tool_use",
        {**_WITH_TOOL, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        "MM",
        _WITH_TOOL,
    ),
    Case(
        "thinking",
        "enabled",
        {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "AA",
        {"max_tokens": 4000},
    ),
    Case("thinking", "adaptive", {"thinking": {"type": "adaptive"}}, "KM"),
    Case("thinking", "disabled", {"thinking": {"type": "disabled"}}, "MM"),
    Case("thinking", "between_tools", {"thinking": {"type": "between_tools"}}, "AA"),
    Case(
        "thinking",
        "adaptive.display",
        {"thinking": {"type": "adaptive", "display": "omitted"}},
        "KM",
        {"thinking": {"type": "adaptive"}},
    ),
    Case(
        "output format", "json_schema", {"output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}}}, "MM"
    ),
)
