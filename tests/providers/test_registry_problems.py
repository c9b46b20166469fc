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
            "registry.yaml:1:1: provider: is no field here; allowed: default_provider, models, providers, "
            "settings; did you mean 'providers'?",
        ),
        (
            "providers:\n  x: {kind: opnai}",
            "registry.yaml:2:7: providers.x.kind: is 'opnai'; allowed: llamacpp, anthropic, openai, openrouter, "
            "compatible, demo; did you mean 'openai'?",
        ),
        (
            "providers:\n  x: {base_url: 'http://h'}",
            "registry.yaml:2:3: providers.x.kind: is missing; allowed: llamacpp, anthropic, openai, openrouter, "
            "compatible, demo",
        ),
        (
            "providers:\n  x: {kind: compatible}",
            "registry.yaml:2:3: providers.x.base_url: is missing; allowed: http(s)://HOST[:PORT][/PATH]",
        ),
        ("providers:\n  x: 3", "registry.yaml:2:3: providers.x: must be a mapping of keys to values, is a number"),
        ("providers:\n  x/y: {kind: demo}", "registry.yaml:2:3: providers.x/y: must be letters"),
        (
            "providers:\n  openai:\n    base_ur: x",
            "registry.yaml:3:5: providers.openai.base_ur: is no field here; allowed: api_key",
        ),
        (
            "providers:\n  openai:\n    base_url: nowhere",
            "registry.yaml:3: providers.openai.base_url: must begin with http://",
        ),
        (
            "providers:\n  openai:\n    base_url: $NOT_SET",
            "registry.yaml:3:5: providers.openai.base_url: refers to NOT_SET, which is not set",
        ),
        (
            "providers:\n  openai:\n    title: x",
            "registry.yaml:3:5: providers.openai.title: means nothing for the kind 'openai'",
        ),
        (
            "providers:\n  demo:\n    api_key: $X",
            "registry.yaml:3:5: providers.demo.api_key: means nothing for the kind 'demo'",
        ),
        (
            "providers:\n  openai:\n    api_key: hunter2",
            "registry.yaml:3:5: providers.openai.api_key: is no reference to a variable",
        ),
        ("providers:\n  openai:\n    api_key: ''", "registry.yaml:3:5: providers.openai.api_key: is empty"),
        (
            "providers:\n  openai:\n    api_key: 5",
            "registry.yaml:3:5: providers.openai.api_key: must be text, is a number",
        ),
        (
            'providers:\n  openai:\n    organization: "a\\nb"',
            "registry.yaml:3: providers.openai.organization: has a control character",
        ),
        (
            "providers:\n  openai:\n    dialects: [chat, mesages]",
            "registry.yaml:3:22: providers.openai.dialects.1: is 'mesages'; allowed: chat, messages, responses; "
            "did you mean 'messages'?",
        ),
        ("providers:\n  openai:\n    dialects: []", "registry.yaml:3:5: providers.openai.dialects: must not be empty"),
        (
            "providers:\n  openai:\n    deadlines: {haed: 3}",
            "registry.yaml:3:17: providers.openai.deadlines.haed: is no field here; allowed: connect, "
            "first_content, gap, head, total; did you mean 'head'?",
        ),
        (
            "providers:\n  openai:\n    deadlines: {head: fast}",
            "registry.yaml:3:17: providers.openai.deadlines.head: must be a number, is text",
        ),
        (
            "providers:\n  openai:\n    deadlines: {head: 0}",
            "registry.yaml:3:17: providers.openai.deadlines.head: input should be greater than 0",
        ),
        ("models:\n  a: b\n  b: c\n  c: a", "registry.yaml:2:3: models.a: is an alias loop: a → b → c → a"),
        ("models:\n  a: a", "registry.yaml:2:3: models.a: is an alias loop: a → a"),
        (
            "models:\n  a: opnai/gpt",
            "registry.yaml:2:3: models.a: leads to 'opnai/gpt', which is neither provider[/model] nor an alias; "
            "allowed: a model of local, anthropic, openai, openrouter, demo; did you mean 'openai'?",
        ),
        ("models:\n  'a-*': nobody", "registry.yaml:2:3: models.a-*: leads to 'nobody'"),
        ("models:\n  a: [x]", "registry.yaml:2:3: models.a: must be a mapping of keys to values, is a list"),
        ("models:\n  a: ''", "registry.yaml:2:3: models.a.target: must not be empty"),
        (
            "models:\n  a: {target: local, fallback: {}}",
            "registry.yaml:2:22: models.a.fallback: is no field here; allowed: deadlines, fallback_on, params, price, "
            "quirks, rescue, target, targets; did you mean 'fallback_on'?",
        ),
        ("models:\n  a: {params: {x: 1}}", "registry.yaml:2:3: models.a: leads nowhere: it needs target, or targets"),
        (
            "models:\n  a: {target: local, targets: [demo]}",
            "registry.yaml:2:3: models.a: has target and targets: write",
        ),
        ("models:\n  a:\n    targets: []", "registry.yaml:3:5: models.a.targets: must not be empty"),
        ("models:\n  a:\n    targets: demo", "registry.yaml:3:5: models.a.targets: must be a list, is text"),
        ("models:\n  a: {targets: [demo, local, demo]}", "registry.yaml:2:3: models.a: has 'demo' twice in targets"),
        (
            "models:\n  a:\n    targets:\n      - local\n      - opnai/x",
            "registry.yaml:5:9: models.a.targets.1: leads to 'opnai/x', which is neither provider[/model] nor an "
            "alias; allowed: a model of local, anthropic, openai, openrouter, demo; did you mean 'openai'?",
        ),
        (
            "models:\n  a:\n    targets:\n      - {target: local, wen: {}}",
            "registry.yaml:4:25: models.a.targets.0.wen: is no field here; allowed: deadlines, params, price, quirks, "
            "target, when; did you mean 'when'?",
        ),
        (
            "models:\n  a:\n    targets:\n      - target: local\n        when: {has_tool: true}",
            "registry.yaml:5:16: models.a.targets.0.when.has_tool: is no field here; allowed: has_images, has_tools, "
            "header, session, time, tokens_over; did you mean 'has_tools'?",
        ),
        (
            "models:\n  a: {targets: [{target: local, when: {}}]}",
            "registry.yaml:2:33: models.a.targets.0.when: has no cond",
        ),
        (
            "models:\n  a: {targets: [{target: local, when: {has_tools: 1}}]}",
            "registry.yaml:2:40: models.a.targets.0.when.has_tools: must be true or false, is a number",
        ),
        (
            "models:\n  a: {targets: [{target: local, when: {tokens_over: -1}}]}",
            "registry.yaml:2:40: models.a.targets.0.when.tokens_over: input should be greater than or equal to 0",
        ),
        (
            "models:\n  a: {targets: [{target: local, when: {time: '22-6'}}]}",
            "registry.yaml:2:40: models.a.targets.0.when.time: is no span of time such as 22:00-06:00",
        ),
        (
            "models:\n  a: {targets: [{target: local, when: {header: {'x y': a}}}]}",
            "registry.yaml:2:49: models.a.targets.0.when.header.x y: must be letters",
        ),
        (
            "models:\n  a:\n    targets: [{target: local, params: {stream: true}}]",
            "registry.yaml:3:15: models.a.targets.0: params cannot hold 'stream'",
        ),
        (
            "models:\n  a:\n    target: local\n    fallback_on: {contxt_length: demo}",
            "registry.yaml:4:19: models.a.fallback_on.contxt_length: is 'contxt_length'; allowed: refused, dns, tls, "
            "connect_timeout, reset, cut, stall, server_error, gateway_timeout, overloaded, loading, rate_limit, "
            "spend_limit, auth, context_length, content_filter, malformed, unsupported; did you mean 'context_length'?",
        ),
        (
            "models:\n  a:\n    target: local\n    fallback_on: {auth: nobody}",
            "registry.yaml:4:19: models.a.fallback_on.auth: leads to 'nobody'",
        ),
        (
            "models:\n  a: {target: local, rescue: prefil}",
            "registry.yaml:2:22: models.a.rescue: is 'prefil'; allowed: none, prefill; did you mean 'prefill'?",
        ),
        (
            "models:\n  a: {targets: [local, b]}\n  b: {target: demo, fallback_on: {auth: a}}",
            "registry.yaml:2:3: models.a: is an alias loop: a → b → a",
        ),
        (
            "models:\n  a: {target: local, fallback_on: {auth: a}}",
            "registry.yaml:2:3: models.a: is an alias loop: a → a",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: [{base_url: 'http://h', wait: 2}]}",
            "registry.yaml:2:60: providers.x.endpoints.0.wait: is no field here; allowed: base_url, weight; did you "
            "mean 'weight'?",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: [{weight: 2}]}",
            "registry.yaml:2:37: providers.x.endpoints.0.base_url: is missing",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: [{base_url: 'http://h', weight: 0}]}",
            "registry.yaml:2:60: providers.x.endpoints.0.weight: input should be greater than or equal to 1",
        ),
        (
            "providers:\n  x:\n    kind: compatible\n    endpoints:\n      - base_url: nowhere",
            "registry.yaml:5: providers.x.endpoints.0.base_url: must begin with http://",
        ),
        (
            "providers:\n  x:\n    kind: compatible\n    endpoints:\n      - base_url: $NOT_SET",
            "registry.yaml:5:9: providers.x.endpoints.0.base_url: refers to NOT_SET, which is not set",
        ),
        (
            "providers:\n  x:\n    kind: compatible\n    endpoints:\n      - base_url: http://h\n"
            "      - base_url: http://h:80/",
            "registry.yaml:6: providers.x.endpoints.1.base_url: is http://h, which stands twice",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: [{base_url: 'http://127.0.0.1:8088'}]}",
            "registry.yaml:2: providers.x.endpoints.0.base_url: is http://127.0.0.1:8088, where Patchbay itself",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: []}",
            "registry.yaml:2:25: providers.x.endpoints: must not be",
        ),
        (
            "providers:\n  x: {kind: compatible, base_url: 'http://h', endpoints: [{base_url: 'http://i'}]}",
            "registry.yaml:2:3: providers.x: has base_url and endpoints: write the address into endpoints, too",
        ),
        (
            "providers:\n  openai: {balance: least_busy}",
            "registry.yaml:2:3: providers.openai: has balance, which means nothing without endpoints",
        ),
        (
            "providers:\n  openai: {sticky: session}",
            "registry.yaml:2:3: providers.openai: has sticky, which means nothing without endpoints",
        ),
        (
            "providers:\n  openai: {max_queued: 3}",
            "registry.yaml:2:3: providers.openai: has max_queued, which means nothing without max_in_flight",
        ),
        (
            "providers:\n  x: {kind: compatible, endpoints: [{base_url: 'http://h'}], balance: least_bussy}",
            "registry.yaml:2:62: providers.x.balance: is 'least_bussy'; allowed: round_robin, least_busy; did you mean "
            "'least_busy'?",
        ),
        (
            "providers:\n  demo: {endpoints: [{base_url: 'http://h'}]}",
            "registry.yaml:2:10: providers.demo.endpoints: means nothing for the kind 'demo'",
        ),
        (
            "models:\n  a: {target: local, quirks: {tool_id: '['}}",
            "registry.yaml:2:31: models.a.quirks.tool_id: is no regular expression",
        ),
        (
            "models:\n  a: {target: local, params: {model: x}}",
            "registry.yaml:2:3: models.a: params cannot hold 'model'",
        ),
        (
            "default_provider: opnai",
            "registry.yaml:1:1: default_provider: 'opnai' is no provider; allowed: local, anthropic, openai, "
            "openrouter, demo; did you mean 'openai'?",
        ),
        (
            "settings: {bodies: al}",
            "registry.yaml:1:12: settings.bodies: is 'al'; allowed: none, errors, all; did you mean 'all'?",
        ),
        (
            "settings: {allow_remote: 'yes'}",
            "registry.yaml:1:12: settings.allow_remote: must be true or false, is text",
        ),
        (
            "settings: {listen: '8088'}",
            "registry.yaml:1:12: settings.listen: '8088' is not HOST:PORT; allowed: HOST:PORT",
        ),
        ("settings: {listne: x}", "registry.yaml:1:12: settings.listne: is no field here"),
        ("a: [", "registry.yaml:1:5: is not YAML"),
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
