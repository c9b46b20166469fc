"""What differs between what the client and what the provider has to do with."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.views.both_sides import Part, compare
from tests.fake_dialects import chat_events, messages_events


def part(body: object, *, headers: tuple[tuple[str, str], ...] = (), is_events: bool = False) -> Part:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Part("POST /v1/x", headers, raw, is_events)


def request(client: Part, wire: Part, translation: str | None = None) -> str:
    return compare(client, wire, is_request=True, translation=translation)


def test_the_same_bytes_are_said_to_be_the_same() -> None:
    assert request(part({"a": 1}), part({"a": 1})) == (
        "client sent:   POST /v1/x\nprovider got: POST /v1/x\nbody: the same, byte for byte\n"
    )
    answer = compare(part(b""), part(b""), is_request=False, translation=None)
    assert answer.startswith("client got:   POST /v1/x\nprovider sent: POST /v1/x\n")


def test_the_same_values_in_other_words() -> None:
    assert "the same values; spelling or order differ" in request(part(b'{"a":1,"b":2}'), part(b'{"b":2, "a":1}'))


def test_what_was_changed_and_dropped() -> None:
    client = part({"model": "fast", "messages": [{"role": "user", "content": "hi"}], "seed": 7})
    wire = part({"model": "qwen3-8b", "messages": [{"role": "user", "content": "hi"}]})
    lines = request(client, wire, "dropped=seed,top_k; approximated=stop").splitlines()
    assert "translated: dropped=seed, top_k; approximated=stop" in lines
    assert [line for line in lines if line.startswith(("-", "+"))] == [
        "--- what the client has",
        "+++ what the provider has",
        '-  "model": "fast",',
        '-  "seed": 7',
        '+  "model": "qwen3-8b"',
    ]


def test_nothing_was_lost() -> None:
    assert "translated: nothing was lost" in request(part({}), part({"a": 1}), "")


def test_headers_that_differ() -> None:
    client = part({}, headers=(("User-Agent", "x"), ("X-Mine", "1"), ("x-two", "a"), ("X-Two", "b")))
    wire = part({}, headers=(("user-agent", "x"), ("authorization", "Bearer <ACME_API_KEY>"), ("x-mine", "2")))
    headers = [line for line in request(client, wire).splitlines() if line.startswith("header")]
    assert headers == [
        "header + authorization: Bearer <ACME_API_KEY>",
        "header - x-mine: 1",
        "header + x-mine: 2",
        "header - x-two: a, b",
    ]


def test_a_difference_deep_in_a_long_text_shows() -> None:
    text = "word " * 1_000
    said = request(part({"a": text + "x"}), part({"a": text + "y"}))
    assert '-  "a": "word word' in said
    assert "(5,001 characters, " in said
    assert len(said) < 1_000


def test_streams_are_compared_event_by_event() -> None:
    client, wire = part(b"".join(messages_events()), is_events=True), part(b"".join(chat_events()), is_events=True)
    said = compare(client, wire, is_request=False, translation="")
    assert "-event message_start" in said
    assert '+        "content": "Patchbay"' in said
    assert '-    "text": "Patchbay",' in said


def test_what_is_no_json_is_compared_by_its_lines() -> None:
    assert "-<html>\n+{\n" in request(part(b"<html>"), part({"a": 1}))


def test_no_key_is_shown() -> None:
    key = "sk-ant-api03-canary0123456789"
    headers = (("x-odd", key),)
    said = request(part({"k": key}, headers=headers), part({"k": "x" * 390 + f" {key}" + "y" * 200, key: 1}))
    assert "canary" not in said


BIG = {"messages": [{"role": "user", "content": f"hello {n} " * 10} for n in range(80_000)]}
OTHER = {"messages": [{"role": "user", "content": f"goodbye {n} " * 10, "x": [n]} for n in range(80_000)]}


@pytest.mark.parametrize("other", [OTHER, {**BIG, "a": 1}, "x\n" * 4_000_000])
def test_ten_megabytes_are_compared_at_once(other: object) -> None:
    client, wire = part(BIG), part(other)
    began = time.process_time()
    said = request(client, wire)
    assert time.process_time() - began < 8  # about 0.5 s on an idle machine
    assert len(said) < 400_000


def test_what_is_not_compared_is_said() -> None:
    client = part({f"field{n:05}": n for n in range(4_000)})
    wire = part({f"field{n:05}": n + 1 for n in range(4_000)})
    assert "more lines are not compared here …" in request(client, wire)


def test_what_has_too_many_values_or_is_too_deep_is_named() -> None:
    many = {"a": [[number] * 100 for number in range(1_000)]}
    assert "more lines are not compared" in request(part({}), part(many))
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    assert '"… 1 values …"' in request(part({}), part({"a": deep}))


# Any two bodies can be compared, as JSON and as events.
@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_garbage_is_compared(one: bytes, other: bytes, is_events: bool) -> None:
    assert request(part(one, is_events=is_events), part(other))


# JSON of any shape is compared, too.
@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_compared(value: object) -> None:
    assert request(part(value), part({"x": value}))
