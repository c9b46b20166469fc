"""Where rules come from, and which comes first."""

from pathlib import Path

import pytest

from providers.errors import ConfigurationError
from providers.registry import Registry, load


def loaded(folder: Path, text: str, routes: str = "") -> Registry:
    (folder / "registry.yaml").write_text(text, encoding="utf-8")
    return load({"PATCHBAY_ROUTES": routes}, folder, root=None)


def provider(registry: Registry, model: str) -> str:
    target = registry.resolve(model).targets[0]
    return target.provider.name + ("" if target.model is None else f"/{target.model}")


@pytest.mark.parametrize(
    ("text", "routes", "model", "expected"),
    [
        # the built-in map, and what replaces it
        ("{}", "", "claude-x", "anthropic"),
        ("{}", " ", "o1", "openai"),
        ("{}", "a-*=demo", "claude-x", "local"),
        ("{}", "a-*=demo", "a-1", "demo"),
        ("{}", "a-*=openrouter/b/c,\n d-*=demo/x ,", "a-1", "openrouter/b/c"),
        ("{}", "a-*=openrouter/b/c,\n d-*=demo/x ,", "d-1", "demo/x"),
        # the file wins over the built-in map, the environment over the file, where the literal prefix is as long
        ("models: {'claude-*': openrouter}", "", "claude-x", "openrouter"),
        ("models: {'claude-?*': openrouter}", "", "claude-x", "openrouter"),
        ("models: {'claude-*': openrouter}", "claude-*=demo", "claude-x", "demo"),
        # the longest literal prefix first, whoever wrote it
        ("models: {'claude-*': openrouter}", "c*=demo", "claude-x", "openrouter"),
        ("models: {'*': openrouter}", "", "claude-x", "anthropic"),
        ("models: {'*': openrouter}", "", "zzz", "openrouter"),
        ("models: {'*-a': demo, '*-?': openrouter}", "", "x-a", "demo"),
        # a name without wildcard is an alias, also in the environment
        ("models: {a: demo}", "a=openrouter", "a", "openrouter"),
        ("models: {b: a}", "a=openrouter/x", "b", "openrouter/x"),
        # an alias may carry a provider's name; the provider is meant where a rule leads there
        ("models: {openai: demo, x: openai}", "", "x", "openai"),
        ("models: {openai: demo}", "", "openai", "demo"),
        # the demo stays where the built-in map is replaced, and gives way to an alias
        ("{}", "a-*=openai", "demo", "demo"),
        ("models: {demo: openrouter/x}", "", "demo", "openrouter/x"),
    ],
)
def test_precedence(tmp_path: Path, text: str, routes: str, model: str, expected: str) -> None:
    assert provider(loaded(tmp_path, text, routes), model) == expected


def test_a_local_model_called_demo_is_the_users(tmp_path: Path) -> None:
    assert loaded(tmp_path, "{}").resolve("demo", {"demo"}).rule == "local_model"


def test_each_loop_is_told_once_and_what_leads_into_it_is_not(tmp_path: Path) -> None:
    text = "models:\n  z: b\n  b: a\n  a: b\n  d: d\n  'p-*': z\n"
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, text)
    assert [str(problem) for problem in raised.value.problems] == [
        "registry.yaml:4:3: models.a: is an alias loop: a → b → a",
        "registry.yaml:5:3: models.d: is an alias loop: d → d",
    ]


def names(registry: Registry, model: str) -> list[str]:
    return [target.name for target in registry.resolve(model).targets]


SMART = """\
models:
  smart:
    targets: [anthropic/claude-x, {target: openrouter/y, when: {has_tools: true}, params: {top_p: 1}}, pooled]
    fallback_on: {context_length: large, auth: demo}
    rescue: prefill
    params: {temperature: 0, top_p: 0}
    deadlines: {head: 7}
  pooled: {target: local/qwen, params: {top_k: 1, temperature: 1}, fallback_on: {auth: openai/z, dns: demo}}
  large: {targets: [openai/big, pooled]}
  night: {targets: [{target: smart, when: {time: "22:00-06:00"}, params: {temperature: 2}}], rescue: none}
  "deep-*": {target: smart, rescue: none, quirks: {structured: json_object}}
"""


def test_several_targets_in_their_order_through_aliases(tmp_path: Path) -> None:
    registry = loaded(tmp_path, SMART)
    assert names(registry, "smart") == ["anthropic/claude-x", "openrouter/y", "local/qwen"]
    assert names(registry, "large") == ["openai/big", "local/qwen"]
    assert names(registry, "deep-1") == names(registry, "smart")
    assert registry.resolve("smart").reason == (
        "'smart' is an alias (registry.yaml:2): it goes to 'anthropic' as 'claude-x', with temperature, top_p set (not "
        "usable: no key: set ANTHROPIC_API_KEY), then to 'openrouter' as 'y', with temperature, top_p set (if with "
        "tools) (not usable: no key: set OPENROUTER_API_KEY), then to 'local' as 'qwen', with top_k, temperature, "
        "top_p set."
    )


