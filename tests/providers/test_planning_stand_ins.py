"""Who takes over after an error is the word of the target that has failed, and none who is known to be unable to."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from providers.calls import ClientRequest, read_call
from providers.exchange import plan
from providers.planning import plan_call
from providers.provider import Provider
from providers.registry import Registry, load
from providers.wire.endpoints import endpoint_of

REGISTRY = """
providers:
  a: {kind: compatible, base_url: "https://a.example/v1"}
  b: {kind: compatible, base_url: "https://b.example/v1"}
  c: {kind: compatible, base_url: "https://c.example/v1"}
models:
  plain: {targets: [a/m, b/m], fallback_on: {context_length: stand}}
  stand: {targets: [b/small, c/large]}
  other: {target: c/m, fallback_on: {stall: a/m}}
  mixed: {targets: [a/m, other], fallback_on: {context_length: c/large}}
  seeing: {targets: [{target: c/m, when: {has_images: true}}]}
  choosy: {targets: [a/m, b/m], fallback_on: {dns: seeing}}
"""
WINDOWS = {"small": 100, "large": 100_000}


@pytest.fixture(name="registry", scope="module")
def fixture_registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder: Path = tmp_path_factory.mktemp("registry")
    (folder / "registry.yaml").write_text(REGISTRY)
    return load({}, folder, root=None)


def window(_provider: Provider, model: str) -> int | None:
    return WINDOWS.get(model)


def planned(registry: Registry, model: str, words: int) -> plan.Plan:
    endpoint = endpoint_of("POST", "/v1/chat/completions")
    assert endpoint
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "word " * words}]}).encode()
    call = read_call(ClientRequest(endpoint, "", [], body), 1 << 20)
    return plan_call(registry, (), call, id="pb-1", created=1, window=window).plan


def named(instead: Mapping[str, tuple[plan.Make, ...]] | None) -> dict[str, list[str]]:
    """Who can be asked after which error."""
    made = {kind: [make() for make in makes] for kind, makes in (instead or {}).items()}
    return {kind: [f"{one.provider}/{one.model}" for one in found if one is not None] for kind, found in made.items()}


@pytest.mark.parametrize(("words", "found"), [(5, ["b/small", "c/large"]), (500, ["c/large"])])
def test_one_that_reads_too_little_is_passed_over(registry: Registry, words: int, found: list[str]) -> None:
    assert named(planned(registry, "plain", words).instead) == {"context_length": found}


def test_one_word_for_all_targets_is_said_once(registry: Registry) -> None:
    (later,) = planned(registry, "plain", 5).later
    second = later()
    assert second is not None
    assert second.instead is None


def test_targets_of_another_alias_have_their_own(registry: Registry) -> None:
    made = planned(registry, "mixed", 5)
    first, second = made.first, made.later[0]()
    assert second is not None
    assert first.instead is None
    assert named(made.instead) == {"context_length": ["c/large"]}
    assert named(second.instead) == {"stall": ["a/m"], "context_length": ["c/large"]}


def test_one_whose_conditions_the_call_does_not_meet_is_passed_over(registry: Registry) -> None:
    assert named(planned(registry, "choosy", 5).instead) == {"dns": []}
