from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.notes import Rejected
from tests.providers.wire.responses.building import OPENAI, STRANGER, built, request

SCORE = {"model": "m", "policy": {"input": {"mode": "score"}}}
BLOCK = {"model": "m", "policy": {"output": {"mode": "block"}}}


@pytest.mark.parametrize(
    ("dialect", "extra", "target", "expected", "notes"),
    [
        ("chat", {"seed": 1, "logit_bias": {"1": 2}}, OPENAI, {}, "dropped=seed,logit_bias"),
        ("chat", {"presence_penalty": 0, "store": False}, OPENAI, {}, ""),
        ("chat", {"store": True}, OPENAI, {}, "dropped=store"),
        ("chat", {"n": 1, "logprobs": False, "top_logprobs": 0}, OPENAI, {}, ""),
        ("chat", {"modalities": ["text"], "reasoning.exclude": True}, OPENAI, {}, ""),
        ("chat", {"metadata": {"a": "b"}}, OPENAI, {"metadata": {"a": "b"}}, ""),
        ("chat", {"metadata": {"a": "b"}}, STRANGER, {}, "dropped=metadata"),
        ("chat", {"prompt_cache_key": "k"}, OPENAI, {"prompt_cache_key": "k"}, ""),
        ("chat", {"verbosity": "low"}, OPENAI, {"text": {"verbosity": "low"}}, ""),
        ("chat", {"verbosity": "low"}, STRANGER, {}, "dropped=verbosity"),
        ("chat", {"moderation": SCORE}, OPENAI, {"moderation": SCORE}, ""),
        ("chat", {"moderation": SCORE}, STRANGER, {}, "dropped=moderation"),
        ("chat", {"stream_options.include_obfuscation": True}, OPENAI, {}, ""),
        ("chat", {"something_new": 1}, OPENAI, {}, "dropped=something_new"),
        (
            "messages",
            {"context_management": {}, "diagnostics": {}},
            OPENAI,
            {},
            "dropped=context_management,diagnostics",
        ),
        ("messages", {"speed": "standard", "mcp_servers": []}, OPENAI, {}, ""),
        ("messages", {"speed": "fast"}, OPENAI, {}, "dropped=speed"),
        ("messages", {"thread": {"type": "create"}}, OPENAI, {}, "dropped=thread"),
        ("messages", {"output_config.task_budget": {}}, OPENAI, {}, "dropped=output_config.task_budget"),
    ],
)
def test_each_field_has_its_decision(
    dialect: str, extra: dict[str, Any], target: Capabilities, expected: dict[str, Any], notes: str
) -> None:
    body, said = built(request(Dialect(dialect), extra=extra), target)
    assert {name: body[name] for name in body if name not in ("model", "store", "input", "include")} == expected
    assert said == notes


def test_padding_is_for_streams() -> None:
    extra = {"stream_options.include_obfuscation": False}
    body, _ = built(request(Dialect.CHAT, extra=extra, stream=True))
    assert (body["stream"], body["stream_options"]) == (True, {"include_obfuscation": False})
    assert "stream_options" not in built(request(Dialect.CHAT, extra=extra, stream=True), STRANGER)[0]


@pytest.mark.parametrize(
    ("dialect", "name", "value"),
    [
        ("chat", "n", 2),
        ("chat", "logprobs", True),
        ("chat", "top_logprobs", 3),
        ("chat", "modalities", ["text", "audio"]),
        ("chat", "audio", {"voice": "x"}),
        ("chat", "moderation", BLOCK),
        ("messages", "container", "c"),
        ("messages", "inference_geo", "eu"),
        ("messages", "workspace_id", "w"),
        ("messages", "thread", {"type": "continue"}),
    ],
)
def test_what_would_change_the_answer_is_refused(dialect: str, name: str, value: object) -> None:
    with pytest.raises(Rejected, match=name) as refused:
        built(request(Dialect(dialect), extra={name: value}), STRANGER)
    assert refused.value.field == name
