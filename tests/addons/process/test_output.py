"""Whoever holds the program's own output is handed the new one."""

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.addons.dumper import Dumper
from mitmproxy.addons.termlog import TermLogHandler
from mitmproxy.test import taddons

from addons.process.outlet import Outlet
from addons.process.output import Output, behind_outlet


@pytest.fixture(name="own")
def fixture_own(tmp_path: Path) -> Iterator[io.TextIOWrapper]:
    with (tmp_path / "out").open("w") as own:
        yield own


def start(own: object, patch: pytest.MonkeyPatch) -> None:
    """Have standard output and error as a program has them at its start (pytest changes them after each fixture)."""
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        patch.setattr(sys, name, own)


def load(*addons: Any) -> Output:
    output = Output()
    with taddons.context(*addons) as context:
        context.master.addons.add(output)
    return output


def test_all_who_hold_it_are_handed_the_new_one(own: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    start(own, monkeypatch)
    plain, colored, other = logging.StreamHandler(own), TermLogHandler(own), logging.StreamHandler(io.StringIO())
    monkeypatch.setattr(logging.getLogger(), "handlers", [plain, colored, other])
    dumper = Dumper(own)
    output = load(dumper)
    fresh = sys.stdout
    assert isinstance(fresh, io.TextIOWrapper)
    assert isinstance(fresh.buffer, Outlet)
    assert dumper.outfp is fresh
    assert plain.stream is fresh
    assert colored.file is fresh
    assert isinstance(other.stream, io.StringIO)
    assert output.vitals() == {"output_lines_dropped": 0}
    print("\udc80 gone", file=dumper.outfp)
    assert fresh.buffer.drain(5)
    assert Path(own.name).read_bytes() == b"\\udc80 gone\n"
    # Loaded again: nothing changes.
    load()
    assert sys.stdout is fresh


def test_another_dumper_keeps_its_own(own: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    start(own, monkeypatch)
    dumper = Dumper(io.StringIO())
    load(dumper)
    assert isinstance(dumper.outfp, io.StringIO)


def test_what_the_program_has_not_is_left(own: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    start(own, monkeypatch)
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", replaced)
    monkeypatch.setattr(sys, "__stderr__", None)  # it was started with the descriptor closed
    assert load().dropped == 0
    assert sys.stdout is replaced
    assert sys.stderr is own


def test_a_stream_without_a_descriptor_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert behind_outlet(io.StringIO()) is None
    replaced = io.StringIO()
    start(replaced, monkeypatch)
    load()
    assert sys.stdout is replaced


def test_lines_left_out_are_counted(own: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    start(own, monkeypatch)
    output = load()
    for stream, lines in ((sys.stdout, 3), (sys.stderr, 4)):
        assert isinstance(stream, io.TextIOWrapper)
        assert isinstance(stream.buffer, Outlet)
        stream.buffer.dropped = lines
    assert output.dropped == 7
