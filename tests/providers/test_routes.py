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
        "registry.yaml:4: models.a: is an alias loop: a → b → a",
        "registry.yaml:5: models.d: is an alias loop: d → d",
    ]
