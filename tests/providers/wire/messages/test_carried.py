"""What is packed into a Messages answer, and what stays bare."""

from providers.wire import side_channel
from providers.wire.events import Opaque, Reasoning
from providers.wire.messages.carried import Thought, block_of, citation_of, value_of
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
