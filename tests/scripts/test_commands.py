"""`patchbay route`, `check` and `models` against a local server that is there, and one that is not."""

import json
from pathlib import Path

import pytest

from tests.scripts.conftest import Run


@pytest.mark.usefixtures("local_server")
def test_route_tells_rule_provider_and_what_is_sent(folder: Path, run: Run) -> None:
    with (folder / "registry.yaml").open("a") as file:
        file.write('models: {smart: {target: local/qwen3-8b, params: {temperature: 0.2}}, "big-*": anthropic}\n')
    shown = run("route", "smart", "qwen3-8b", "local/x", "big-1", "")
    assert shown.exit_code == 0
    answers = shown.output.split("\n\n")
    rules = [line.split()[1] for line in shown.output.splitlines() if line.startswith("  rule ")]
    assert rules == ["alias", "local_model", "provider_prefix", "pattern", "default"]
    assert "  params     temperature = 0.2" in answers[0]
    assert "  model sent qwen3-8b" in answers[0]
    assert "connect 5 s, head 600 s, first content 600 s, gap 120 s, total 3600 s" in answers[0]
    assert "  state      no key: set ANTHROPIC_API_KEY" in answers[3]
    assert answers[4].startswith("(no model)\n")


@pytest.mark.usefixtures("folder")
def test_route_says_when_the_local_server_could_not_be_asked(run: Run) -> None:
    shown = run("route", "qwen3-8b")
    assert shown.exit_code == 0
    assert "  rule       default" in shown.output
    assert "  state      unreachable: connection refused" in shown.output
    assert "cannot be asked for its ids (connection refused)" in shown.output


def test_check_explains_a_valid_configuration_without_keys(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-1234567890abcdef")
    shown = run("check")
    assert shown.exit_code == 0
    assert str(folder / "registry.yaml") in shown.output
    assert "openai (openai)" in shown.output
    assert shown.output.endswith("the configuration is valid\n")
    assert "canary" not in shown.output


@pytest.mark.parametrize("command", [["check"], ["route", "x"], ["models"], ["serve"]])
def test_a_wrong_configuration_ends_every_command_with_2(folder: Path, run: Run, command: list[str]) -> None:
    (folder / "registry.yaml").write_text("default_provder: local\n")
    shown = run(*command)
    assert shown.exit_code == 2
    assert "registry.yaml:1" in shown.output
    assert "default_provider" in shown.output  # the nearest spelling


def test_registry_option_names_another_file(folder: Path, run: Run) -> None:
    (folder / "other.yaml").write_text("models: {fast: local/qwen3-8b}\n")
    assert "fast → local/qwen3-8b" in run("check", "--registry", "other.yaml").output
    assert run("check", "--registry", "gone.yaml").exit_code == 2


@pytest.mark.usefixtures("local_server")
def test_models_lists_the_local_ones_first_and_names_who_is_missing(run: Run) -> None:
    shown = run("models")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "PROVIDER", "STATUS", "CONTEXT", "READS"]
    assert lines[1].split()[:4] == ["qwen3-8b", "local", "loaded", "40,960"]
    assert lines[2].split()[:3] == ["nomic-embed", "local", "unloaded"]
    assert any(line.startswith("demo ") for line in lines)
    assert "anthropic: no key: set ANTHROPIC_API_KEY" in shown.stderr


@pytest.mark.usefixtures("local_server")
def test_models_as_json_is_what_clients_get(run: Run) -> None:
    listed = json.loads(run("models", "--json").stdout)
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]][:2] == ["qwen3-8b", "nomic-embed"]
    assert listed["data"][0]["owned_by"] == "local"


@pytest.mark.usefixtures("local_server")
def test_route_tells_each_target_of_a_plan(folder: Path, run: Run) -> None:
    with (folder / "registry.yaml").open("a") as file:
        file.write("""models:
  smart:
    targets: [{target: gpu/a, when: {has_tools: true, time: "22:00-06:00"}}, local/qwen3-8b]
    fallback_on: {context_length: anthropic/big}
    rescue: prefill
""")
    text = (folder / "registry.yaml").read_text()
    gpu = (
        "gpu: {kind: llamacpp, endpoints: [{base_url: http://127.0.0.1:1, weight: 3}, {base_url: http://127.0.0.1:2}]}"
    )
    (folder / "registry.yaml").write_text(text.replace("providers: {", f"providers: {{{gpu}, "))
    shown = run("route", "smart")
    assert shown.exit_code == 0
    first, second = shown.output.split("  target 1\n")[1].split("  target 2\n")
    assert "gpu (llamacpp), http://127.0.0.1:1 (weight 3), http://127.0.0.1:2 (weight 1), round robin" in first
    assert "only if    with tools, from 22:00-06:00" in first
    assert "failure    on context_length anthropic/big (not usable: no key: set ANTHROPIC_API_KEY)" in first
    assert "failure    a stream that breaks off goes on at the next target" in second
    assert "only if" not in second
    assert "then to 'local' as 'qwen3-8b'" in shown.output
    assert "smart → gpu/a if with tools, from 22:00-06:00, then local/qwen3-8b; on context" in run("check").output
