"""What is packed comes back the same, and nothing else is taken for it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Opaque, Thinking
from tests.providers.wire.playbook import JSON


# What was packed is what is unpacked, and it is plain ASCII without white space.
@given(st.text(), st.dictionaries(st.text(), JSON))
def test_there_and_back(format_: str, payload: dict[str, object]) -> None:
    packed = side_channel.pack(format_, payload)
    assert side_channel.unpack(packed) == (format_, payload)
    assert packed.isascii()
    assert " " not in packed
    assert side_channel.is_packed(packed)


# Any text may come from a client; none makes it raise.
@given(st.text() | st.text().map(lambda text: side_channel.PREFIX + text))
def test_anything_else_is_none(text: str) -> None:
    assert side_channel.unpack(text) is None or text.startswith(side_channel.PREFIX)


def encoded(value: object) -> str:
    return side_channel.PREFIX + base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "EuYBCkQYAiJA",
        "patchbay1.",
        "patchbay1.%%%",
        "patchbay1.AAA",
        "patchbay2." + side_channel.pack("f", {}).removeprefix(side_channel.PREFIX),
        side_channel.pack("f", {"a": 1})[:-9],
        encoded([]),
        encoded({"format": "f", "payload": "text"}),
        side_channel.PREFIX + "é",
    ],
)
def test_broken_and_unknown_strings_are_silent(broken: str) -> None:
    assert side_channel.unpack(broken) is None


def test_a_later_version_is_still_ours() -> None:
    assert side_channel.is_packed("patchbay2.abc")
    assert not side_channel.is_packed("EuYBCkQYAiJA")


@pytest.mark.parametrize(
    ("thinking", "text"),
    [
        (Thinking("hm", "sig", format="x"), "hm"),
        (Thinking("hm", "", "enc", "rs_1", side_channel.OPENAI), "hm"),
        (Thinking("", "", "enc", "rs_1", side_channel.OPENAI, redacted=True), ""),
        (Thinking("hm"), "hm"),
    ],
)
def test_reasoning(thinking: Thinking, text: str) -> None:
    packed = side_channel.pack_reasoning(
        thinking.format, signature=thinking.signature, encrypted=thinking.encrypted, id=thinking.id
    )
    unpacked = side_channel.unpack(packed)
    assert unpacked is not None
    assert side_channel.thinking_of(text, *unpacked) == thinking


def test_a_part_of_another_dialect() -> None:
    item: dict[str, object] = {"type": "web_search_call", "id": "ws_1"}
    unpacked = side_channel.unpack(side_channel.pack_opaque(Dialect.RESPONSES, "web_search_call", item))
    assert unpacked is not None
    format_, payload = unpacked
    assert format_ == side_channel.OPAQUE
    assert side_channel.opaque_of(payload) == Opaque(Dialect.RESPONSES, "web_search_call", item)
    assert side_channel.call_field_of(payload) is None
    assert side_channel.opaque_of({"dialect": "klingon"}) is None


def test_a_field_of_a_call() -> None:
    unpacked = side_channel.unpack(side_channel.pack_opaque(Dialect.CHAT, "extra_content", {"google": 1}, "call_1"))
    assert unpacked is not None
    assert side_channel.call_field_of(unpacked[1]) == ("call_1", "extra_content", {"google": 1})
    assert side_channel.opaque_of(unpacked[1]) is None
