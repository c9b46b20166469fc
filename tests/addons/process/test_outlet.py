"""Lines leave by a thread: nobody who prints waits, and what finds no room is counted."""

import contextlib
import io
import os
import select
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from addons.process import outlet
from addons.process.outlet import Outlet


@pytest.fixture(name="pipe")
def fixture_pipe() -> Iterator[tuple[int, int]]:
    mine, its = os.pipe()
    yield mine, its
    for end in (mine, its):
        with contextlib.suppress(OSError):
            os.close(end)


def read(descriptor: int, until: bytes) -> bytes:
    received = b""
    while until not in received:
        assert select.select([descriptor], [], [], 5)[0], received[-200:]
        received += os.read(descriptor, 65536)
    return received


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_is_printed_goes_out_in_its_order(pipe: tuple[int, int]) -> None:
    out = Outlet(pipe[1])
    text = io.TextIOWrapper(out, encoding="utf-8", line_buffering=True)
    for number in range(100):
        print("line", number, file=text)
    assert out.drain(5)
    assert os.read(pipe[0], 65536) == b"".join(b"line %d\n" % number for number in range(100))
    assert (out.fileno(), out.isatty(), out.writable(), out.dropped) == (pipe[1], False, True, 0)


def test_who_prints_never_waits_and_the_gap_is_told_in_its_place(pipe: tuple[int, int]) -> None:
    out = Outlet(pipe[1], limit=200_000)
    for _ in range(10):
        assert out.write(b"x" * 50_000 + b"\n") == 50_001
    assert not out.drain(0.01)
    assert out.dropped >= 5
    assert out.write(b"a" * 300_000) == 300_000  # without a line's end it counts as one
    dropped = out.dropped
    seen = read(pipe[0], b"\n")
    wait_for(lambda: out.write(b"after\n") == 6 and select.select([pipe[0]], [], [], 0)[0] != [])
    while b"after\n" not in seen:
        seen += os.read(pipe[0], 65536)
        out.write(b"after\n")
    assert seen.count(b"were left out here: nobody took the output]\n") >= 1
    assert seen.index(b"left out here") < seen.index(b"after\n")
    assert out.dropped >= dropped


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    out = Outlet(pipe[1])
    os.close(pipe[0])
    out.write(b"one\ntwo\n")
    assert out.drain(5)
    assert out.dropped == 2


def test_a_pipe_that_others_made_non_blocking_is_waited_for(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    out = Outlet(pipe[1])
    out.write(b"y" * 300_000 + b"\n")
    assert len(read(pipe[0], b"\n")) == 300_001
    assert out.drain(5)
    assert out.dropped == 0


@pytest.fixture(name="log")
def fixture_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, int]]:
    """A file that was opened as a shell does at `> file`, and looked at each time."""
    monkeypatch.setattr(outlet, "_LOOK", 0.0)
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)
    yield path, descriptor
    os.close(descriptor)


def say(out: Outlet, text: bytes) -> None:
    out.write(text)
    assert out.drain(5)


def test_a_file_is_followed_by_its_name(log: tuple[Path, int]) -> None:
    path, descriptor = log
    out = Outlet(descriptor)
    say(out, b"one\n")
    path.rename(path.with_suffix(".1"))
    say(out, b"two\n")
    assert (path.with_suffix(".1").read_bytes(), path.read_bytes()) == (b"one\n", b"two\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.unlink()
    path.write_bytes(b"another's\n")
    say(out, b"three\n")
    assert path.read_bytes() == b"another's\nthree\n"
    os.truncate(path, 0)
    say(out, b"four\n")
    assert path.read_bytes() == b"four\n"
    assert out.dropped == 0


def test_a_link_in_its_place_is_not_followed(log: tuple[Path, int], tmp_path: Path) -> None:
    path, descriptor = log
    out = Outlet(descriptor)
    path.rename(tmp_path / "old")
    (tmp_path / "secret").write_bytes(b"")
    path.symlink_to(tmp_path / "secret")
    say(out, b"one\n")
    assert ((tmp_path / "old").read_bytes(), (tmp_path / "secret").read_bytes()) == (b"one\n", b"")


def test_a_folder_that_is_gone_leaves_the_file_that_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "_LOOK", 0.0)
    (tmp_path / "gone").mkdir()
    with (tmp_path / "gone" / "log").open("wb") as sink, (tmp_path / "gone" / "log").open("rb") as source:
        out = Outlet(sink.fileno())
        (tmp_path / "gone" / "log").unlink()
        (tmp_path / "gone").rmdir()
        say(out, b"one\n")
        assert source.read() == b"one\n"


def test_a_file_that_has_no_name_any_more_is_just_written(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as sink:
        (tmp_path / "log").unlink()
        say(Outlet(sink.fileno()), b"one\n")
        sink.seek(0)
        assert sink.read() == b"one\n"
        # Another file has come under the name that such a one is shown by.
        Path(os.readlink(f"/proc/self/fd/{sink.fileno()}")).write_bytes(b"")
        say(Outlet(sink.fileno()), b"two\n")
        assert os.stat(sink.fileno()).st_size == 8


def test_the_name_is_looked_at_now_and_then(log: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "_LOOK", 3600.0)
    path, descriptor = log
    out = Outlet(descriptor)
    say(out, b"one\n")
    path.rename(path.with_suffix(".1"))
    say(out, b"two\n")
    assert path.with_suffix(".1").read_bytes() == b"one\ntwo\n"
