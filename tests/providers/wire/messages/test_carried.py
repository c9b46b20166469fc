"""What is packed into a Messages answer, and what stays bare."""

import pytest

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Media, Opaque, Reasoning
from providers.wire.messages.carried import Thought, block_of, citation_of, value_of
from providers.wire.writer import Answering
from tests.providers.wire.messages.writing import CHAT, NATIVE, RESPONSES


def thought(*events: Reasoning) -> Thought:
    one = Thought()
    for event in events:
        one.add(event)
    return one


def test_a_later_signature_replaces() -> None:
    assert thought(Reasoning("a", 0, "S1"), Reasoning("", 0, "S2")).sealed(NATIVE) == "S2"


def test_what_stays_bare() -> None:
    assert thought(Reasoning("", 0, encrypted="R")).redacted(NATIVE)["data"] == "R"
    assert thought(Reasoning("", 0, "S", format=side_channel.ANTHROPIC)).sealed(CHAT) == "S"


def test_what_is_packed() -> None:
    assert side_channel.unpack(thought(Reasoning("", 0, "S")).sealed(CHAT)) == ("", {"signature": "S"})
    assert side_channel.unpack(thought(Reasoning("", 0, encrypted="E")).sealed(RESPONSES)) == (
        side_channel.OPENAI,
        {"encrypted": "E"},
    )
    late = thought(Reasoning("", 0, encrypted="R", format=side_channel.ANTHROPIC))
    late.closed = True
    assert side_channel.is_packed(str(late.redacted(CHAT)["data"]))


def test_a_flat_annotation() -> None:
    event = Opaque('{"type":"url_citation","url":"u","title":"t","content":"c"}', "annotation", 0)
    citation = citation_of(event, RESPONSES)
    assert citation is not None
    assert (citation["url"], citation["title"], citation["cited_text"]) == ("u", "t", "c")


def test_no_web_address_no_citation() -> None:
    assert citation_of(Opaque('{"type":"url_citation"}', "annotation", 0), CHAT) is None


def test_a_native_block_has_its_type() -> None:
    assert block_of(Opaque('{"type":"other"}', "thing", 0), NATIVE)["type"] == "redacted_thinking"
    assert value_of("{") == "{"


@pytest.mark.parametrize(
    ("raw", "citation"), [('{"type":"char_location"}', {"type": "char_location"}), ("{}", None), ("broken", None)]
)
def test_anthropics_own_citation_stays_as_it_is(raw: str, citation: dict[str, object] | None) -> None:
    assert citation_of(Opaque(raw, "citation", 0), NATIVE) == citation


@pytest.mark.parametrize("provider", [None, Dialect.CHAT, Dialect.RESPONSES])
def test_media_come_back_as_a_reference_and_never_as_their_bytes(provider: Dialect | None) -> None:
    """What is packed is sent with each turn: a picture would be paid for again and again."""
    answering = Answering("pb1", "asked", 1, provider=provider)
    block = block_of(Media("image", "image/png", 3, 0, "blake2b:00", "YWJj"), answering)
    unpacked = side_channel.unpack(str(block["data"]))
    assert unpacked is not None
    part = side_channel.opaque_of(unpacked[1])
    assert part is not None
    assert (part.dialect, part.type) == (provider or Dialect.CHAT, "media")
    assert part.raw == {"kind": "image", "media_type": "image/png", "size": 3, "ref": "blake2b:00"}
    assert answering.notes.header() == "dropped=content.image"


def test_a_block_stays_itself_only_where_an_anthropic_provider_made_it() -> None:
    event = Opaque('{"type":"server_tool_use","id":"s"}', "server_tool_use", 0)
    assert block_of(event, NATIVE) == {"type": "server_tool_use", "id": "s"}
    assert block_of(event, CHAT)["type"] == "redacted_thinking"
