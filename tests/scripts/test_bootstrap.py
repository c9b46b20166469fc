"""scripts/bootstrap.sh in a copied checkout, with pretended Pythons: no network, no real installation."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.scripts.pretended import LOCKS, SHIM, Tree, make_tree, pretended, wait_for


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return make_tree(tmp_path)


def test_first_start_installs_with_hashes_and_second_runs_no_python(tree: Tree) -> None:
    tree.python("python3.13")
    first = tree.start()
    assert (first.returncode, first.stdout) == (0, "ready\n"), first.stderr
    assert "installing 1 packages of requirements.lock" in first.stderr
    (pip,) = tree.calls("-m pip install")
    assert "--require-hashes" in pip
    assert "--disable-pip-version-check" in pip
    assert "index" not in pip
    before = tree.calls()
    second = tree.start()
    assert (second.returncode, second.stdout, second.stderr) == (0, "ready\n", "")
    assert tree.calls() == before


def test_a_shim_that_fails_is_passed_over(tree: Tree) -> None:
    shims = tree.bin.parent / "shims"
    tree.put(shims / "python3.13", SHIM)
    tree.python("python3.13")
    tree.environ["PATH"] = f"{shims}:{tree.bin}"
    assert tree.start().returncode == 0
    assert tree.calls("-m venv")[0].startswith(str(tree.bin / "python3.13"))


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("python3", "python3.12", "python3.13", "python3.14"), "python3.14"),
        (("python3", "python3.12"), "python3.12"),
        (("python3",), "python3"),
    ],
)
def test_newest_python_on_path_wins(tree: Tree, installed: tuple[str, ...], chosen: str) -> None:
    for name in installed:
        tree.python(name)
    assert tree.start().returncode == 0
    assert tree.calls("-m venv")[0].startswith(f"{tree.bin / chosen} ")


def test_pyenv_versions_are_tried_newest_first_after_path(tree: Tree) -> None:
    versions = Path(tree.environ["HOME"]) / ".pyenv" / "versions"
    for version in ("3.12.9", "3.13.0", "3.11.2"):
        minor = version.split(".")[1]
        tree.put(versions / version / "bin" / f"python3.{minor}", pretended(f"echo patchbay 3 {minor}"))
    tree.python("python3", answer="echo 'is cpython 3.9'; exit 1")
    assert tree.start().returncode == 0
    assert tree.calls("-m venv")[0].startswith(str(versions / "3.13.0"))


def test_uv_finds_a_python_or_fetches_one(tree: Tree) -> None:
    away = tree.bin.parent / "elsewhere" / "python3.12"
    tree.put(away, pretended("echo patchbay 3 12"))
    uv = '#!/usr/bin/env bash\ncase "$*" in *install*) touch "$0.done" ;; *) [ -e "$0.done" ] && echo "%s" ;; esac\n'
    tree.put(tree.bin / "uv", uv % away)
    (tree.bin / "touch").symlink_to(shutil.which("touch") or "/usr/bin/touch")
    result = tree.start()
    assert result.returncode == 0, result.stderr
    assert "uv brings Python" in result.stderr
    assert tree.calls("-m venv")[0].startswith(str(away))


def test_without_any_python_it_says_what_to_install(tree: Tree) -> None:
    tree.put(tree.bin / "python3.13", SHIM)
    tree.python("python3", answer="echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1")
    result = tree.start()
    assert result.returncode == 2
    for word in ("apt install python3 python3-venv", "brew install", "pyenv install", "uv"):
        assert word in result.stderr
    # … and why those that are there will not do
    assert "command not found" in result.stderr
    assert "No module named 'ensurepip'" in result.stderr
    assert not tree.calls("-m venv")


def test_the_environment_itself_is_no_python_to_build_from(tree: Tree) -> None:
    tree.python("python3.13")
    tree.put(tree.root / ".venv" / "bin" / "python3.13", pretended("echo patchbay 3 13"))
    tree.environ["PATH"] = f"{tree.root / '.venv' / 'bin'}:{tree.bin}"
    assert tree.start().returncode == 0
    assert tree.calls("-m venv")[0].startswith(str(tree.bin))


def test_a_changed_lock_is_installed(tree: Tree) -> None:
    tree.python("python3.13")
    tree.start()
    (tree.root / "requirements.lock").write_text("thing==2 --hash=sha256:11\n")
    assert tree.start().returncode == 0
    assert len(tree.calls("-m pip install")) == 2
    assert len(tree.calls("-m venv")) == 1
    assert len(tree.stamps()) == 1


def test_a_larger_lock_serves_the_smaller_ones(tree: Tree) -> None:
    tree.python("python3.13")
    for lock, installs in (("requirements.lock", 1), ("requirements-local.lock", 2), ("requirements-dev.lock", 3)):
        assert tree.start(lock).returncode == 0
        assert len(tree.calls("-m pip install")) == installs
    for lock in LOCKS:
        assert tree.start(lock).returncode == 0
    assert len(tree.calls("-m pip install")) == 3


def test_a_failed_install_shows_pips_words_and_begins_anew(tree: Tree) -> None:
    tree.python("python3.13")
    tree.environ["PIP_EXIT"] = "1"
    failed = tree.start()
    assert failed.returncode == 2
    assert "pip's own words" in failed.stderr
    assert "ready" not in failed.stdout
    (tree.root / ".venv" / "half").write_text("a package that pip takes for installed")
    del tree.environ["PIP_EXIT"]
    assert tree.start().returncode == 0
    assert not (tree.root / ".venv" / "half").exists()
    assert len(tree.calls("-m venv")) == 2


def test_a_killed_install_does_not_count_as_ready(tree: Tree) -> None:
    tree.python("python3.13")
    started = subprocess.Popen(
        tree.command("requirements.lock"),
        env=tree.environ | {"PIP_WAIT": "20"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: bool(tree.calls("-m pip install")))
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert tree.start().returncode == 0  # the lock that the dead one left behind is cleared, too
    assert len(tree.calls("-m venv")) == 2
    assert tree.stamps() == [name for name in tree.stamps() if name.startswith(".patchbay-requirements.lock-")]


def test_ctrl_c_leaves_no_lock_behind(tree: Tree) -> None:
    tree.python("python3.13")
    started = subprocess.Popen(
        tree.command("requirements.lock"),
        env=tree.environ | {"PIP_WAIT": "20"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: bool(tree.calls("-m pip install")))
    os.killpg(started.pid, signal.SIGTERM)
    assert started.wait(10) != 0
    assert not (tree.root / ".venv" / ".patchbay-lock").exists()
    assert not list((tree.root / ".venv").glob(".patchbay-requirements*"))


def test_an_environment_whose_python_is_gone_is_rebuilt(tree: Tree) -> None:
    tree.python("python3.13")
    tree.start()
    python = tree.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(tree.root / "gone")
    assert tree.start().returncode == 0
    assert len(tree.calls("-m venv")) == 2


def test_two_starts_at_once_install_once(tree: Tree) -> None:
    tree.python("python3.13")
    both = [
        subprocess.Popen(
            tree.command("requirements.lock"),
            env=tree.environ | {"PIP_WAIT": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    results = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(tree.calls("-m pip install")) == 1
    assert sum("another start is installing" in errors for _, errors in results) == 1


@pytest.mark.parametrize("owner", ["{host} 999999999\n", "elsewhere 1\n", ""], ids=["dead", "other machine", "unnamed"])
def test_a_stale_lock_is_cleared(tree: Tree, owner: str) -> None:
    tree.python("python3.13")
    lock = tree.root / ".venv" / ".patchbay-lock"
    lock.mkdir(parents=True)
    (lock / "owner").write_text(owner.format(host=os.uname().nodename))
    an_hour_ago = time.time() - 3600
    os.utime(lock, (an_hour_ago, an_hour_ago))
    assert tree.start().returncode == 0


def test_what_was_exported_for_another_python_does_no_harm(tree: Tree) -> None:
    tree.python("python3.13")
    tree.environ |= {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PIP_USER": "1", "PIP_TARGET": "/nowhere"}
    show = 'set -euo pipefail; . "$0/scripts/bootstrap.sh"; env'
    seen = tree.run("bash", "-c", show, str(tree.root)).stdout
    assert not re.search(r"^(PYTHONHOME|PYTHONPATH|PIP_USER|PIP_TARGET)=", seen, re.MULTILINE)


def test_a_missing_lock_file_is_told(tree: Tree) -> None:
    (tree.root / "requirements.lock").unlink()
    result = tree.start()
    assert result.returncode == 2
    assert "requirements.lock is missing" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "has_server", "lock"),
    [
        (["serve"], False, "requirements.lock"),
        (["serve", "--model", "x.gguf"], False, "requirements-local.lock"),
        (["serve", "--model=x.gguf"], False, "requirements-local.lock"),
        (["serve", "--model", "x.gguf"], True, "requirements.lock"),
        (["route", "--model"], False, "requirements.lock"),
    ],
)
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the engine's wheel exists for Linux only")
def test_the_engine_is_installed_only_when_it_is_needed(
    tree: Tree, arguments: list[str], has_server: bool, lock: str
) -> None:
    tree.python("python3.13")
    if has_server:
        tree.put(tree.bin / "llama-server", "#!/usr/bin/env bash\n")
    result = tree.run(str(tree.root / "scripts" / "patchbay"), *arguments)
    assert result.stdout == f"ran -P -m scripts.cli {' '.join(arguments)}\n", result.stderr
    assert f"of {lock} " in result.stderr


def test_serve_and_test_run_through_a_link_from_any_folder(tree: Tree, tmp_path: Path) -> None:
    tree.python("python3.13")
    (tmp_path / "link").symlink_to(tree.root / "scripts" / "patchbay")
    assert tree.run(str(tmp_path / "link"), "route", "x").stdout == "ran -P -m scripts.cli route x\n"
    assert tree.run(str(tree.root / "scripts" / "serve"), "--web").stdout == "ran -P -m scripts.cli serve --web\n"
    assert tree.run(str(tree.root / "scripts" / "test"), "-k", "a b").stdout == "ran -P -m pytest -k a b\n"
