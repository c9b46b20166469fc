"""What the documents say of variables, settings, providers and routes is true, and their examples are valid."""

import re
import tomllib
from pathlib import Path

import pytest

from addons.options import OPTIONS
from providers.environment import VARIABLES
from providers.errors import ConfigurationError
from providers.kinds import KINDS
from providers.provider import Deadlines
from providers.registry import Registry, Settings, load
from providers.routes import DEFAULT_ROUTES
from providers.secrets import usable_key
from tests.documents import DOCS, README, ROOT, TEXTS, bare, codes, fences, section, table, text_of

KEY_NAMES = {name for kind in KINDS.values() if (name := kind.default_key_name)}


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Registry:
    (folder / "registry.yaml").write_text(text, "utf-8")
    return load(environ or {}, folder, root=None)


def test_every_variable_is_in_the_readme_and_in_the_example() -> None:
    for name in VARIABLES | KEY_NAMES:
        assert f"`{name}`" in README, name
        assert re.search(rf"^#?{name}=", text_of(".env.example"), re.MULTILINE), name
    for name in KEY_NAMES:
        assert f"`{name}_FILE`" in README


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_names_a_variable_that_does_not_exist(name: str) -> None:
    named = set(re.findall(r"\bPATCHBAY_[A-Z_]+\b", text_of(name)))
    tests = (
        "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")) if name == "CONTRIBUTING.md" else ""
    )
    assert {one for one in named - VARIABLES if one not in tests} == set()


def test_the_defaults_of_the_variables_are_true() -> None:
    defaults = {name: bare(row[1]) for row in table("variable", "default", "meaning") for name in codes(row[0])}
    for kind, name in (
        ("llamacpp", "LOCAL"),
        ("anthropic", "ANTHROPIC"),
        ("openai", "OPENAI"),
        ("openrouter", "OPENROUTER"),
    ):
        assert defaults[f"PATCHBAY_{name}_BASE_URL"] == KINDS[kind].default_base_url
    assert defaults["PATCHBAY_ROUTES"] == DEFAULT_ROUTES
    assert DEFAULT_ROUTES in section("How routing decides")
    settings = {f"PATCHBAY_{name.upper()}" for name in Settings.model_fields}
    assert set(defaults) == (VARIABLES - settings) | KEY_NAMES | {f"{name}_FILE" for name in KEY_NAMES}


def test_every_setting_is_told_with_its_default() -> None:
    rows = {bare(row[1]): row for row in table("variable", "settings:")}
    assert set(rows) == set(Settings.model_fields)
    for name, row in rows.items():
        assert bare(row[0]) == f"PATCHBAY_{name.upper()}"
        assert Settings.model_validate({name: bare(row[2])}) == Settings(), name


def test_every_provider_kind_is_told_as_it_is() -> None:
    rows = {bare(row[0]): row for row in table("kind", "speaks")}
    assert set(rows) == set(KINDS)
    for name, row in rows.items():
        kind = KINDS[name]
        assert row[1] == ", ".join(sorted(kind.default_dialects))
        assert (codes(row[2]) or [""])[0] == kind.default_key_name
        assert (codes(row[3]) or [""])[0] == kind.default_base_url
        assert set(codes(row[4])) == {*kind.attribution_fields, *kind.account_fields}


def test_the_deadlines_are_told_as_they_are() -> None:
    rows = {bare(row[0]): row for row in table("deadline", "default")}
    assert set(rows) == set(Deadlines.__slots__)
    for name, row in rows.items():
        defaults = (Deadlines(), KINDS["llamacpp"].default_deadlines)
        assert [float(cell) for cell in row[1:3]] == [getattr(one, name) for one in defaults]


def test_every_set_option_is_told_with_its_default() -> None:
    assert {bare(row[0]): row[1] for row in table("--set` option", "default")} == {
        option.name: str(option.default) for option in OPTIONS
    }


