"""Which version we say we are."""

import importlib.metadata
import tomllib

import pytest

from providers import version as module
from providers.registry import ROOT
from providers.version import version


def test_a_checkout_says_what_its_project_file_says() -> None:
    assert ROOT is not None
    assert version() == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_an_installed_package_says_what_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOT", None)
    monkeypatch.setattr(importlib.metadata, "version", {"patchbay": "9.9"}.__getitem__)
    assert version() == "9.9"
