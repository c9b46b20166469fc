"""Fields without a neutral place: one decision each."""

from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.messages.extras import DECISIONS, drop
from providers.wire.neutral import Tool
from providers.wire.notes import Rejected
from tests.providers.wire.messages.building_play import body_of, noted

CHAT, RESPONSES = Dialect.CHAT, Dialect.RESPONSES
BLOCK = {"model": "m", "policy": {"input": {"mode": "block"}}}
SCORE = {"model": "m", "policy": {"input": {"mode": "score"}, "output": None}}


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for (dialect, name), decision in DECISIONS.items() if decision is drop]
)
def test_hints_are_left_out(dialect: Dialect, name: str) -> None:
    assert noted(dialect=dialect, extra={name: "x"}) == f"dropped={name}"
    assert body_of(dialect=dialect, extra={name: "x"}) == body_of(dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "name", "value"),
    [
        (CHAT, "n", 2),
        (CHAT, "logprobs", True),
        (CHAT, "top_logprobs", 3),
        (CHAT, "audio", {"voice": "x"}),
        (CHAT, "modalities", ["text", "audio"]),
        (RESPONSES, "previous_response_id", "resp_1"),
        (RESPONSES, "conversation", "conv_1"),
        (RESPONSES, "prompt", {"id": "p"}),
        (RESPONSES, "background", True),
        (RESPONSES, "top_logprobs", 1),
        (RESPONSES, "item_reference", [{"id": "x"}]),
    ],
)
def test_what_would_change_the_answer_is_refused(dialect: Dialect, name: str, value: object) -> None:
    with pytest.raises(Rejected, match=name) as refused:
        body_of(dialect=dialect, extra={name: value})
    assert refused.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("logprobs", False),
        ("top_logprobs", 0),
        ("presence_penalty", 0.0),
        ("modalities", ["text"]),
        ("store", None),
        ("metadata", {}),
        ("stream_options.include_obfuscation", True),
    ],
)
def test_what_asks_for_nothing(name: str, value: object) -> None:
    assert noted(extra={name: value}) == ""


def test_zero_may_ask_for_something() -> None:
    assert noted(extra={"seed": 0}) == "dropped=seed"


def test_an_unknown_field_is_a_hint() -> None:
    assert noted(extra={"min_p": 0.1}) == "dropped=min_p"


@pytest.mark.parametrize("dialect", [CHAT, RESPONSES])
def test_moderation(dialect: Dialect) -> None:
    assert noted(dialect=dialect, extra={"moderation": SCORE}) == "dropped=moderation"
    with pytest.raises(Rejected) as refused:
        body_of(dialect=dialect, extra={"moderation": BLOCK})
    assert refused.value.field == "moderation.policy"


@pytest.mark.parametrize("tools", [(), (Tool("function", "f"),)])
def test_web_search_options(tools: tuple[Tool, ...]) -> None:
    options: dict[str, Any] = {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": {"city": "Brno"}},
    }
    body = body_of(tools=tools, extra={"web_search_options": options})
    assert body["tools"][-1]["user_location"] == {"type": "approximate", "city": "Brno"}
    assert len(body["tools"]) == len(tools) + 1
    assert noted(tools=tools, extra={"web_search_options": options}) == "approximated=web_search_options"


def test_include() -> None:
    entries = ["reasoning.encrypted_content", "file_search_call.results"]
    assert noted(dialect=RESPONSES, extra={"include": entries}) == "dropped=include.file_search_call.results"
    with pytest.raises(Rejected):
        body_of(dialect=RESPONSES, extra={"include": ["message.output_text.logprobs"]})


def test_a_cache_is_warmed_with_no_token() -> None:
    assert body_of(dialect=RESPONSES, extra={"prompt_cache_options": {"prewarm": True}})["max_tokens"] == 0
    options = {"prompt_cache_options": {"ttl": "12h"}}
    assert body_of(dialect=RESPONSES, extra=options)["max_tokens"] > 0
    assert noted(dialect=RESPONSES, extra=options) == "dropped=prompt_cache_options"
