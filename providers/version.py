"""Which version of Patchbay this is."""

import importlib.metadata
import tomllib

from providers.registry import ROOT


def version() -> str:
    """Patchbay's version: of the checkout we run in, else of the installed package."""
    if ROOT is None:
        return importlib.metadata.version("patchbay")
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
