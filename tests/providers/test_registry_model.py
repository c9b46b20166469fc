"""The shape of registry.yaml, and that the shipped files fit it."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from providers.environment import DEFAULT_PROVIDER, REGISTRY, ROUTES, VARIABLES, gather
from providers.kinds import KINDS
from providers.provider import Deadlines
from providers.registry import ROOT, load
from providers.registry_entry import DeadlineEntry
from providers.registry_model import EndpointEntry, ProviderEntry, RegistryFile, schema_text
from providers.registry_routes import Failed, ModelEntry, Rescue, TargetEntry, WhenEntry
from providers.routes import DEFAULT_ROUTES
from providers.secrets import usable_key
from providers.settings import Settings

ROOT_FOLDER = Path(__file__).resolve().parents[2]


def test_schema_file_is_current() -> None:
    """If this fails: write `providers.registry_model.schema_text()` to registry.schema.json."""
    assert (ROOT_FOLDER / "registry.schema.json").read_text(encoding="utf-8") == schema_text()


def test_shipped_registry_is_valid_and_changes_nothing(tmp_path: Path) -> None:
    plain = load({}, tmp_path, root=None)
    shipped = load({}, tmp_path, registry_file=ROOT_FOLDER / "registry.yaml", root=None)
    assert ROOT == ROOT_FOLDER
    assert dict(shipped.providers) == dict(plain.providers)
    assert shipped.settings == plain.settings
    assert [rule.text for rule in shipped.resolver.patterns] == [rule.text for rule in plain.resolver.patterns]
    assert shipped.notices == ()


def test_shipped_registrys_comments_are_valid_entries(tmp_path: Path) -> None:
    """Each commented-out example works once its comment sign is gone."""
    lines = (ROOT_FOLDER / "registry.yaml").read_text(encoding="utf-8").splitlines()
    live = [line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in lines]
    (tmp_path / "registry.yaml").write_text("\n".join(live), encoding="utf-8")
    registry = load({}, tmp_path, root=None)
    assert "groq" in registry.providers
    assert set(registry.resolver.aliases) == {"fast", "smart", "patient", "tuned", "sturdy", "pooled"}


def test_shipped_registry_explains_every_field_kind_and_setting() -> None:
    text = (ROOT_FOLDER / "registry.yaml").read_text(encoding="utf-8")
    entries = (RegistryFile, ProviderEntry, EndpointEntry, ModelEntry, TargetEntry, WhenEntry, Settings)
    names = {name for entry in entries for name in entry.model_fields} | {*get_args(Failed), *get_args(Rescue)}
    missing = [name for name in (names | {*KINDS} | {*DeadlineEntry.model_fields}) if name not in text]
    assert missing == []


def test_env_example_names_every_variable_and_holds_no_key(tmp_path: Path) -> None:
    text = (ROOT_FOLDER / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(text.replace("\n#PATCHBAY_", "\nPATCHBAY_"), encoding="utf-8")
    variables = gather({}, tmp_path, None).variables
    keys = {kind.default_key_name for kind in KINDS.values() if kind.default_key_name}
    assert set(variables) == keys | VARIABLES
    assert all(usable_key(variables[name].value) is None for name in keys)
    assert variables[ROUTES].value == DEFAULT_ROUTES
    assert {REGISTRY, DEFAULT_PROVIDER} <= set(variables)
    plain = load({}, tmp_path / "nowhere", root=None)
    (tmp_path / "registry.yaml").write_text("{}")
    assert load({}, tmp_path, root=None).settings == plain.settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Deadlines()),
        ({"head": 7}, Deadlines(head=7, first_content=7)),
        ({"head": 7, "first_content": 9.5}, Deadlines(head=7, first_content=9.5)),
        ({"gap": 1, "total": 2, "connect": 3}, Deadlines(gap=1, total=2, connect=3)),
    ],
)
def test_deadlines_over_others(given: dict[str, float], expected: Deadlines) -> None:
    assert DeadlineEntry.model_validate(given).over(Deadlines()) == expected


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "5", True])
def test_deadlines_are_positive_numbers(value: object) -> None:
    with pytest.raises(ValidationError):
        DeadlineEntry.model_validate({"gap": value})


def test_a_model_entry_may_be_one_text() -> None:
    assert ModelEntry.model_validate("a/b") == ModelEntry(target="a/b")


@pytest.mark.parametrize("name", ["model", "stream"])
def test_parameters_that_the_route_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="params cannot hold"):
        ModelEntry.model_validate({"target": "a", "params": {name: 1}})


@pytest.mark.parametrize(("text", "expected"), [("2 GiB", 2 * 1024**3), (5, 5), ("64MiB", 64 * 1024**2), ("10", 10)])
def test_byte_counts(text: object, expected: int) -> None:
    assert Settings.model_validate({"retention_bytes": text}).retention_bytes == expected


@pytest.mark.parametrize("value", ["many", -1, 1.5, True, []])
def test_byte_counts_that_are_none(value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"retention_bytes": value}, strict=True)


def test_documented_defaults() -> None:
    assert Settings().model_dump() == {
        "listen": "127.0.0.1:8088",
        "db": "patchbay.db",
        "allow_remote": False,
        "page_remote": False,
        "fetch_private": False,
        "attempts": 3,
        "shutdown_grace": 30,
        "client_stall": 120,
        "probe_for": 300,
        "record": "optional",
        "bodies": "errors",
        "retention_days": 30,
        "retention_bytes": 2 * 1024**3,
        "max_body_bytes": 64 * 1024**2,
        "merge_models_at_root": False,
        "demo": True,
    }