def test_what_stands_further_out_wins_and_what_stands_beside_a_target_wins_over_its_entry(tmp_path: Path) -> None:
    registry = loaded(tmp_path, SMART)
    params = [dict(target.params) for target in registry.resolve("smart").targets]
    assert params == [
        {"temperature": 0, "top_p": 0},
        {"temperature": 0, "top_p": 1},
        {"top_k": 1, "temperature": 0, "top_p": 0},
    ]
    assert {target.deadlines.head for target in registry.resolve("smart").targets} == {7}
    assert [target.params["temperature"] for target in registry.resolve("night").targets] == [2, 2, 2]
    assert [target.facts.get("structured") for target in registry.resolve("deep-1").targets] == ["json_object"] * 3


def test_conditions_add_up(tmp_path: Path) -> None:
    registry = loaded(tmp_path, SMART)
    assert [[str(one) for one in target.when] for target in registry.resolve("night").targets] == [
        ["from 22:00-06:00"],
        ["with tools", "from 22:00-06:00"],
        ["from 22:00-06:00"],
    ]


def test_what_follows_a_failure_is_said_by_class_the_outer_word_first(tmp_path: Path) -> None:
    registry = loaded(tmp_path, SMART)
    first, _, pooled = registry.resolve("smart").targets
    assert [target.name for target in first.instead("context_length")] == ["openai/big", "local/qwen"]
    assert [target.name for target in first.instead("dns")] == []
    assert [target.name for target in pooled.instead("dns")] == ["demo"]
    assert [target.name for target in pooled.instead("auth")] == ["demo"]
    assert [target.name for target in registry.resolve("pooled").targets[0].instead("auth")] == ["openai/z"]
    # the parameters of a route are those of its stand-ins, too, and those of a route around it win there as well
    assert first.instead("context_length")[0].params["temperature"] == 0
    assert registry.resolve("night").targets[0].instead("context_length")[0].params["temperature"] == 2


def test_rescue_is_for_all_targets_of_an_entry_unless_an_outer_one_says_no(tmp_path: Path) -> None:
    registry = loaded(tmp_path, SMART)
    assert [target.rescue for target in registry.resolve("smart").targets] == ["prefill"] * 3
    assert [target.rescue for target in registry.resolve("night").targets] == [""] * 3
    assert registry.resolve("pooled").targets[0].rescue == ""


def test_a_target_that_two_aliases_share_is_asked_once(tmp_path: Path) -> None:
    text = "models: {a: {targets: [b, c, demo]}, b: {targets: [local/x, local/y]}, c: {targets: [local/y, local/x]}}"
    assert names(loaded(tmp_path, text), "a") == ["local/x", "local/y", "demo"]


def test_one_target_in_a_list_is_the_same_as_one_alone(tmp_path: Path) -> None:
    registry = loaded(tmp_path, "models: {a: {targets: [local/x]}, b: local/x}")
    assert registry.resolve("a").targets == registry.resolve("b").targets


def test_a_name_stands_for_a_provider_of_its_own_name(tmp_path: Path) -> None:
    registry = loaded(tmp_path, "models: {local/x: {targets: [local/x, demo]}}")
    assert names(registry, "local/x") == ["local/x", "demo"]


def test_routes_of_the_environment_stand_for_aliases_in_lists(tmp_path: Path) -> None:
    registry = loaded(tmp_path, "models: {a: {targets: [fast, demo]}, fast: local/x}", "fast=openrouter/y")
    assert names(registry, "a") == ["openrouter/y", "demo"]


def test_aliases_that_multiply_each_other_are_refused(tmp_path: Path) -> None:
    levels = [f"  a{n}: {{target: a{n + 1}, fallback_on: {{auth: a{n + 1}, dns: a{n + 1}}}}}" for n in range(40)]
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, "\n".join(["models:", *levels, "  a40: demo"]))
    (problem,) = raised.value.problems
    assert str(problem) == (
        "registry.yaml:36:3: models.a34: leads to 127 targets, fallbacks counted: at most 64 make sense"
    )


def test_a_loop_of_several_names_is_told_where_its_first_name_stands(tmp_path: Path) -> None:
    text = "models:\n  c: {targets: [demo, a]}\n  a: {targets: [b, demo]}\n  b: {target: demo, fallback_on: {dns: c}}"
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, text)
    assert [str(problem) for problem in raised.value.problems] == [
        "registry.yaml:3:3: models.a: is an alias loop: a → b → c → a"
    ]
