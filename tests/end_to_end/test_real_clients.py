"""Real coding agents in front, a real engine behind: each does a turn with a tool call, straight and across dialects.

`scripts/clients` installs them. They run with a fake key and an empty HOME, and beyond loopback
there is only a proxy that refuses them.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fake_dialects import WORDS
from tests.fake_ports import refused_port
from tests.rig import ROOT, Program, run_serve
from tests.rig_client import Json, finished
from tests.rig_gateway import Behind
from tests.rig_translation import assert_valid_request, engine_registry, run_translating

pytestmark = pytest.mark.slow

CLIENTS = ROOT / ".clients"
MARKER = "tiny-model-was-here"  # what the model has the agents' shells print
CLOSING = "The tool has answered, so this turn is complete."
FAKE_KEY = "sk-a-fake-key-of-the-client"
PATIENCE = 90.0  # seconds for one turn of two calls, each of 10,000 to 40,000 tokens
QUIET = {
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}
CODEX_CONFIG = """\
model = "{model}"
model_provider = "patchbay"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.patchbay]
name = "Patchbay"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "PATCHBAY_CLIENT_KEY"
request_max_retries = 0
stream_max_retries = 0
"""


def program(name: str) -> str:
    """Where `scripts/clients` put a client; skips, saying why it is not there."""
    place = CLIENTS / "current" / "bin" / name
    if not place.exists():
        problem = CLIENTS / "problem"
        reason = problem.read_text().strip() if problem.exists() else "scripts/clients has not been run"
        pytest.skip(f"{name} is not installed: {reason}")
    try:
        subprocess.run([place, "--version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{name} does not run here: {error}")
    return str(place)


@dataclass(frozen=True, slots=True)
class Place:
    """The running product in front of the engine, and a world of its own for each client."""

    running: Program
    database: Path
    folder: Path
    nowhere: int

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> list[Json]:
        """A client's whole output, a JSON object a line; AssertionError with its words when it fails."""
        nowhere = f"http://127.0.0.1:{self.nowhere}"
        proxies = {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1"}
        work = self.folder / "work"
        work.mkdir()
        done = subprocess.run(
            command,
            cwd=work,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **QUIET, **proxies, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def rows(self, dialect: str, model: str) -> list[Json]:
        """The two calls of a turn, in order."""
        sql = "select * from exchanges where outcome is not null and dialect = ? and requested_model = ? order by id"
        return finished(self.database, sql, dialect, model, count=2)


@pytest.fixture(name="through", scope="module")
def fixture_through(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Path]]:
    folder = tmp_path_factory.mktemp("real-clients")
    registry = folder / "registry.yaml"
    registry.write_text(engine_registry(engine))
    database = folder / "patchbay.db"
    with run_serve(engine, {"PATCHBAY_REGISTRY": str(registry), "PATCHBAY_DB": str(database)}, folder) as running:
        yield running, database
        assert "Traceback" not in running.output


@pytest.fixture(name="place")
def fixture_place(through: tuple[Program, Path], tmp_path: Path) -> Iterator[Place]:
    with refused_port() as nowhere:
        yield Place(*through, tmp_path, nowhere)


def assert_a_turn_is_recorded(rows: list[Json], provider: str) -> None:
    """Two calls that went well: one that ends with the tool's call, one that closes the turn; both in one session."""
    assert [(row["provider"], row["status"], row["outcome"]) for row in rows] == [(provider, 200, "ok")] * 2
    assert [row["finish_reason"] for row in rows] == ["tool_calls", "stop"]
    assert all(row["stream"] and row["input_tokens"] > 1000 and row["output_tokens"] for row in rows)
    assert rows[0]["session_id"]
    assert rows[0]["session_id"] == rows[1]["session_id"]
    translated = provider != "local"
    assert [bool(row["translation"]) for row in rows] == [translated, translated]


def claude_code(place: Place, model: str, prompt: str) -> list[Json]:
    """One turn of Claude Code; its events."""
    options = ["--allowedTools", "Bash", "--output-format", "stream-json", "--verbose"]
    return place.run(
        [program("claude"), "-p", prompt, "--model", model, *options],
        {"ANTHROPIC_BASE_URL": place.running.url, "ANTHROPIC_API_KEY": FAKE_KEY},
    )


def codex(place: Place, model: str, prompt: str) -> list[Json]:
    """One turn of Codex; its events."""
    home = place.folder / "codex"
    home.mkdir()
    (home / "config.toml").write_text(CODEX_CONFIG.format(model=model, url=place.running.url))
    return place.run(
        [program("codex"), "exec", "--skip-git-repo-check", "--json", prompt],
        {"CODEX_HOME": str(home), "PATCHBAY_CLIENT_KEY": FAKE_KEY},
    )


@pytest.mark.engine
@pytest.mark.parametrize("model", ["tiny", "only-chat/tiny", "only-responses/tiny"])
def test_claude_code_does_a_turn(place: Place, model: str) -> None:
    told = claude_code(place, model, "USE_TOOL")
    blocks = [
        block for event in told if event["type"] in ("assistant", "user") for block in event["message"]["content"]
    ]
    (call,) = [block for block in blocks if block["type"] == "tool_use"]
    (result,) = [block for block in blocks if block["type"] == "tool_result"]
    assert (call["name"], result["tool_use_id"]) == ("Bash", call["id"])
    assert MARKER in call["input"]["command"]
    assert (result["content"], bool(result["is_error"])) == (MARKER, False)
    (last,) = [event for event in told if event["type"] == "result"]
    assert (last["is_error"], last["num_turns"]) == (False, 2)
    assert last["result"].startswith(CLOSING)
    assert last["usage"]["input_tokens"] + last["usage"]["cache_read_input_tokens"] > 10_000
    assert_a_turn_is_recorded(place.rows("messages", model), model.rpartition("/")[0] or "local")


@pytest.mark.engine
@pytest.mark.parametrize("model", ["tiny", "only-chat/tiny", "only-messages/tiny"])
def test_codex_does_a_turn(place: Place, model: str) -> None:
    told = codex(place, model, "USE_TOOL")
    items = [event["item"] for event in told if event["type"] == "item.completed"]
    (command,) = [item for item in items if item["type"] == "command_execution"]
    assert (command["exit_code"], command["aggregated_output"].strip()) == (0, MARKER)
    assert [item["text"] for item in items if item["type"] == "agent_message"][-1].startswith(CLOSING)
    (last,) = [event for event in told if event["type"] == "turn.completed"]
    assert last["usage"]["input_tokens"] > 10_000
    assert not [event for event in told if event["type"] in ("error", "turn.failed")]
    assert_a_turn_is_recorded(place.rows("responses", model), model.rpartition("/")[0] or "local")


@pytest.mark.parametrize(
    ("agent", "provider"),
    [(claude_code, "chat"), (claude_code, "responses"), (codex, "chat"), (codex, "messages")],
)
def test_what_an_agent_sends_becomes_a_valid_request(
    all_upstreams: Behind, tmp_path: Path, agent: Callable[[Place, str, str], list[Json]], provider: str
) -> None:
    """Dozens of tools, long instructions, marks and betas: all of it must be something the provider understands."""
    all_upstreams.external.reset()
    all_upstreams.local.reset()
    with run_translating("serve", all_upstreams, tmp_path / "gateway") as gateway, refused_port() as nowhere:
        told = agent(Place(gateway.program, gateway.database, tmp_path, nowhere), f"only-{provider}/m", "Say hello")
    assert "".join(WORDS) in repr(told)
    (request,) = all_upstreams.posts()
    body = json.loads(request.body)
    assert_valid_request(provider, body)
    assert len(body["tools"]) > 5
    text = request.body.decode()
    assert "Say hello" in text
    assert "x-anthropic-billing-header" not in text
    assert FAKE_KEY not in repr((request.head, text))
    assert not [name for name, _ in request.headers if name.lower().startswith(("anthropic-beta", "x-app", "x-claude"))]
