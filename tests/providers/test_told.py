"""Targets in words, as a person reads them in `patchbay check` and `patchbay route`."""

from pathlib import Path

import pytest

from providers.registry import load
from providers.told import failures_told, targets_told

REGISTRY = """\
models:
  plain: local/a
  several: {targets: [local/a, {target: demo, when: {has_tools: false}}], params: {top_p: 1}}
  shared: {targets: [local/a, demo], fallback_on: {auth: openai/b, dns: plain}}
  own: {targets: [saved, demo]}
  saved: {target: local/a, rescue: prefill, fallback_on: {stall: several}}
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "local/a"),
        ("several", "local/a with top_p, then demo with top_p if without tools"),
        ("shared", "local/a, then demo; on auth openai/b (not usable: no key: set OPENAI_API_KEY); on dns local/a"),
        (
            "own",
            "local/a [on stall local/a, then demo; a stream that breaks off goes on at the next target], then demo",
        ),
    ],
)
def test_a_rule_in_a_line(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    assert targets_told(load({}, tmp_path, root=None).resolve(name).targets) == expected


def test_what_follows_a_failure_in_lines(tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    first, second = load({}, tmp_path, root=None).resolve("own").targets
    assert [*failures_told(first)] == [
        "on stall local/a, then demo",
        "a stream that breaks off goes on at the next target",
    ]
    assert [*failures_told(second)] == []
