"""Fields without a neutral place: the table of each client dialect."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.chat.build_extra import DECISIONS
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Text
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import OPENAI, PLAIN, built, request, user

A, R, C = Dialect.MESSAGES, Dialect.RESPONSES, Dialect.CHAT
BLOCKING = {"model": "x", "policy": {"output": {"mode": "block"}}}
SCORING = {"model": "x", "policy": {"output": {"mode": "score"}}}
DROPPED: list[tuple[Dialect, str, Any]] = [
    (A, "betas", ["x"]),
    (A, "context_management", {"edits": []}),
    (A, "diagnostics", {"x": 1}),
    (A, "fallbacks", "default"),
    (A, "fallback_credit_token", "t"),
    (A, "metadata", {"a": "b"}),
    (A, "output_config.task_budget", {"total": 1}),
    (A, "speed", "fast"),
    (A, "thread", {"type": "create"}),
    (A, "never_heard_of", 1),
    (R, "access_programs", {}),
    (R, "client_metadata", {"a": "b"}),
    (R, "context_management", []),
    (R, "image", {}),
    (R, "max_tool_calls", 3),
    (R, "metadata", {"a": "b"}),
    (R, "moderation", SCORING),
    (R, "prompt_cache_key", "k"),
    (R, "prompt_cache_options", {"mode": "explicit"}),
    (R, "prompt_cache_retention", "24h"),
    (R, "store", True),
    (R, "text.verbosity", "low"),
    (R, "truncation", "auto"),
    (R, "never_heard_of", 1),
]
REFUSED: list[tuple[Dialect, str, Any, str]] = [
    (A, "billing_policy", {"bill_to": "user_profile"}, "billing_policy"),
    (A, "compaction", {"type": "summarize"}, "compaction"),
    (A, "container", "c", "container"),
    (A, "inference_geo", "eu", "inference_geo"),
    (A, "mcp_servers", [{"name": "s"}], "mcp_servers"),
    (A, "thread", {"type": "continue", "previous_message_id": "m"}, "thread"),
    (A, "user_profile_id", "u", "user_profile_id"),
    (A, "workspace_id", "w", "workspace_id"),
    (R, "background", True, "background"),
    (R, "conversation", "c", "conversation"),
    (R, "include", ["message.output_text.logprobs"], "include.message.output_text.logprobs"),
    (R, "item_reference", [{"id": "i"}], "item_reference"),
    (R, "moderation", BLOCKING, "moderation.policy"),
    (R, "previous_response_id", "r", "previous_response_id"),
    (R, "prompt", {"id": "p"}, "prompt"),
    (R, "top_logprobs", 3, "top_logprobs"),
    (C, "n", 2, "n"),
]
SILENT: list[tuple[Dialect, str, Any]] = [
    (A, "billing_policy", {"bill_to": "self"}),
    (R, "background", False),
    (R, "include", ["reasoning.encrypted_content"]),
    (R, "store", False),
    (R, "truncation", "disabled"),
    (R, "top_logprobs", 0),
    (C, "stream_options.include_obfuscation", True),
]
CARRIED: list[tuple[Dialect, str, Any, str, Capabilities]] = [
    (R, "metadata", {"a": "b"}, "metadata", OPENAI),
    (R, "moderation", BLOCKING, "moderation", OPENAI),
    (R, "prompt_cache_key", "k", "prompt_cache_key", OPENAI),
    (R, "prompt_cache_options", {"mode": "explicit"}, "prompt_cache_options", OPENAI),
    (R, "prompt_cache_retention", "24h", "prompt_cache_retention", OPENAI),
    (R, "text.verbosity", "low", "verbosity", OPENAI),
    (C, "seed", 7, "seed", Capabilities()),
    (C, "a_servers_own", 7, "a_servers_own", Capabilities()),
]


def decided(dialect: Dialect, name: str, value: Any, target: Capabilities = PLAIN) -> tuple[dict[str, Any], str]:
    body, notes = built(request(user(Text("Hi")), dialect=dialect, extra={name: value}), target)
    return body, notes.header()


@pytest.mark.parametrize(("dialect", "name", "value"), DROPPED)
def test_dropped(dialect: Dialect, name: str, value: Any) -> None:
    body, note = decided(dialect, name, value)
    assert body.keys() == {"model", "messages"}
    assert note == f"dropped={name}"


@pytest.mark.parametrize(("dialect", "name", "value", "path"), REFUSED)
def test_refused(dialect: Dialect, name: str, value: Any, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        decided(dialect, name, value)
    assert caught.value.field == path


@pytest.mark.parametrize(("dialect", "name", "value"), SILENT)
def test_nothing_to_say(dialect: Dialect, name: str, value: Any) -> None:
    body, note = decided(dialect, name, value)
    assert (set(body), note) == ({"model", "messages"}, "")


@pytest.mark.parametrize(("dialect", "name", "value", "field", "target"), CARRIED)
def test_carried(dialect: Dialect, name: str, value: Any, field: str, target: Capabilities) -> None:
    body, note = decided(dialect, name, value, target)
    assert (body[field], note) == (value, "")


def test_an_addition_is_a_hint() -> None:
    assert decided(R, "include", ["web_search_call.results"])[1] == "dropped=include.web_search_call.results"


def test_every_decision_has_a_case() -> None:
    shown = {(case[0], case[1]) for table in (DROPPED, REFUSED, SILENT, CARRIED) for case in table}
    assert set(DECISIONS) <= shown
