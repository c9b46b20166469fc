"""Providers without a key: they are not asked, whatever stands where the key should be, and everybody is told."""

from collections.abc import Iterator

import pytest

from tests.rig import run_command
from tests.rig_gateway import DIALECTS, Behind, Gateway, ask, run_gateway

KEYLESS = {
    "anthropic": ("claude-9", "ANTHROPIC_API_KEY"),
    "openai": ("gpt-9", "OPENAI_API_KEY"),
    "openrouter": ("smart", "OPENROUTER_API_KEY"),
    "groq": ("groq/some-model", "GROQ_API_KEY"),
    "hasty": ("hasty/m", "HASTY_API_KEY"),
}


@pytest.fixture(name="keyless", scope="module")
def fixture_keyless(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Every way in which a key can be none."""
    env = {
        "ANTHROPIC_API_KEY": "   ",
        "OPENAI_API_KEY": "changeme",
        "OPENROUTER_API_KEY": "",
        "GROQ_API_KEY": "sk-xxx",
        "HASTY_API_KEY": "your-key-here",
    }
    text = all_upstreams.registry() + "  both: {targets: [groq/some-model, local/x]}\n"
    folder = tmp_path_factory.mktemp("keyless")
    with run_gateway("serve", all_upstreams, folder, registry=text, env=env) as gateway:
        yield gateway


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("provider", KEYLESS)
def test_who_has_no_key_is_not_asked(
    keyless: Gateway, upstreams: Behind, provider: str, dialect: str, stream: bool
) -> None:
    answer = keyless.post(*ask(dialect, KEYLESS[provider][0], stream=stream))
    error = answer.json()["error"]
    assert answer.status == (529 if dialect == "messages" else 503)
    code = error["details"]["error_code"] if dialect == "messages" else error["code"]
    assert code == "provider_not_configured"
    assert provider in error["message"]
    assert not upstreams.posts()


def test_who_has_no_key_is_told_everywhere(keyless: Gateway, upstreams: Behind) -> None:
    output = keyless.program.wait_for_output("Try it", 10)
    states = {one["name"]: one["state"] for one in keyless.get("/patchbay/health").json()["providers"]}
    for provider, (_, variable) in KEYLESS.items():
        assert states[provider] == "no key"
        assert f"no key: set {variable}" in output
        assert f"{variable} is empty or a placeholder, so it counts as not set" in output
    assert "sk-xxx" not in output
    assert keyless.post(*ask("chat", "both")).get("x-patchbay-provider") == "local"
    assert not upstreams.external.requests


def test_patchbay_models_tells_them(keyless: Gateway) -> None:
    told = run_command(["models", "--registry", str(keyless.folder / "registry.yaml")], keyless.env, keyless.folder)
    assert told.returncode == 0, told.stderr
    for provider, (_, variable) in KEYLESS.items():
        assert f"{provider}: no key: set {variable}" in told.stderr
