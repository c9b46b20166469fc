"""The quick look finds every text in which the patterns of providers.redaction would find something."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.telemetry.cleaning import MARKS, MARKS_LOWER, Cleaner
from providers import redaction

SECRET = 'k/ey+"\\with-öddities-0123'


def test_each_pattern_has_its_mark() -> None:
    shapes = redaction._KEY_SHAPES
    for shape in shapes:
        beginning = shape.removeprefix(r"\b").replace("[pousr]", "p")
        assert any(beginning.startswith(re.escape(mark)) or beginning.startswith(mark) for mark in MARKS), shape
    assert "bearer" in redaction._BEARER
    assert MARKS_LOWER == ("bearer",)


@pytest.mark.parametrize(
    "key", ["sk-abcdefgh12345678", "ghs_abcdefgh12345678", "AIzaSyAbcdefgh12345678", "BeArEr abc.def/123"]
)
def test_shapes_are_taken_out(key: str) -> None:
    cleaner = Cleaner(())
    assert key.split()[-1] not in cleaner.text(f"x {key} y")
    assert key.split()[-1].encode() not in cleaner.bytes(f"x {key} y".encode())


@pytest.mark.parametrize("written", redaction._forms([SECRET]))
def test_every_spelling_of_a_secret_is_taken_out(written: str) -> None:
    assert written not in Cleaner([SECRET]).text(f"<{written}>")
    assert written.encode() not in Cleaner([SECRET]).bytes(f"<{written}>".encode())


# Invariant: what the cleaner gives back is what redact gives back.
@given(st.lists(st.sampled_from([*MARKS, "bearer ", "Bearer ", "abcdefgh12345678", " ", "x", "ö", "SECRET-1234"])))
def test_the_quick_look_changes_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    secrets = ["SECRET-1234"]
    assert Cleaner(secrets).text(text) == redaction.redact(text, secrets)
    assert Cleaner(secrets).bytes(text.encode()) == redaction.redact_bytes(text.encode(), secrets)


def test_nothing_to_do_costs_no_copy() -> None:
    text = "plain words"
    assert Cleaner(["abcdefgh"]).text(text) is text
