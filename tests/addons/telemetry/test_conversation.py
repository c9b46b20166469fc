"""Chains of messages: what is said once is one row, whatever is sent again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from addons.telemetry.cleaning import Cleaner
from addons.telemetry.conversation import HASH_SIZE, ROOT, SEARCHABLE, Recogniser, StoredMessage, searchable
from providers.wire.request import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    to_json,
)

CLEAN = Cleaner(())


def say(text: str, role: str = "user") -> Message:
    return Message(role, (TextPart(text),))


def store(
    messages: list[Message], cleaner: Cleaner = CLEAN, recogniser: Recogniser | None = None
) -> tuple[list[bytes | None], list[StoredMessage]]:
    links, fresh = (recogniser or Recogniser()).follow(messages, ROOT, cleaner, lambda: None)
    return [link.stored for link in links], fresh


texts = st.text(max_size=20)


# Invariant: n messages said in turns, each turn with its whole history, are n stored rows, remembered or not.
@given(st.lists(texts, min_size=1, max_size=12), st.booleans())
def test_a_history_is_stored_once(said: list[str], remembered: bool) -> None:
    recogniser = Recogniser()
    stored: dict[bytes, StoredMessage] = {}
    for turn in range(1, len(said) + 1):
        if not remembered:
            recogniser.forget_all()
        chain, fresh = store([say(text) for text in said[:turn]], recogniser=recogniser)
        stored |= {message.hash: message for message in fresh}
        assert set(chain) <= set(stored)
    assert len(stored) == len(said)


# Invariant: two histories have the same key at a place if and only if they are the same up to there.
@given(st.lists(texts, max_size=6), st.lists(texts, max_size=6))
def test_a_key_stands_for_everything_before_it(one: list[str], other: list[str]) -> None:
    first, _ = store([say(text) for text in one])
    second, _ = store([say(text) for text in other])
    for at, (a, b) in enumerate(zip(first, second, strict=False), start=1):
        assert (a == b) == (one[:at] == other[:at])


def test_a_row_is_canonical() -> None:
    _, fresh = store([say("Ægir"), say("hi", "assistant")])
    assert fresh[0].json == '{"parts":[{"part":"text","text":"Ægir"}],"role":"user"}'
    assert (fresh[0].parent, fresh[1].parent) == (None, fresh[0].hash)
    assert len(fresh[0].hash) == HASH_SIZE
    assert fresh[1].row() == (fresh[1].hash, fresh[0].hash, "assistant", fresh[1].json, "hi")


def test_keys_are_taken_out_before_anything_is_stored() -> None:
    key = "sk-abcdefgh12345678"
    said = [say("hello"), say(f"my key is {key}"), say("thanks")]
    chain, fresh = store(said)
    assert key not in "".join(message.json + message.text for message in fresh)
    assert [json.loads(message.json)["role"] for message in fresh] == ["user"] * 3
    redacted, _ = store([say("hello"), say("my key is [redacted]"), say("thanks")])
    assert chain == redacted


def test_a_secret_inside_arguments_leaves_valid_json() -> None:
    secret = 'se"cr\\et-0123'
    call = Message("assistant", (ToolCallPart("1", "login", json.dumps({"key": secret})),))
    _, fresh = store([call], Cleaner([secret]))
    assert json.loads(json.loads(fresh[0].json)["parts"][0]["arguments"]) == {"key": "[redacted]"}


def test_what_the_recogniser_forgets_is_written_again() -> None:
    recogniser = Recogniser(capacity=4)
    said = [say(str(number)) for number in range(10)]
    first, fresh = store(said, recogniser=recogniser)
    assert len(fresh) == 10
    again, fresh = store(said, recogniser=recogniser)
    assert again == first
    assert fresh


def test_a_half_surrogate_can_be_stored() -> None:
    _, fresh = store([say("x \ud800")])
    assert fresh[0].json.encode()
    assert fresh[0].text == "x ?"


def test_words_that_can_be_searched() -> None:
    parts: tuple[Part, ...] = (
        ReasoningPart("thinking", signature="c2lnbmF0dXJl"),
        TextPart("said"),
        ToolCallPart("call_1", "get_weather", '{"city":"Bergen"}'),
        ToolResultPart("call_1", (TextPart("rain"), MediaPart("image", "image/png", 9, "blake2b:00"))),
    )
    words = searchable(to_json(Message("assistant", parts)))
    assert words.split() == ["thinking", "said", "get_weather", '{"city":"Bergen"}', "rain"]
    assert len(searchable(to_json(say("x" * 2 * SEARCHABLE)))) == SEARCHABLE
