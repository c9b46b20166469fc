"""The lock files: exact, hashed, silent about where they come from, and fitting together."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-local.lock", "requirements-dev.lock")
PINNED = re.compile(r"(?P<pin>[a-z0-9][a-z0-9._-]*==[^\s;]+)(?P<marker> ; .*?)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def pins(lock: str) -> set[str]:
    return {found[0] for found in PINNED.finditer((ROOT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_its_hash(lock: str) -> None:
    # Nothing else may stand there: no URL, no index, no option, no requirement without a hash.
    lines = (ROOT / lock).read_text().splitlines()
    assert len(lines) > 100
    hashes = 1
    for number, line in enumerate(lines, 1):
        if PINNED.fullmatch(line):
            assert hashes, f"{lock}:{number - 1} has no hash"
            hashes = 0
        else:
            assert HASH.fullmatch(line), f"{lock}:{number}: {line}"
            hashes += 1
    assert hashes


@pytest.mark.parametrize("larger", LOCKS[1:])
def test_the_larger_locks_hold_the_same_versions(larger: str) -> None:
    # One environment serves `serve` and `test` alike, so neither may want another version than the other.
    assert pins("requirements.lock") <= pins(larger)


def test_the_engine_is_in_the_local_and_the_dev_lock_only() -> None:
    assert [any(pin.startswith("xllamacpp==") for pin in pins(lock)) for lock in LOCKS] == [False, True, True]


def test_every_declared_dependency_is_locked() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {pin.partition("==")[0] for pin in pins("requirements.lock")}
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace(".", "-") for requirement in declared}
    assert names <= locked
