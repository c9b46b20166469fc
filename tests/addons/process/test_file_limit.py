"""How many files the process may hold."""

import resource

import pytest

from addons.process.descriptors import Descriptors
from addons.process.file_limit import count_open, raise_file_limit


def test_the_limit_is_raised_and_what_is_open_counted() -> None:
    door = Descriptors()
    door.load(None)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert door.limit == raise_file_limit() == soft
    before = count_open()
    with open("/dev/null", "rb"):
        assert count_open() == before + 1
    assert door.vitals() == {"open_files": count_open(), "open_files_limit": soft, "clients_shed": 0}


def test_a_system_that_does_not_let_us_leaves_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_which: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_file_limit() == 256


def test_unlimited_means_what_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [(256, resource.RLIM_INFINITY)]
    monkeypatch.setattr(resource, "getrlimit", lambda _which: held[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: held.append(limits))
    assert raise_file_limit() == 1 << 20
