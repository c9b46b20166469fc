"""Edits while the program runs: real files, polled as the owner would."""

import dataclasses
import os
import re
from pathlib import Path

import pytest

from providers.registry import Registry, Watcher, load


class Folder:
    """A working folder with a watcher on it; counts how often the configuration is read."""

    def __init__(self, path: Path, environ: dict[str, str] | None = None) -> None:
        self.path = path
        self.environ = environ or {}
        self.loads = 0
        self.watcher = Watcher(self._load, self._load())

    def _load(self) -> Registry:
        self.loads += 1
        return load(self.environ, self.path, root=None)

    def write(self, name: str, text: str) -> Path:
        (self.path / name).write_text(text, encoding="utf-8")
        return self.path / name

    def polls(self, times: int) -> list[bool]:
        return [self.watcher.poll() is not None for _ in range(times)]

    def rests(self) -> Registry | None:
        """Two polls, between which nothing is written: the second takes up what the first has seen."""
        assert self.polls(1) == [False]
        return self.watcher.poll()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "registry.yaml").write_text("default_provider: local\n")
    return Folder(tmp_path)


def test_nothing_happens_without_an_edit(folder: Folder) -> None:
    assert folder.polls(3) == [False] * 3
    assert (folder.loads, folder.watcher.error, folder.watcher.current.generation) == (1, None, 1)


def test_an_edit_is_taken_up_when_it_rests(folder: Folder) -> None:
    before = folder.watcher.current
    folder.write("registry.yaml", "default_provider: demo\n")
    fresh = folder.rests()
    assert fresh is not None
    assert fresh is folder.watcher.current
    assert (fresh.default_provider, fresh.generation) == ("demo", 2)
    assert (before.default_provider, before.generation) == ("local", 1)
    assert folder.polls(2) == [False, False]


@pytest.mark.parametrize(
    "broken",
    ["default_provider: [", "defualt: x", "default_provider: nobody", "providers: {x: {kind: y}}", "- 1", "a: 1\na: 2"],
)
def test_a_broken_edit_keeps_the_old_and_is_told_once(folder: Folder, broken: str) -> None:
    old = folder.watcher.current
    folder.write("registry.yaml", broken)
    assert folder.polls(3) == [False] * 3
    assert folder.loads == 2
    assert folder.watcher.current is old
    assert folder.watcher.error is not None
    assert re.match(r"registry\.yaml:[12]:\d+: .+", folder.watcher.error)
    folder.write("registry.yaml", "default_provider: demo\n# mended\n")
    assert folder.polls(2) == [False, True]
    assert folder.watcher.error is None
    assert folder.watcher.current.generation == 2


@pytest.mark.parametrize("hollow", ["deleted", "empty"])
def test_a_registry_that_is_gone_keeps_the_old(folder: Folder, hollow: str) -> None:
    if hollow == "deleted":
        (folder.path / "registry.yaml").unlink()
    else:
        folder.write("registry.yaml", "")
    assert folder.polls(4) == [False] * 4
    assert folder.watcher.error is None
    assert folder.polls(3) == [False] * 3
    assert folder.watcher.error == "registry.yaml has been deleted or is empty; the configuration stays as it was"
    folder.write("registry.yaml", "default_provider: demo\n")
    assert folder.polls(2) == [False, True]
    assert folder.watcher.error is None


def test_an_editor_that_deletes_and_writes_is_not_noticed(folder: Folder) -> None:
    (folder.path / "registry.yaml").unlink()
    assert folder.polls(1) == [False]
    folder.write("registry.yaml", "default_provider: demo\n")
    assert folder.polls(3) == [False, True, False]


def test_a_file_swapped_for_another_or_for_a_link_is_taken_up(folder: Folder) -> None:
    other = folder.write("other.yaml", "default_provider: demo \n")
    os.replace(other, folder.path / "registry.yaml")
    assert folder.polls(2) == [False, True]
    target = folder.write("target.yaml", "default_provider: openai\n")
    (folder.path / "registry.yaml").unlink()
    (folder.path / "registry.yaml").symlink_to(target)
    assert folder.polls(2) == [False, True]
    assert folder.watcher.current.default_provider == "openai"


