"""A copied checkout whose Pythons are pretended, for the tests of the shell scripts: no network, no installation."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = ("bootstrap.sh", "patchbay", "serve", "test")
TOOLS = (
    *("bash", "cat", "chmod", "cksum", "cp", "cut", "dirname", "env", "find", "grep", "ls", "mkdir", "mv", "readlink"),
    *("rm", "sed", "sha256sum", "shasum", "sleep", "tail", "tr", "uname"),
)
LOCKS = ("requirements.lock", "requirements-local.lock", "requirements-dev.lock")
# A Python that answers the questions bootstrap.sh asks, and writes down that it was run.
PYTHON = """#!/usr/bin/env bash
printf '%s %s\\n' "$0" "$*" >>"$CALLS"
case "$*" in
*"-m venv"*) mkdir -p "${!#}/bin"; cp "$0" "${!#}/bin/python" ;;
*"-m pip install"*)
    echo "pip's own words"
    [ -z "${PIP_WAIT:-}" ] || sleep "$PIP_WAIT"
    exit "${PIP_EXIT:-0}" ;;
*ensurepip*) ANSWER ;;
*"import sys, pip"*) echo True ;;
*) echo "ran $*" ;;
esac
"""
SHIM = "#!/usr/bin/env bash\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"


def pretended(answer: str) -> str:
    """The pretended Python's text; ``answer`` is the shell command that answers the probe."""
    return PYTHON.replace("ANSWER", answer)


@dataclass
class Tree:
    """A copied checkout and the small world around it."""

    root: Path
    bin: Path
    calls_file: Path
    environ: dict[str, str] = field(default_factory=dict)

    def put(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def python(self, name: str, minor: int = 13, answer: str = "") -> None:
        self.put(self.bin / name, pretended(answer or f"echo patchbay 3 {minor}"))

    def command(self, lock: str) -> list[str]:
        start = 'set -euo pipefail; . "$0/scripts/bootstrap.sh"; bootstrap "$1"; echo ready'
        return ["bash", "-c", start, str(self.root), lock]

    def start(self, lock: str = "requirements.lock") -> subprocess.CompletedProcess[str]:
        return self.run(*self.command(lock))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=30, check=False)

    def calls(self, of: str = "") -> list[str]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [line for line in lines if of in line]

    def stamps(self) -> list[str]:
        return sorted(path.name for path in (self.root / ".venv").glob(".patchbay*"))


def make_tree(tmp_path: Path) -> Tree:
    root = tmp_path / "a check out"  # a blank in the path is the classic that breaks shell scripts
    bin_ = tmp_path / "bin"
    (root / "scripts").mkdir(parents=True)
    bin_.mkdir()
    for name in SCRIPTS:
        shutil.copy(REPOSITORY / "scripts" / name, root / "scripts" / name)
    for lock in LOCKS:
        (root / lock).write_text(f"# {lock}\nthing==1 \\\n    --hash=sha256:00\n")
    for tool in TOOLS:
        if found := shutil.which(tool):
            (bin_ / tool).symlink_to(found)
    calls = tmp_path / "calls"
    return Tree(root, bin_, calls, {"PATH": str(bin_), "HOME": str(tmp_path / "home"), "CALLS": str(calls)})


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
