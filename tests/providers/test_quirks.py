"""What is known of servers and model families, and how the registry corrects it."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from providers.errors import ConfigurationError
from providers.kinds import KINDS
from providers.model_facts import FAMILIES, SERVERS, Facts
from providers.quirks import capabilities
from providers.registry import load
from providers.registry_quirks import Effort, ProviderQuirksEntry, QuirksEntry, Server
from providers.wire.capabilities import Capabilities

ROOT = Path(__file__).resolve().parents[2]
EFFORTS = get_args(Effort)


def test_facts_are_the_fields_of_capabilities() -> None:
    assert get_type_hints(Facts) == {field.name: field.type for field in fields(Capabilities)}


def test_every_fact_can_be_corrected_and_is_explained() -> None:
    names = {name.removeprefix("accepts_") for name in QuirksEntry.model_fields}
    assert names == set(get_type_hints(Facts))
    manual = (ROOT / "registry.yaml").read_text("utf-8")
    assert [name for name in ProviderQuirksEntry.model_fields if f" {name}" not in manual] == []
    assert set(get_args(Server)) == set(SERVERS)
    assert all(server in manual for server in SERVERS)


def test_rows_name_servers_that_exist_and_facts_of_the_right_type() -> None:
    assert {server for row in FAMILIES for server in row.servers} <= set(SERVERS)
    hints = get_type_hints(Facts)
    for facts in (*SERVERS.values(), *(row.facts for row in FAMILIES)):
        for name, value in facts.items():
            wanted = hints[name] if isinstance(hints[name], type) else tuple
            assert isinstance(value, wanted), name
            re.compile(str(value) if name == "tool_id" else "")
        efforts = facts.get("effort", ())
        assert tuple(effort for effort in EFFORTS if effort in efforts) == efforts


def test_kinds_without_a_row_are_strangers() -> None:
    assert set(KINDS) - set(SERVERS) == {"compatible", "demo"}
    assert capabilities("compatible", "some-model") == Capabilities()


CLAUDE = "anthropic"
NEWEST = {
    "temperature": False,
    "top_p": False,
    "top_k": False,
    "prefill": False,
    "mid_system": True,
    "adaptive_thinking": True,
    "effort": ("none", "low", "medium", "high", "xhigh", "max"),
    "structured": "json_schema",
    "signatures": "anthropic-claude-v1",
    "tool_name_length": 128,
    "cache_marks": "anthropic",
    "temperature_max": 1.0,
}
V46 = {**NEWEST, "temperature": True, "top_p": True, "top_k": True, "mid_system": False}
V46["effort"] = ("none", "low", "medium", "high", "max")
V45 = {**V46, "prefill": True, "adaptive_thinking": False, "effort": ("none", "low", "medium", "high")}
V4 = {**V45, "structured": ""}
V35 = {**V4, "effort": (), "thinking_disabled": False}
GPT = {
    "token_limit": "max_completion_tokens",
    "system_role": "developer",
    "temperature": False,
    "stop_most": 0,
    "cache_marks": "openai",
    "effort": ("none", "low", "medium", "high", "xhigh", "max"),
    "openai_extras": True,
    "structured": "json_schema",
}
CHATTY = {**GPT, "system_role": "system", "temperature": True, "stop_most": 4, "cache_marks": "", "effort": ()}
MISTRAL = {"tool_id": "[a-zA-Z0-9]{9}", "tool_id_length": 9}


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [
        *((CLAUDE, f"claude-{name}", NEWEST) for name in ("opus-4-8", "opus-5-5", "sonnet-5", "haiku-5-5", "fable-5")),
        (CLAUDE, "claude-opus-4-8-20260601", NEWEST),
        (CLAUDE, "claude-opus-4-7", {**NEWEST, "mid_system": False}),
        (CLAUDE, "claude-mythos-preview", {**NEWEST, "mid_system": False}),
        *((CLAUDE, f"claude-{name}", V46) for name in ("opus-4-6", "sonnet-4-6")),
        *((CLAUDE, f"claude-{name}", V45) for name in ("opus-4-5", "haiku-4-5-20251001", "sonnet-4-5@20250929")),
        (CLAUDE, "claude-opus-4-1-20250805", {**V4, "default_max_tokens": 32_000}),
        (CLAUDE, "claude-opus-4-20250514", {**V4, "default_max_tokens": 32_000}),
        (CLAUDE, "claude-sonnet-4-20250514", {**V4, "default_max_tokens": 64_000}),
        (CLAUDE, "claude-3-7-sonnet-20250219", {**V4, "default_max_tokens": 64_000}),
        (CLAUDE, "claude-3-5-haiku-20241022", {**V35, "default_max_tokens": 8_192}),
        (CLAUDE, "claude-3-haiku-20240307", {**V35, "default_max_tokens": 4_096}),
        (CLAUDE, "claude-2.1", {**V35, "default_max_tokens": 4_096}),
        ("openai", "gpt-6.1-sol", GPT),
        ("openai", "gpt-5.6-luna", GPT),
        (
            "openai",
            "gpt-5.5-2026-04-23",
            {**GPT, "cache_marks": "", "effort": ("none", "low", "medium", "high", "xhigh")},
        ),
        ("openai", "gpt-5.2-pro", {"effort": ("medium", "high", "xhigh"), "cache_marks": ""}),
        ("openai", "gpt-5.1-codex", {**GPT, "cache_marks": "", "effort": ("none", "low", "medium", "high")}),
        ("openai", "gpt-5-mini", {**GPT, "cache_marks": "", "effort": ("minimal", "low", "medium", "high")}),
        ("openai", "gpt-5-pro-2025-10-06", {"effort": ("high",)}),
        ("openai", "gpt-5-chat-latest", CHATTY),
        ("openai", "gpt-5.2-chat-latest", CHATTY),
        ("openai", "o4-mini", {**GPT, "cache_marks": "", "effort": ("low", "medium", "high")}),
        ("openai", "o1", {"stop_most": 4, "effort": ("low", "medium", "high")}),
        ("openai", "o1-mini", {"effort": (), "completions": False}),
        ("openai", "gpt-3.5-turbo-instruct", {**CHATTY, "structured": "json_object", "completions": True}),
        *(("openai", name, CHATTY) for name in ("gpt-4.1-nano", "gpt-4o-2024-11-20", "ft:gpt-4o-mini:x::y")),
        ("openai", "chatgpt-4o-latest", CHATTY),
        ("openai", "gpt-4-turbo", {**CHATTY, "structured": "json_object"}),
        ("openai", "gpt-3.5-turbo-0125", {**CHATTY, "structured": "json_object"}),
        ("openai", "gpt-4-0613", {**CHATTY, "structured": ""}),
        ("openai", "gpt-4", {**CHATTY, "structured": ""}),
        (
            "openrouter",
            "anthropic/claude-opus-4.8",
            {"cache_marks": "anthropic", "prefill": False, "temperature": True},
        ),
        ("openrouter", "anthropic/claude-sonnet-4.5:beta", {"cache_marks": "anthropic", "prefill": True}),
        ("openrouter", "google/gemini-3-pro", {"signatures": "google-gemini-v1", "reasoning_details": True}),
        ("openrouter", "openai/gpt-5", {"signatures": "openai-responses-v1", "system_role": "system"}),
        ("openrouter", "x-ai/grok-4", {"signatures": "xai-responses-v1"}),
        ("openrouter", "mistralai/mistral-large", MISTRAL),
        ("openrouter", "z-ai/glm-5", {"signatures": "", "cache_marks": "", "reasoning_back": "reasoning"}),
        ("llamacpp", "Ministral-8B-Q4_K_M.gguf", {**MISTRAL, "prefill": True}),
        ("llamacpp", "qwen3-8b", {"tool_id_length": 64, "reasoning_back": "reasoning_content"}),
    ],
)
def test_what_is_known_of_a_model(kind: str, model: str, expected: dict[str, object]) -> None:
    made = capabilities(kind, model)
    assert {name: getattr(made, name) for name in expected} == expected


def registry(tmp_path: Path, text: str) -> dict[str, Capabilities]:
    (tmp_path / "registry.yaml").write_text(text)
    loaded = load({}, tmp_path, root=None)
    return {name: loaded.resolve(name).targets[0].capabilities(name) for name in ("groq/m", "far/m", "alias", "second")}


def test_the_registry_corrects_by_provider_then_by_route(tmp_path: Path) -> None:
    made = registry(
        tmp_path,
        """