def test_same_size_and_same_time_is_still_an_edit(folder: Folder) -> None:
    path = folder.path / "registry.yaml"
    stamp = path.stat().st_mtime_ns
    path.write_text("default_provider: demo \n")
    os.utime(path, ns=(stamp, stamp))
    assert folder.polls(2) == [False, True]


def test_files_that_appear(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(".env", "OPENAI_API_KEY=k1\n")
    assert folder.polls(2) == [False, True]
    assert folder.watcher.current.secrets() == ["k1"]
    folder.write("registry.yaml", "default_provider: openai\n")
    assert folder.polls(2) == [False, True]
    (tmp_path / ".env").unlink()
    assert folder.polls(5) == [False] * 4 + [True]
    assert folder.watcher.current.secrets() == []
    assert folder.watcher.current.generation == 4


def test_a_key_file_is_watched_and_its_old_key_forgotten(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("k1\n")
    folder = Folder(tmp_path, {"OPENAI_API_KEY_FILE": "secret"})
    assert folder.watcher.current.secrets() == ["k1"]
    folder.write("secret", "k2\n")
    assert folder.polls(2) == [False, True]
    assert folder.watcher.current.secrets() == ["k2"]


def test_the_repair_may_happen_in_a_file_that_was_not_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(".env", "OPENAI_API_KEY_FILE=secret\n")
    assert folder.polls(2) == [False, False]
    assert "cannot be read" in str(folder.watcher.error)
    folder.write("secret", "k1\n")
    assert folder.polls(2) == [False, True]
    assert folder.watcher.current.secrets() == ["k1"]


# However often it is edited, what holds is always the last good edit.
def test_a_thousand_edits(folder: Folder) -> None:
    for number in range(1000):
        broken = number % 3 == 2
        unlike = "#" * (number % 7)  # a file system's clock may tick more slowly than this loop
        folder.write("registry.yaml", f"models: {{a{number}: {'nobody' if broken else 'demo'}}} {unlike}\n")
        assert (folder.rests() is None) == broken
        last_good = number - 1 if broken else number
        assert list(folder.watcher.current.resolver.aliases) == [f"a{last_good}"]
    assert folder.watcher.current.generation == 1 + 667
    assert folder.watcher.refused == 333


# What is there of a file that is being written may be valid, and mean something else.
def test_a_file_that_is_being_written_is_not_read(folder: Folder) -> None:
    text = "models: {a: demo, b: demo}\ndefault_provider: demo\n"
    for length in range(1, len(text) + 1):
        folder.write("registry.yaml", text[:length])
        assert folder.polls(1) == [False]
    assert folder.loads == 1
    assert folder.polls(1) == [True]
    assert folder.watcher.current.default_provider == "demo"


def test_an_edit_between_the_first_reading_and_the_first_poll_is_one(tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text("default_provider: local\n")
    current = load({}, tmp_path, root=None)
    (tmp_path / "registry.yaml").write_text("default_provider: demo\n")
    watcher = Watcher(lambda: load({}, tmp_path, root=None), current)
    assert [watcher.poll() is not None for _ in range(3)] == [False, True, False]


# A file that is edited while it is read is read once more: the edit is never taken for seen.
def test_an_edit_during_the_reading_is_the_next_one(folder: Folder) -> None:
    edits = ["default_provider: openai\n"]

    def load_slowly() -> Registry:
        loaded = load({}, folder.path, root=None)
        if edits:
            folder.write("registry.yaml", edits.pop())
        return loaded

    watcher = Watcher(load_slowly, folder.watcher.current)
    folder.write("registry.yaml", "default_provider: demo\n")
    assert [watcher.poll() is not None for _ in range(4)] == [False, True, False, True]
    assert watcher.current.default_provider == "openai"


def test_it_can_be_read_again_unasked(folder: Folder) -> None:
    assert folder.watcher.read_again() is folder.watcher.current
    assert folder.watcher.current.generation == 2
    folder.write("registry.yaml", "nonsense: 1\n")
    assert [folder.watcher.read_again(), folder.watcher.read_again()] == [None, None]
    assert (folder.watcher.current.generation, folder.watcher.refused) == (2, 2)
    assert folder.polls(3) == [False] * 3


def test_a_registry_can_be_replaced_in_parts(folder: Folder) -> None:
    assert dataclasses.replace(folder.watcher.current, generation=5).generation == 5
