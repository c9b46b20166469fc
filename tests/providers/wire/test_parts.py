"""What the request readers share."""

from providers.wire.parts import content_parts, opaque, text_parts, unknown_keys
from providers.wire.request import OpaquePart, TextPart


def test_content_in_every_form() -> None:
    readers = {"text": lambda part: text_parts(part.get("text"))}
    assert content_parts(None, readers) == []
    assert content_parts("", readers) == []
    assert content_parts("a", readers) == [TextPart("a")]
    assert content_parts({"type": "text", "text": "a"}, readers) == [TextPart("a")]
    odd = ["a", {"type": "text", "text": "b"}, {"type": "new"}, 7]
    assert content_parts(odd, readers) == [
        TextPart("a"),
        TextPart("b"),
        OpaquePart("new", '{"type":"new"}'),
        OpaquePart("", "7"),
    ]


def test_what_is_kept_can_be_stored() -> None:
    assert text_parts("\ud83d\ude00") == [TextPart("😀")]
    assert opaque("\ud83d", "\ud83d") == OpaquePart("\ufffd", '"\\ud83d"')


def test_unknown_keys_that_say_something() -> None:
    assert unknown_keys({"role": "user", "new": 1, "empty": None}, frozenset({"role"})) == [OpaquePart("new", "1")]