@pytest.mark.parametrize(
    ("name", "number"), [(name, n) for name in DOCS for n in range(len(fences(text_of(name), "yaml")))]
)
def test_every_registry_in_the_docs_is_valid(tmp_path: Path, name: str, number: int) -> None:
    assert loaded(tmp_path, fences(text_of(name), "yaml")[number]).providers


def test_other_examples_can_at_least_be_read() -> None:
    for block in fences(README, "python"):
        compile(block, "README.md", "exec")
    for block in fences(README, "toml"):
        assert tomllib.loads(block)
    named = {language for name in DOCS for language in re.findall(r"^```(\w+)$", text_of(name), re.MULTILINE)}
    assert named == {"sh", "text", "python", "toml", "yaml"}


def test_a_finding_looks_as_the_readme_says(tmp_path: Path) -> None:
    shown = fences(section("Configuration"), "text")[0].strip()
    head, _, tail = shown.partition("…")
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, "default_provider: local\nproviders:\n  openai: {kind: openai, api_kye: $OPENAI_API_KEY}\n")
    assert str(refused.value).startswith(head)
    assert str(refused.value).endswith(tail)


def meaning(registry: Registry) -> list[str]:
    """What a configuration amounts to, without where it was read."""
    return [re.sub(r" \([^()]*\)$", "", line) for line in registry.explain() if not line.startswith("configuration")]


def test_the_registry_file_changes_nothing_as_it_stands(tmp_path: Path) -> None:
    """It says so of itself."""
    built_in = load({}, tmp_path, root=None)
    assert meaning(loaded(tmp_path, text_of("registry.yaml"))) == meaning(built_in)


def test_the_examples_in_the_registry_file_are_valid(tmp_path: Path) -> None:
    uncommented = re.sub(r"^  # ", "  ", text_of("registry.yaml"), flags=re.MULTILINE)
    registry = loaded(tmp_path, uncommented, {"GROQ_API_KEY": "something-of-a-key"})
    assert registry.providers["groq"].ready
    assert set(registry.resolver.aliases) == {"fast", "smart", "patient", "tuned", "sturdy", "pooled"}
    assert registry.resolve("patient").targets[0].deadlines.head == 1800


def test_the_example_environment_changes_nothing_and_holds_no_key(tmp_path: Path) -> None:
    example = text_of(".env.example")
    for name in KEY_NAMES:
        assert usable_key(next(iter(re.findall(rf"^{name}=(.*)$", example, re.MULTILINE)))) is None
    built_in = load({}, tmp_path, root=None)
    (tmp_path / ".env").write_text(example)
    assert not any(provider.key for provider in load({}, tmp_path, root=None).providers.values())
    (tmp_path / ".env").write_text(re.sub(r"^#(?=[A-Z])", "", example, flags=re.MULTILINE).replace("registry.yaml", ""))
    everything = load({}, tmp_path, root=None)
    assert everything.settings == built_in.settings
    assert [rule.text for rule in everything.resolver.patterns] == [rule.text for rule in built_in.resolver.patterns]
    assert {name: p.base_url for name, p in everything.providers.items()} == {
        name: p.base_url for name, p in built_in.providers.items()
    }


def test_the_routing_table_is_true(tmp_path: Path) -> None:
    told = section("How routing decides")
    listed = set(codes(re.findall(r"a local server that lists (.*?):", told)[0]))
    registry = loaded(tmp_path, fences(told, "yaml")[0])
    rules = set()
    for asked, rule, provider, sent in table("model` in the request", "rule"):
        name = "" if asked == "(none)" else bare(asked)
        route = registry.resolve(name or None, listed)
        target = route.targets[0]
        assert (route.rule, target.provider.name) == (rule, provider), asked
        assert (target.model or name or "(none)") == bare(sent), asked
        rules.add(rule)
    assert rules == {"alias", "local_model", "provider_prefix", "pattern", "default"}
