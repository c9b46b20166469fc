"""What a provider is sent that goes on with an answer, and for which calls there is one."""

import json
from pathlib import Path

import pytest

from providers.calls import ClientRequest, ReadCall, read_call
from providers.continuing import resumable, with_answer
from providers.registry import Registry, load
from providers.targeting import Targeting
from providers.wire.endpoints import endpoint_of
from tests.fake_dialects import Json

REGISTRY = """
providers:
  local: {kind: llamacpp}
  bare: {kind: compatible, base_url: "http://127.0.0.1:9902/v1"}
models:
  saved: {targets: [bare/a, local/b, bare/c], rescue: prefill}
  late: {targets: [bare/a, bare/b], rescue: prefill}
  plain: {targets: [bare/a, local/b]}
  locked: {targets: [bare/a, anthropic/claude-sonnet-4-5], rescue: prefill}
"""
SAID = "Once upon"
HI = {"role": "user", "content": "hi"}
TURN = {"role": "assistant", "content": SAID}
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID}]}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


@pytest.fixture(name="known")
def fixture_known(tmp_path: Path) -> Registry:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    return load({}, tmp_path, root=None)


def call(path: str, body: Json) -> ReadCall:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    return read_call(ClientRequest(endpoint, "", [], json.dumps(body).encode()), 10_000)


@pytest.mark.parametrize(
    ("dialect", "body", "changed"),
    [
        ("chat", {"messages": [HI]}, {"messages": [HI, TURN]}),
        ("chat", {"messages": [HI], "max_tokens": 100}, {"messages": [HI, TURN], "max_tokens": 97}),
        ("chat", {"messages": [HI], "max_tokens": 17}, {"messages": [HI, TURN], "max_tokens": 16}),
        ("chat", {"messages": [HI], "max_tokens": 3}, {"messages": [HI, TURN], "max_tokens": 3}),
        ("chat", {"messages": [HI], "reasoning_effort": "low"}, {"messages": [HI, TURN], "reasoning_effort": "none"}),
        ("messages", {"messages": [HI]}, {"messages": [HI, TURN]}),
        (
            "messages",
            {"messages": [HI], "thinking": {"type": "enabled", "budget_tokens": 9}},
            {"messages": [HI, TURN], "thinking": {"type": "disabled"}},
        ),
        ("responses", {"input": "hi"}, {"input": [HI, ITEM]}),
        (
            "responses",
            {"input": [HI], "reasoning": {"effort": "low", "summary": "auto"}},
            {"input": [HI, ITEM], "reasoning": {"effort": "none", "summary": "auto"}},
        ),
    ],
)
def test_the_answer_so_far_is_the_last_turn(dialect: str, body: Json, changed: Json) -> None:
    asked = call(PATHS[dialect], {"model": "m", "own": [1], **body})
    made = with_answer(asked, SAID)
    assert json.loads(made.body) == {"model": "m", "own": [1], **changed}
    assert made.parsed.value == json.loads(made.body)


FREE: Json = {"messages": [HI], "stream": True}


@pytest.mark.parametrize(
    ("path", "body", "can_be"),
    [
        (PATHS["chat"], FREE, True),
        (PATHS["chat"], {**FREE, "n": 1, "logprobs": False, "response_format": {"type": "text"}}, True),
        (PATHS["messages"], {**FREE, "max_tokens": 9}, True),
        (PATHS["responses"], {"input": "hi", "stream": True}, True),
        (PATHS["chat"], {**FREE, "stream": False}, False),
        (PATHS["chat"], {**FREE, "n": 2}, False),
        (PATHS["chat"], {**FREE, "top_logprobs": 3}, False),
        (PATHS["chat"], {**FREE, "response_format": {"type": "json_object"}}, False),
        (PATHS["chat"], {**FREE, "messages": [HI, TURN]}, False),
        (PATHS["chat"], {**FREE, "messages": []}, False),
        (PATHS["chat"], {**FREE, "messages": 7}, False),
        ("/v1/completions", {"prompt": "hi", "stream": True}, False),
    ],
)
def test_which_calls_can_be_gone_on_with(known: Registry, path: str, body: Json, can_be: bool) -> None:
    kept = resumable(known.resolve("saved").targets, call(path, {"model": "saved", **body}))
    # The second has nobody behind it who could go on.
    assert [bool(target.rescue) for target in kept] == [can_be, False, False]


def test_routes_without_anybody_who_could_stay_as_they_are(known: Registry) -> None:
    asked = call(PATHS["chat"], FREE)
    assert not any(target.rescue for target in resumable(known.resolve("late").targets, asked))
    plain = known.resolve("plain").targets
    assert resumable(plain, asked) == plain


def test_a_llama_server_is_kept_from_thinking(known: Registry) -> None:
    asked = call(PATHS["chat"], {"model": "saved", **FREE, "chat_template_kwargs": {"a": 1}})
    targeting = Targeting(asked, "pb-1", 1)
    bare, local, _ = known.resolve("saved").targets
    made = targeting.go_on(local, SAID)
    assert made is not None
    assert made.translation is not None
    body = json.loads(made.body)
    assert body["chat_template_kwargs"] == {"a": 1, "enable_thinking": False}
    assert (body["messages"], body["model"]) == ([HI, TURN], "b")
    assert targeting.go_on(bare, SAID) is None


@pytest.mark.parametrize(("model", "more"), [("locked", {}), ("saved", {"n": 2})])
def test_who_cannot_be_asked_does_not_go_on(known: Registry, model: str, more: Json) -> None:
    asked = call(PATHS["chat"], {"model": model, **FREE, **more})
    target = known.resolve(model).targets[1]
    assert target.capabilities(model).prefill
    assert Targeting(asked, "pb-1", 1).go_on(target, SAID) is None
