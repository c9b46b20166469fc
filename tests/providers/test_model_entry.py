"""One model of the list: read from what each server really says, told in both shapes."""

import anthropic
import pytest
from anthropic.types import ModelInfo
from openai.types import Model
from pydantic import JsonValue

from providers.kinds import KINDS
from providers.model_entry import (
    ModelEntry,
    anthropic_model,
    anthropic_shape,
    entries_from,
    openai_model,
    openai_shape,
    static_entry,
)

LOCAL = KINDS["llamacpp"](name="local", base_url="http://h")
OTHER = KINDS["openrouter"](name="openrouter", base_url="http://h")

# llama-server, one model (b7000 and later)
SINGLE: JsonValue = {
    "models": [{"name": "tiny", "model": "tiny", "capabilities": ["completion", "multimodal"]}],
    "object": "list",
    "data": [
        {
            "id": "tiny",
            "aliases": ["tiny", "small"],
            "object": "model",
            "created": 1763600000,
            "owned_by": "llamacpp",
            "meta": {"n_vocab": 300, "n_ctx_train": 65536, "n_params": 1000},
        }
    ],
}
# llama-server as a router
ROUTER: JsonValue = {
    "object": "list",
    "data": [
        {"id": "a:Q4", "object": "model", "in_cache": True, "status": {"value": "loaded", "args": ["--ctx", "1"]}},
        {"id": "b:Q8", "object": "model", "in_cache": True, "status": {"value": "unloaded", "failed": True}},
    ],
}
ANTHROPIC: JsonValue = {
    "data": [
        {
            "type": "model",
            "id": "claude-x",
            "display_name": "Claude X",
            "created_at": "2026-02-01T00:00:00Z",
            "max_input_tokens": 200000,
            "max_tokens": 64000,
        }
    ],
    "has_more": False,
}
OPENROUTER: JsonValue = {
    "data": [
        {
            "id": "anthropic/claude-x",
            "name": "Claude X",
            "created": 1763600000.0,
            "context_length": 200000,
            "architecture": {"input_modalities": ["text", "image", "file"]},
            "pricing": {"prompt": "0.01"},
            "status": "weird",
        }
    ]
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (SINGLE, [("tiny", 65536, ("text", "image"), 1763600000, "loaded")]),
        (ROUTER, [("a:Q4", None, None, None, "loaded"), ("b:Q8", None, None, None, "unloaded")]),
    ],
)
def test_local_lists(answer: JsonValue, expected: list[object]) -> None:
    read = entries_from(LOCAL, answer)
    assert [(e.id, e.context_length, e.modalities, e.created, e.status) for e in read] == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ANTHROPIC, ("claude-x", 200000, None, 1769904000)),
        (
            {"data": [{"id": "c", "capabilities": {"image_input": {"supported": True}}}]},
            ("c", None, ("text", "image"), None),
        ),
        (OPENROUTER, ("anthropic/claude-x", 200000, ("text", "image", "file"), 1763600000)),
        ({"data": [{"id": "v", "max_model_len": 32768}]}, ("v", 32768, None, None)),
        ({"data": [{"id": "g", "context_window": 8192, "created": 0}]}, ("g", 8192, None, None)),
        ({"data": [{"id": "m", "max_context_length": 9, "created_at": "?"}]}, ("m", 9, None, None)),
        ({"data": [{"id": "b", "context_length": True, "architecture": 3, "created": True}]}, ("b", None, None, None)),
        ({"data": [{"id": "t", "capabilities": {"image_input": {"supported": False}}}]}, ("t", None, ("text",), None)),
    ],
)
def test_external_lists(answer: JsonValue, expected: tuple[object, ...]) -> None:
    (entry,) = entries_from(OTHER, answer)
    assert (entry.id, entry.context_length, entry.modalities, entry.created) == expected
    assert (entry.status, entry.owned_by) == ("external", "openrouter")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        3,
        [],
        {},
        {"data": None},
        {"data": [1, {}, {"id": 3}, {"id": ""}, {"id": None}]},
        {"data": [], "models": 3},
    ],
)
def test_what_is_no_list_is_empty(answer: JsonValue) -> None:
    assert entries_from(OTHER, answer) == []


def test_openai_shape_keeps_the_providers_fields_and_satisfies_the_sdk() -> None:
    told = openai_shape([*entries_from(OTHER, OPENROUTER), *entries_from(LOCAL, ROUTER), static_entry(OTHER, "s")])
    assert told["object"] == "list"
    assert isinstance(told["data"], list)
    for model in told["data"]:
        Model.model_validate(model, strict=True)
    external, loaded, _, static = told["data"]
    assert isinstance(external, dict)
    assert isinstance(loaded, dict)
    assert isinstance(static, dict)
    assert (external["owned_by"], external["status"], external["pricing"]) == (
        "openrouter",
        {"value": "external"},
        {"prompt": "0.01"},
    )
    assert (external["context_length"], external["modalities"]) == (200000, ["text", "image", "file"])
    assert loaded["status"] == {"value": "loaded", "args": ["--ctx", "1"]}
    assert (static["id"], static["created"]) == ("s", 0)
    assert "context_length" not in static


def test_no_external_entry_is_ever_loaded() -> None:
    liar: JsonValue = {"data": [{"id": "x", "status": {"value": "loaded"}}]}
    (entry,) = entries_from(OTHER, liar)
    assert openai_model(entry)["status"] == {"value": "external"}
    assert anthropic_model(entry)["status"] == {"value": "external"}


@pytest.mark.parametrize("answer", [SINGLE, ROUTER, ANTHROPIC, OPENROUTER])
def test_anthropic_shape_satisfies_the_sdk(answer: JsonValue) -> None:
    told = anthropic_shape(entries_from(OTHER, answer))
    assert isinstance(told["data"], list)
    for model in told["data"]:
        info = ModelInfo.model_validate(model)
        assert info.type == "model"
        assert info.display_name
    assert (told["first_id"], told["has_more"]) == (entries_from(OTHER, answer)[0].id, False)
    assert anthropic.__version__


ENTRIES = [ModelEntry(name, "p", name) for name in "abcde"]


@pytest.mark.parametrize(
    ("after_id", "before_id", "limit", "ids", "more"),
    [
        (None, None, 1000, "abcde", False),
        (None, None, 2, "ab", True),
        ("b", None, 2, "cd", True),
        ("d", None, 2, "e", False),
        ("e", None, 2, "", False),
        ("gone", None, 2, "", False),
        (None, "d", 2, "bc", True),
        (None, "b", 2, "a", False),
        (None, "gone", 2, "", False),
        ("a", "e", 2, "bc", True),
        (None, None, 0, "a", True),
        (None, None, 5000, "abcde", False),
    ],
)
def test_pages(after_id: str | None, before_id: str | None, limit: int, ids: str, more: bool) -> None:
    page = anthropic_shape(ENTRIES, after_id, before_id, limit)
    assert isinstance(page["data"], list)
    assert "".join(str(model["id"]) for model in page["data"] if isinstance(model, dict)) == ids
    assert page["has_more"] is more
    assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


def test_paging_through_gives_each_entry_once() -> None:
    seen: list[str] = []
    after: str | None = None
    for _ in range(10):
        page = anthropic_shape(ENTRIES, after, limit=2)
        assert isinstance(page["data"], list)
        seen += [str(model["id"]) for model in page["data"] if isinstance(model, dict)]
        after = str(page["last_id"])
        if not page["has_more"]:
            break
    assert seen == list("abcde")