providers:
  groq: {kind: compatible, base_url: "https://a.example/v1"}
  far:
    kind: compatible
    base_url: https://b.example/v1
    quirks: {like: mistral, accepts_prefill: true, effort: [high, none], temperature_max: 1}
models:
  alias: {target: far/gpt, quirks: {accepts_prefill: false, stop_most: 2}}
  second: {target: alias, quirks: {stop_most: 3}}
""",
    )
    assert made["groq/m"] == capabilities("groq", "m")
    assert made["groq/m"].reasoning_back == "reasoning"
    far = made["far/m"]
    assert (far.tool_id_length, far.prefill, far.effort, far.temperature_max) == (9, True, ("none", "high"), 1)
    alias, second = made["alias"], made["second"]
    assert (alias.tool_id_length, alias.prefill, alias.stop_most) == (9, False, 2)
    assert (second.prefill, second.stop_most) == (False, 3)


@pytest.mark.parametrize(
    ("quirks", "said"),
    [
        ("accepts_prefil: true", "did you mean 'accepts_prefill'?"),
        ("like: groqq", "did you mean 'groq'?"),
        ("accepts_prefill: 1", "must be true or false"),
        ("tool_id: '['", "is no regular expression"),
        ("token_limit: max_token", "did you mean 'max_tokens'?"),
        ("effort: [hgh]", "did you mean 'high'?"),
        ("tool_name_length: 9", "64"),
        ("temperature_max: .inf", "finite"),
    ],
)
def test_a_wrong_quirk_names_its_place_and_the_nearest_spelling(tmp_path: Path, quirks: str, said: str) -> None:
    text = f"providers:\n  far:\n    kind: compatible\n    base_url: https://b.example/v1\n    quirks: {{{quirks}}}\n"
    with pytest.raises(ConfigurationError) as caught:
        registry(tmp_path, text)
    assert said in str(caught.value)
    assert re.search(r"registry\.yaml:5:\d+: providers\.far\.quirks", str(caught.value))


def test_a_route_has_no_like(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.x\.quirks\.like: is no field here"):
        registry(tmp_path, "models:\n  x: {target: local/y, quirks: {like: groq}}\n")


@pytest.mark.parametrize(
    ("server", "downloads"),
    [("anthropic", True), ("openai", True), ("openrouter", True), ("llamacpp", False), ("ollama", False), ("?", False)],
)
def test_who_downloads_pictures_itself(server: str, downloads: bool) -> None:
    assert capabilities(server, "m").image_urls is downloads
    assert capabilities(server, "m", ({"image_urls": not downloads},)).image_urls is not downloads
