"""Which name leads where (DESIGN section 6). One table; the order is tested by taking the higher rule away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.registry import Registry, load

REGISTRY = """\
providers: {groq: {kind: compatible, base_url: "http://groq/v1"}}
models:
  fast: local/qwen3-8b
  both: groq/a
  alias/with/slash: anthropic/claude-x
  gpt-mini: openai
  local/own: {target: local/own, params: {top_k: 1}}
  "gpt-4*": openrouter/openai/gpt-4
  "gpt-4?-[ab]": groq
  "o[0-9]*": groq
  "x[!0-9]*": fast
  twice-*: wise
  wise: {target: smart, params: {top_p: 1}, deadlines: {head: 7}}
  smart: {target: groq/m, params: {temperature: 0.2, top_p: 0}, deadlines: {gap: 3}}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("registry")
    (folder / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    return load({}, folder, root=None)


@pytest.mark.parametrize(
    ("model", "rule", "provider", "sent"),
    [
        (None, "default", "local", None),
        ("", "default", "local", None),
        ("unknown", "default", "local", None),
        ("fast", "alias", "local", "qwen3-8b"),
        ("gpt-mini", "alias", "openai", None),
        ("alias/with/slash", "alias", "anthropic", "claude-x"),
        ("local/own", "alias", "local", "own"),
        ("both", "alias", "groq", "a"),
        ("claude-listed", "local_model", "local", None),
        ("openai/listed", "local_model", "local", None),
        ("groq/any/thing", "provider_prefix", "groq", "any/thing"),
        ("openrouter/anthropic/claude-opus-4.8", "provider_prefix", "openrouter", "anthropic/claude-opus-4.8"),
        ("local/x.gguf", "provider_prefix", "local", "x.gguf"),
        ("demo/demo", "provider_prefix", "demo", "demo"),
        ("claude-opus-4-8", "pattern", "anthropic", None),
        ("gpt-5", "pattern", "openai", None),
        ("gpt-41", "pattern", "openrouter", "openai/gpt-4"),
        ("gpt-4o-a", "pattern", "openrouter", "openai/gpt-4"),
        ("o3-mini", "pattern", "groq", None),
        ("xy", "pattern", "local", "qwen3-8b"),
        ("x1", "default", "local", None),
        ("demo", "pattern", "demo", None),
        ("twice-a", "pattern", "groq", "m"),
        # names of files, and things that merely look like provider/model
        ("/models/x.gguf", "default", "local", None),
        ("./x.gguf", "default", "local", None),
        ("../gpt-4", "default", "local", None),
        ("C:\\models\\x.gguf", "default", "local", None),
        ("C:/models/x.gguf", "default", "local", None),
        ("some/folder/x.gguf", "default", "local", None),
        ("claude-2-finetune.GGUF", "default", "local", None),
        ("gpt-oss-20b-Q4.gguf", "default", "local", None),
        ("org/model", "default", "local", None),
        ("/openai/x", "default", "local", None),
        ("openai/", "default", "local", None),
        ("Openai/x", "default", "local", None),
        ("CLAUDE-x", "default", "local", None),
        ("gpt-5\nx", "pattern", "openai", None),
    ],
)
def test_table(registry: Registry, model: str | None, rule: str, provider: str, sent: str | None) -> None:
    route = registry.resolve(model, {"claude-listed", "openai/listed", "fast"})
    (target,) = route.targets
    assert (route.rule, target.provider.name, target.model) == (rule, provider, sent)
    assert provider in route.reason


def test_a_users_own_pattern_applies_to_files_too(registry: Registry) -> None:
    assert registry.resolve("o1.gguf").targets[0].provider.name == "groq"


def test_ids_of_the_local_server_count_only_while_it_lists_them(registry: Registry) -> None:
    assert registry.resolve("claude-listed").targets[0].provider.name == "anthropic"
    assert registry.resolve("openai/listed").targets[0].provider.name == "openai"


def test_through_aliases_the_outer_word_wins(registry: Registry) -> None:
    target = registry.resolve("wise").targets[0]
    assert dict(target.params) == {"temperature": 0.2, "top_p": 1}
    assert (target.deadlines.head, target.deadlines.first_content, target.deadlines.gap) == (7, 7, 3)
    assert target.deadlines.total == target.provider.deadlines.total
    assert dict(registry.resolve("local/own").targets[0].params) == {"top_k": 1}


def test_params_cannot_be_changed_by_a_caller(registry: Registry) -> None:
    with pytest.raises(TypeError):
        registry.resolve("wise").targets[0].params["x"] = 1  # type: ignore[index] # the test's point


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("fast", "'fast' is an alias (registry.yaml:3): it goes to 'local' as 'qwen3-8b'."),
        ("wise", "with temperature, top_p set"),
        (
            "gpt-5",
            "'gpt-5' fits the pattern 'gpt-*' (built in): it goes to 'openai' with the name unchanged (not "
            "usable: no key: set OPENAI_API_KEY).",
        ),
        ("groq/x", "'groq/x' begins with the provider 'groq'"),
        (None, "the request names no model, so the default provider answers"),
        ("zzz", "no rule knows 'zzz'"),
    ],
)
def test_the_reason_is_a_sentence(registry: Registry, model: str | None, says: str) -> None:
    assert says in registry.resolve(model).reason
    assert registry.resolve(model).reason.endswith(".")


# Every name leads somewhere, and no name reaches a provider that is not configured.
@given(st.text() | st.from_regex(r"[a-z/.*\\\[\]-]{0,12}", fullmatch=True))
def test_every_name_leads_somewhere(registry: Registry, model: str) -> None:
    route = registry.resolve(model)
    assert route.targets[0].provider.name in registry.providers
    assert "not found" not in route.reason.replace(repr(model), "")
