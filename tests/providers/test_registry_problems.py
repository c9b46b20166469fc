"""What a wrong configuration is told: place, key, what is wrong, what is allowed, the nearest spelling."""

from pathlib import Path

import pytest

from providers.errors import ConfigurationError
from providers.registry import load


def refused(folder: Path, text: str | None, environ: dict[str, str] | None = None) -> list[str]:
    if text is not None:
        (folder / "registry.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load(environ or {}, folder, root=None)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "provider: x",
            "registry.yaml:1: provider: is no field here; allowed: default_provider, models, providers, "
            "settings; did you mean 'providers'?",
        ),
        (
            "providers:\n  x: {kind: opnai}",
            "registry.yaml:2: providers.x.kind: is 'opnai'; allowed: llamacpp, anthropic, openai, openrouter, "
            "compatible, demo; did you mean 'openai'?",
        ),
        (
            "providers:\n  x: {base_url: 'http://h'}",
            "registry.yaml:2: providers.x.kind: is missing; allowed: llamacpp, anthropic, openai, openrouter, "
            "compatible, demo",
        ),
        (
            "providers:\n  x: {kind: compatible}",
            "registry.yaml:2: providers.x.base_url: is missing; allowed: http(s)://HOST[:PORT][/PATH]",
        ),
        ("providers:\n  x: 3", "registry.yaml:2: providers.x: must be a mapping of keys to values, is a number"),
        ("providers:\n  x/y: {kind: demo}", "registry.yaml:2: providers.x/y: must be letters"),
        (
            "providers:\n  openai:\n    base_ur: x",
            "registry.yaml:3: providers.openai.base_ur: is no field here; allowed: api_key",
        ),
        (
            "providers:\n  openai:\n    base_url: nowhere",
            "registry.yaml:3: providers.openai.base_url: must begin with http://",
        ),
        (
            "providers:\n  openai:\n    base_url: $NOT_SET",
            "registry.yaml:3: providers.openai.base_url: refers to NOT_SET, which is not set",
        ),
        (
            "providers:\n  openai:\n    title: x",
            "registry.yaml:3: providers.openai.title: means nothing for the kind 'openai'",
        ),
        (
            "providers:\n  demo:\n    api_key: $X",
            "registry.yaml:3: providers.demo.api_key: means nothing for the kind 'demo'",
        ),
        (
            "providers:\n  openai:\n    api_key: hunter2",
            "registry.yaml:3: providers.openai.api_key: is no reference to a variable",
        ),
        ("providers:\n  openai:\n    api_key: ''", "registry.yaml:3: providers.openai.api_key: is empty"),
        (
            "providers:\n  openai:\n    api_key: 5",
            "registry.yaml:3: providers.openai.api_key: must be text, is a number",
        ),
        (
            'providers:\n  openai:\n    organization: "a\\nb"',
            "registry.yaml:3: providers.openai.organization: has a control character",
        ),
        (
            "providers:\n  openai:\n    dialects: [chat, mesages]",
            "registry.yaml:3: providers.openai.dialects.1: is 'mesages'; allowed: chat, messages, responses; "
            "did you mean 'messages'?",
        ),
        ("providers:\n  openai:\n    dialects: []", "registry.yaml:3: providers.openai.dialects: must not be empty"),
        (
            "providers:\n  openai:\n    deadlines: {haed: 3}",
            "registry.yaml:3: providers.openai.deadlines.haed: is no field here; allowed: connect, "
            "first_content, gap, head, total; did you mean 'head'?",
        ),
        (
            "providers:\n  openai:\n    deadlines: {head: fast}",
            "registry.yaml:3: providers.openai.deadlines.head: must be a number, is text",
        ),
        (
            "providers:\n  openai:\n    deadlines: {head: 0}",
            "registry.yaml:3: providers.openai.deadlines.head: input should be greater than 0",
        ),
        ("models:\n  a: b\n  b: c\n  c: a", "registry.yaml:2: models.a: is an alias loop: a → b → c → a"),
        ("models:\n  a: a", "registry.yaml:2: models.a: is an alias loop: a → a"),
        (
            "models:\n  a: opnai/gpt",
            "registry.yaml:2: models.a: leads to 'opnai/gpt', which is neither provider[/model] nor an alias; "
            "allowed: a model of local, anthropic, openai, openrouter, demo; did you mean 'openai'?",
        ),
        ("models:\n  'a-*': nobody", "registry.yaml:2: models.a-*: leads to 'nobody'"),
        ("models:\n  a: [x]", "registry.yaml:2: models.a: must be a mapping of keys to values, is a list"),
        ("models:\n  a: ''", "registry.yaml:2: models.a.target: must not be empty"),
        (
            "models:\n  a: {target: local, fallback_on: {}}",
            "registry.yaml:2: models.a.fallback_on: is no field here; allowed: deadlines, params, quirks, target",
        ),
        ("models:\n  a: {target: local, params: {model: x}}", "registry.yaml:2: models.a: params cannot hold 'model'"),
        (
            "default_provider: opnai",
            "registry.yaml:1: default_provider: 'opnai' is no provider; allowed: local, anthropic, openai, "
            "openrouter, demo; did you mean 'openai'?",
        ),
        (
            "settings: {bodies: al}",
            "registry.yaml:1: settings.bodies: is 'al'; allowed: none, errors, all; did you mean 'all'?",
        ),
        ("settings: {allow_remote: 'yes'}", "registry.yaml:1: settings.allow_remote: must be true or false, is text"),
        ("settings: {listen: '8088'}", "registry.yaml:1: settings.listen: '8088' is not HOST:PORT; allowed: HOST:PORT"),
        ("settings: {listne: x}", "registry.yaml:1: settings.listne: is no field here"),
        ("a: [", "registry.yaml:1: is not YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(tmp_path: Path, text: str, expected: str) -> None:
    (said,) = refused(tmp_path, text)
    assert said.startswith(expected)
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"PATCHBAY_BODIES": "al"},
            "environment: PATCHBAY_BODIES: is 'al'; allowed: none, errors, all; did you mean 'all'?",
        ),
        ({"PATCHBAY_RETENTION_DAYS": "x"}, "environment: PATCHBAY_RETENTION_DAYS: must be a whole number, is text"),
        ({"PATCHBAY_LISTEN": "x"}, "environment: PATCHBAY_LISTEN: 'x' is not HOST:PORT"),
        ({"PATCHBAY_DEFAULT_PROVIDER": "x"}, "environment: PATCHBAY_DEFAULT_PROVIDER: 'x' is no provider"),
        ({"PATCHBAY_ROUTES": "x"}, "environment: PATCHBAY_ROUTES: 'x' is no route; allowed: pattern=provider[/model]"),
        ({"PATCHBAY_ROUTES": "a*=local,a*=demo"}, "environment: PATCHBAY_ROUTES: 'a*' stands twice"),
        ({"PATCHBAY_ROUTES": "a*=nobody"}, "environment: PATCHBAY_ROUTES: leads to 'nobody'"),
        ({"PATCHBAY_OPENAI_BASE_URL": "x"}, "environment: PATCHBAY_OPENAI_BASE_URL: must begin with http://"),
        ({"OPENAI_API_KEY": "hunter2 x"}, "environment: OPENAI_API_KEY: has white space inside"),
        ({"OPENAI_API_KEY_FILE": "gone"}, "environment: OPENAI_API_KEY_FILE: names "),
        ({"PATCHBAY_REGISTRY": "gone.yaml"}, "gone.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_is_wrong_in_the_environment_is_told(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    (said,) = refused(tmp_path, None, environ)
    assert said.startswith(expected)
    assert "hunter2" not in said
