"""Loading: what a folder and an environment become, and what is refused."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.errors import ConfigurationError
from providers.provider import Sharing
from providers.registry import Registry, load
from providers.wire.endpoints import Dialect

SAMPLE = """\
default_provider: local
providers:
  local:      {kind: llamacpp, base_url: http://127.0.0.1:8080}
  anthropic:  {kind: anthropic, api_key: ${ANTHROPIC_API_KEY}}
  openai:     {kind: openai, api_key: $OPENAI_API_KEY}
  openrouter: {kind: openrouter, api_key: os.environ/OPENROUTER_API_KEY}
  groq:                                # anything compatible: data, no code
    kind: compatible
    base_url: https://api.groq.example/openai/v1
    api_key: ${env.GROQ_API_KEY}
    dialects: [chat]
    models: [some-model]
    deadlines: {connect: 5, head: 60, first_content: 60, gap: 120, total: 3600}   # seconds
models:
  fast: local/qwen3-8b                 # alias → provider/model
  "claude-*": anthropic                # pattern → provider, name unchanged
  smart: {target: openrouter/anthropic/claude-opus-4.8, params: {temperature: 0.2}}
"""
CANARY = "sk-canary-0123456789abcdef"
KEYS = {f"{name}_API_KEY": f"{CANARY}-{name}" for name in ("ANTHROPIC", "OPENAI", "OPENROUTER", "GROQ")}
Load = Callable[..., Registry]


@pytest.fixture
def loading(tmp_path: Path) -> Load:
    """Load a registry from the text of its file, in an otherwise empty folder."""

    def do(text: str | None = None, environ: dict[str, str] | None = None, **more: object) -> Registry:
        if text is not None:
            (tmp_path / "registry.yaml").write_text(text, encoding="utf-8")
        return load(environ or {}, tmp_path, root=None, **more)  # type: ignore[arg-type] # passed on as they are

    return do


def refused(loading: Load, *args: object, **more: object) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loading(*args, **more)
    assert str(raised.value).split("\n") == [str(problem) for problem in raised.value.problems]
    return [str(problem) for problem in raised.value.problems]


def test_the_environment_alone_is_enough(loading: Load, tmp_path: Path) -> None:
    registry = loading(None, {"OPENAI_API_KEY": "k1", "PATCHBAY_LISTEN": "[::1]:9000", "PATCHBAY_DB": "x/y.db"})
    assert {name: provider.problem for name, provider in registry.providers.items()} == {
        "local": "",
        "anthropic": "no key: set ANTHROPIC_API_KEY",
        "openai": "",
        "openrouter": "no key: set OPENROUTER_API_KEY",
        "demo": "",
    }
    assert (registry.listen, registry.database) == (("::1", 9000), tmp_path / "x/y.db")
    assert (registry.default_provider, registry.file, registry.generation) == ("local", None, 1)


def test_the_documented_shape(loading: Load) -> None:
    registry = loading(SAMPLE, KEYS)
    assert list(registry.providers) == ["local", "anthropic", "openai", "openrouter", "demo", "groq"]
    assert all(provider.ready for provider in registry.providers.values())
    assert sorted(registry.secrets()) == sorted(KEYS.values())
    assert registry.providers["groq"].models == ("some-model",)
    assert registry.local.base_url == "http://127.0.0.1:8080"


def test_it_is_immutable_and_shows_no_key(loading: Load) -> None:
    registry = loading(SAMPLE, KEYS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        registry.generation = 2  # type: ignore[misc] # the test's point
    with pytest.raises(TypeError):
        registry.providers["x"] = registry.local  # type: ignore[index] # the test's point
    shown = repr(registry) + str(registry) + "\n".join(registry.explain()) + repr(registry.resolve("smart"))
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("PATCHBAY_LOCAL_BASE_URL", "http://gpu:1/", "local", "http://gpu:1"),
        ("PATCHBAY_LOCAL_BASE_URL", "http://gpu:1/v1/", "local", "http://gpu:1"),
        ("PATCHBAY_ANTHROPIC_BASE_URL", "http://a/v1", "anthropic", "http://a"),
        ("PATCHBAY_OPENAI_BASE_URL", "http://o/v1", "openai", "http://o/v1"),
        ("PATCHBAY_OPENROUTER_BASE_URL", " http://r/v1 ", "openrouter", "http://r/v1"),
        ("ANTHROPIC_BASE_URL", "http://us", "anthropic", "https://api.anthropic.com"),
        ("OPENAI_BASE_URL", "http://us", "openai", "https://api.openai.com/v1"),
    ],
)
def test_base_urls_from_the_environment_win(loading: Load, variable: str, value: str, name: str, expected: str) -> None:
    assert loading(None, {variable: value}).providers[name].base_url == expected
    assert loading(SAMPLE, {variable: value}).providers[name].base_url == expected


def test_the_command_line_wins_over_everything(loading: Load, tmp_path: Path) -> None:
    environ = {
        "PATCHBAY_LOCAL_BASE_URL": "http://a:1",
        "PATCHBAY_LISTEN": "127.0.0.1:2",
        "PATCHBAY_REGISTRY": "gone.yaml",
    }
    (tmp_path / "mine.yaml").write_text("default_provider: demo")
    registry = loading(
        None, environ, local_base_url="http://b:1", listen=("127.0.0.1", 3), registry_file=tmp_path / "mine.yaml"
    )
    assert registry.local.base_url == "http://b:1"
    assert registry.listen == ("127.0.0.1", 3)
    assert registry.default_provider == "demo"


def test_which_file_is_read(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "work"
    root.mkdir()
    folder.mkdir()
    assert load({}, folder, root=root).file is None
    (root / "registry.yaml").write_text("default_provider: demo")
    assert load({}, folder, root=root).default_provider == "demo"
    (folder / "registry.yaml").write_text("default_provider: openai")
    registry = load({}, folder, root=root)
    assert (registry.default_provider, registry.file) == ("openai", folder / "registry.yaml")
    assert {folder / ".env", root / ".env", folder / "registry.yaml", root / "registry.yaml"} == set(registry.files)
    (folder / "other.yaml").write_text("default_provider: anthropic")
    assert load({"PATCHBAY_REGISTRY": "other.yaml"}, folder, root=root).default_provider == "anthropic"


def test_settings_from_file_and_environment(loading: Load) -> None:
    text = "settings: {bodies: all, retention_days: 7, max_body_bytes: 1 MiB, listen: 'localhost:1'}"
    settings = loading(text, {"PATCHBAY_BODIES": "none", "PATCHBAY_ALLOW_REMOTE": "1", "PATCHBAY_DEMO": "off"}).settings
    assert (settings.bodies, settings.retention_days, settings.max_body_bytes) == ("none", 7, 1024**2)
    assert (settings.allow_remote, settings.demo) == (True, False)
    assert loading(text).listen == ("localhost", 1)


def test_demo_can_be_switched_off(loading: Load) -> None:
    registry = loading("settings: {demo: false}")
    assert "demo" not in registry.providers
    assert registry.resolve("demo").rule == "default"


def test_attribution_and_account(loading: Load) -> None:
    environ = {"PATCHBAY_OPENROUTER_TITLE": "Mine", "PATCHBAY_OPENAI_ORGANIZATION": "org-1", "SITE": "https://me"}
    text = "providers:\n  openrouter: {title: Other, referer: $SITE}\n  openai: {project: p1}\n"
    providers = loading(text, environ).providers
    assert providers["openrouter"].attribution == (("HTTP-Referer", "https://me"), ("X-Title", "Mine"))
    assert providers["openai"].account == (("OpenAI-Organization", "org-1"), ("OpenAI-Project", "p1"))


def test_a_second_provider_of_a_kind_never_gets_the_first_ones_key(loading: Load) -> None:
    text = "providers: {mine: {kind: openai, base_url: 'https://elsewhere/v1'}}"
    registry = loading(text, KEYS)
    assert registry.providers["mine"].key is None
    assert registry.providers["mine"].problem == "no key: name its variable under api_key"


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("providers: {x: {kind: compatible, base_url: 'http://h'}}", True),
        ("providers: {x: {kind: compatible, base_url: 'http://h', api_key: $NONE}}", False),
        ("providers: {x: {kind: llamacpp}}", True),
    ],
)
def test_a_key_is_needed_where_one_is_named(loading: Load, text: str, ready: bool) -> None:
    registry = loading(text)
    assert registry.providers["x"].ready is ready
    assert registry.notices == (() if ready else ("provider 'x' has no key: set NONE",))


def test_the_local_server_answers_without_its_key_too(loading: Load) -> None:
    text = "providers: {local: {api_key: $LLAMA_KEY}}"
    assert loading(text).local.ready
    local = loading(text, {"LLAMA_KEY": "k1"}).local
    assert local.auth_headers() == [("authorization", "Bearer k1")]


def test_a_key_over_plain_http_is_told(loading: Load) -> None:
    text = "providers: {x: {kind: compatible, base_url: 'http://h', api_key: $K}}"
    assert "unencrypted" in "".join(loading(text, {"K": "k1"}).notices)
    assert loading(text.replace("//h", "//127.0.0.1"), {"K": "k1"}).notices == ()


def test_the_line_of_a_dotenv_file_is_told(loading: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\nPATCHBAY_BODIES=al\n")
    (said,) = refused(loading)
    assert said.startswith(".env:2: PATCHBAY_BODIES: is 'al'")


def test_all_problems_are_told_at_once(loading: Load) -> None:
    said = refused(loading, "default_provider: x\nmodels: {a: y}\n", {"PATCHBAY_BODIES": "z", "OPENAI_API_KEY": "a b"})
    assert len(said) == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1"])
@pytest.mark.parametrize("listen", ["127.0.0.1:8088", "0.0.0.0:8088", "localhost:8088", "[::1]:8088"])
def test_our_own_address_is_no_upstream(loading: Load, host: str, listen: str) -> None:
    (said,) = refused(loading, None, {"PATCHBAY_LOCAL_BASE_URL": f"http://{host}:8088", "PATCHBAY_LISTEN": listen})
    assert "where Patchbay itself listens" in said
    assert loading(None, {"PATCHBAY_LOCAL_BASE_URL": f"http://{host}:8089", "PATCHBAY_LISTEN": listen}).local.ready


def test_our_own_address_on_the_command_line(loading: Load) -> None:
    (said,) = refused(loading, local_base_url="http://localhost:8088")
    assert said.startswith("--mode: reverse: is http://localhost:8088, where Patchbay itself listens")


def test_a_refusal_names_the_files_to_watch(loading: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loading(None, {"OPENAI_API_KEY_FILE": "gone"})
    assert {tmp_path / "gone", tmp_path / ".env", tmp_path / "registry.yaml"} <= set(raised.value.files)


def test_explain_says_everything_there_is(loading: Load, tmp_path: Path) -> None:
    lines = loading(SAMPLE, {"PATCHBAY_BODYS": "x"}).explain()
    text = "\n".join(lines)
    for expected in (
        str(tmp_path / "registry.yaml"),
        "127.0.0.1:8088",
        "patchbay.db",
        "openai (openai) https://api.openai.com/v1: no key: set OPENAI_API_KEY; speaks chat, responses",
        "; speaks chat, and messages, responses where it is found to",
        "smart → openrouter/anthropic/claude-opus-4.8 with temperature (registry.yaml:17)",
        "claude-* → anthropic (registry.yaml:16)",
        "gpt-* → openai (built in)",
        "bodies = errors",
        "did you mean PATCHBAY_BODIES?",
    ):
        assert expected in text


def test_dialects_that_are_written_down_are_certain(loading: Load) -> None:
    text = """
providers:
  told: {kind: llamacpp, base_url: "http://h", dialects: [chat, messages]}
  untold: {kind: llamacpp, base_url: "http://h"}
  other: {kind: compatible, base_url: "http://h/v1"}
"""
    registry = loading(text, {})
    uncertain = {name: provider.uncertain for name, provider in registry.providers.items()}
    recent = {Dialect.MESSAGES, Dialect.RESPONSES}
    assert {name for name, found in uncertain.items() if found == recent} == {"local", "untold"}
    assert {name for name, found in uncertain.items() if not found} == uncertain.keys() - {"local", "untold"}
    assert any(line.endswith("speaks chat, messages") and "told" in line for line in registry.explain())


POOL = """
providers:
  gpu:
    kind: llamacpp
    api_key: $GPU_KEY
    endpoints: [{base_url: "http://gpu-1:9001/v1/", weight: 3}, {base_url: $SECOND}]
    balance: least_busy
    sticky: session
    max_in_flight: 4
    max_queued: 16
  local: {endpoints: [{base_url: "http://127.0.0.1:1"}, {base_url: "http://127.0.0.1:2"}]}
  alone: {kind: compatible, endpoints: [{base_url: "http://127.0.0.1:3/v1"}]}
models:
  smart:
    targets: [gpu/a, {target: openai, when: {has_images: true}}]
    fallback_on: {context_length: local/b}
    rescue: prefill
"""
POOL_KEYS = {"GPU_KEY": "a-key-of-some-length", "SECOND": "http://127.0.0.1:9002"}


def test_endpoints_of_a_provider(loading: Load) -> None:
    registry = loading(POOL, POOL_KEYS)
    gpu = registry.providers["gpu"]
    assert [(one.name, one.weight) for one in gpu.endpoints] == [("http://gpu-1:9001", 3), ("http://127.0.0.1:9002", 1)]
    assert gpu.replicas == gpu.endpoints
    assert gpu.base_url == "http://gpu-1:9001"
    assert gpu.sharing == Sharing("least_busy", "session", 4, 16)
    assert registry.notices == ("provider 'gpu' is sent its key unencrypted: http://gpu-1:9001 is no https:// address",)
    openai = registry.providers["openai"]
    assert (openai.endpoints, [one.name for one in openai.replicas]) == ((), ["https://api.openai.com/v1"])
    assert openai.sharing == Sharing("round_robin", None, None, 0)
    assert registry.providers["demo"].replicas == ()


@pytest.mark.parametrize("from_mode", [False, True])
def test_an_address_from_outside_wins_over_all_endpoints(loading: Load, from_mode: bool) -> None:
    url = "http://127.0.0.1:7"
    variables = {} if from_mode else {"PATCHBAY_LOCAL_BASE_URL": url}
    registry = loading(POOL, {**POOL_KEYS, **variables}, local_base_url=url if from_mode else None)
    assert (registry.local.base_url, registry.local.endpoints) == (url, ())
    name = "--mode" if from_mode else "PATCHBAY_LOCAL_BASE_URL"
    assert f"provider 'local': the address in {name} counts, its endpoints do not" in registry.notices


def test_plans_and_endpoints_are_explained(loading: Load) -> None:
    text = "\n".join(loading(POOL, POOL_KEYS).explain())
    for expected in (
        "gpu (llamacpp) http://gpu-1:9001 (weight 3), http://127.0.0.1:9002 (weight 1), least busy, sticky by session, "
        "at most 4 calls at once at each, 16 waiting: key set",
        "local (llamacpp) http://127.0.0.1:1 (weight 1), http://127.0.0.1:2 (weight 1), round robin: no key needed",
        "alone (compatible) http://127.0.0.1:3/v1 (weight 1): no key needed",
        "smart → gpu/a, then openai if with images; on context_length local/b; a stream that breaks off goes on at the "
        "next target (registry.yaml:",
    ):
        assert expected in text
