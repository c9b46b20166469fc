"""What is named instead of shown."""

import pytest

from addons.views.kept import described, laid_out, outlined

B64 = "iVBORw0KGgo=" * 40
KEY = "sk-ant-api03-canary0123456789"
# value, name, parent → what stands for it
CASES: list[tuple[object, str, object, str | None]] = [
    ("short", "text", {}, None),
    ("x" * 1_000, "text", {}, None),
    (B64, "data", {"type": "base64", "media_type": "image/png"}, "image/png, 359 bytes"),
    (f"data:image/png;base64,{B64}", "url", {}, "image/png, 359 bytes"),
    ("data:text/plain," + "x" * 100, "url", {}, "text/plain, 100 bytes"),
    ("data:," + "x" * 100, "url", {}, "data, 100 bytes"),
    (B64, "data", {"format": "wav"}, "wav, 359 bytes"),
    (B64, "data", {"transcript": ""}, "audio, 359 bytes"),
    (B64, "file_data", {"filename": "a.pdf"}, "a.pdf, 359 bytes"),
    (B64, "result", {"type": "image_generation_call"}, "a file, 359 bytes"),
    (B64, "result", {}, None),
    ("words " * 20, "data", {"type": "text", "media_type": "text/plain"}, None),
    ("words " * 20, "file_data", {}, None),
    ("s" * 100, "signature", {}, "signature, 100 characters"),
    ("s" * 100, "encrypted_content", {"type": "reasoning"}, "encrypted_content, 100 characters"),
    ("s" * 100, "data", {"type": "redacted_thinking"}, "data, 100 characters"),
    ("hm " * 100, "thinking", {}, "thinking, 300 characters: " + "hm " * 20 + "…"),
    ("hm " * 100, "text", {"type": "summary_text"}, "thinking, 300 characters: " + "hm " * 20 + "…"),
    ("hm " * 50, "thinking", {}, None),
    (f"mine: {KEY}", "text", {}, "mine: [redacted]"),
    ({}, "x", {}, None),
    (dict.fromkeys(map(str, range(301))), "x", {}, "301 fields"),
    ([0] * 501, "x", {}, "501 values"),
    ([0] * 500, "x", {}, None),
    (float("inf"), "x", {}, "a number"),
    (float("nan"), "x", {}, "a number"),
    (1.5, "x", {}, None),
    (None, "x", {}, None),
    (True, "x", {}, None),
]


@pytest.mark.parametrize(("value", "name", "parent", "expected"), CASES, ids=range(len(CASES)))
def test_what_stands_for_a_value(value: object, name: str, parent: object, expected: str | None) -> None:
    assert described(value, name, parent) == expected


def test_a_long_text_is_shown_by_its_ends_and_without_keys() -> None:
    said = described(f"a {KEY} b" + "x" * 30_000 + f"c {KEY}", "text", {})
    assert said is not None
    assert said.startswith("a [redacted] b")
    assert said.endswith("c [redacted]")
    assert len(said) < 2_700
    cut = described("x " * 994 + KEY + " y" * 20_000, "text", {})  # the key stands on the border
    assert cut is not None
    assert "canary" not in cut


def test_what_there_is_no_room_for() -> None:
    assert outlined({"a": 1}) == "1 fields"
    assert outlined([1, 2]) == "2 values"
    assert outlined("word " * 100) == "500 characters: " + "word " * 12 + "…"
    assert outlined(12345) == "5 characters: 12345"


def test_arguments_are_laid_out_where_they_are_an_object() -> None:
    call = {"name": "f", "arguments": '{"a": 1}'}
    assert laid_out('{"a": 1}', "arguments", call) == {"a": 1}
    for odd in ("{}", "[1]", "{", "5", {"a": 1}, '{"a":"' + "x" * 20_000 + '"}'):
        assert laid_out(odd, "arguments", call) is None
    assert laid_out('{"a": 1}', "content", call) is None
    assert laid_out('{"a": 1}', "arguments", {}) is None
