"""scripts/clients with a pretended npm: no network, nothing installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rig import ROOT

TOOLS = ("bash", "dirname", "find", "grep", "head", "ln", "mkdir", "mv", "rm", "timeout")
# It writes down how it was called, and brings one program of each package for this machine.
NPM = """#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
[ -z "${NPM_EXIT:-}" ] || { echo "npm warn nothing"; echo "npm error no network"; exit "$NPM_EXIT"; }
for place in @anthropic-ai/claude-code-linux-x64/claude @openai/codex-linux-x64/vendor/x86_64/bin/codex; do
    [ "${place##*/}" = "${NPM_WITHOUT:-}" ] && continue
    mkdir -p "$3/node_modules/${place%/*}"
    printf '#!/bin/bash\\necho "$0"\\n' >"$3/node_modules/$place"
    chmod +x "$3/node_modules/$place"
done
"""


class Checkout:
    """A copied script with a PATH of its own."""

    def __init__(self, folder: Path, *, npm: bool) -> None:
        self.folder, self.bin, self.calls = folder, folder / "bin", folder / "calls"
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "clients", folder / "scripts" / "clients")
        self.bin.mkdir()
        for tool in (*TOOLS, "chmod"):
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        if npm:
            (self.bin / "npm").write_text(NPM)
            (self.bin / "npm").chmod(0o755)

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "scripts" / "clients"],
            env={"PATH": str(self.bin), "CALLS": str(self.calls), **env},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def clients(self) -> Path:
        return self.folder / ".clients"

    @property
    def problem(self) -> str:
        return (self.clients / "problem").read_text()


def test_exact_versions_are_installed_once_and_git_does_not_see_them(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, npm=True)
    first = checkout.run()
    assert first.returncode == 0, first.stderr
    for name in ("claude", "codex"):
        place = checkout.clients / "current" / "bin" / name
        assert subprocess.run([place], capture_output=True, check=True, timeout=10).stdout
    assert (checkout.clients / ".gitignore").read_text() == "*\n"
    assert checkout.run().returncode == 0
    (call,) = checkout.calls.read_text().splitlines()
    assert "--ignore-scripts" in call
    versions = [word.rpartition("@")[2] for word in call.split() if word.startswith("@")]
    assert len(versions) == 2
    assert all(version.replace(".", "").isdigit() for version in versions)
    assert not list(checkout.clients.glob("filling*"))


def test_without_npm_the_reason_is_left(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, npm=False)
    assert checkout.run().returncode == 1
    assert checkout.problem == "npm is not on PATH\n"


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"NPM_EXIT": "1"}, "npm could not install them: npm error no network\n"),
        ({"NPM_WITHOUT": "codex"}, "the package of codex has no program for this machine\n"),
    ],
)
def test_what_goes_wrong_is_left_and_forgotten_when_it_works(tmp_path: Path, env: dict[str, str], reason: str) -> None:
    checkout = Checkout(tmp_path, npm=True)
    assert checkout.run(**env).returncode == 1
    assert checkout.problem == reason
    assert not list(checkout.clients.glob("filling*"))
    assert checkout.run().returncode == 0
    assert not (checkout.clients / "problem").exists()
