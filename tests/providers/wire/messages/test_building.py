"""What the steps of building a Messages request share: names, refusals and cache marks."""

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.messages.building import renamed_tools
from providers.wire.neutral import Cache, Text, Tool, ToolChoice, ToolUse
from providers.wire.notes import Rejected, Unfetched
from tests.providers.wire.messages.building_play import CLAUDE, assistant, building, request


@pytest.mark.parametrize(
    ("dialect", "name", "speaks"),
    [
        (Dialect.CHAT, "messages.audio", "Chat Completions"),
        (Dialect.MESSAGES, "messages.audio", "Messages"),
        (Dialect.RESPONSES, "input.audio", "Responses"),
    ],
)
def test_losses_and_refusals_speak_the_clients_words(dialect: Dialect, name: str, speaks: str) -> None:
    one = building(request(dialect=dialect))
    one.drop("turns", ".audio")
    one.approximate("turns", ".audio")
    assert one.notes.header() == f"dropped={name}; approximated={name}"
    refusal = one.rejected("sound", "turns", ".audio")
    assert (type(refusal), refusal.field) == (Rejected, name)
    assert str(refusal) == (
        "sound cannot be had from a provider that speaks Anthropic Messages: "
        f"leave it out, or choose a model of a provider that speaks {speaks}"
    )


def test_a_field_may_be_refused_under_its_own_name() -> None:
    assert building(request()).refused("several answers", "n").field == "n"


def test_an_address_that_is_not_followed_is_a_refusal_of_its_own() -> None:
    """The caller may download what it stands for and try again."""
    refusal = building(request()).unfetched(".image_url")
    assert (type(refusal), refusal.field) == (Unfetched, "messages.image_url")
    assert "base64" in str(refusal)


@pytest.mark.parametrize(
    ("target", "cache", "mark", "note"),
    [
        (CLAUDE, None, {}, ""),
        (CLAUDE, Cache(), {"cache_control": {"type": "ephemeral"}}, ""),
        (CLAUDE, Cache("1h"), {"cache_control": {"type": "ephemeral", "ttl": "1h"}}, ""),
        (Capabilities(), None, {}, ""),
        (Capabilities(), Cache("1h"), {}, "dropped=prompt_cache_breakpoint"),
    ],
)
def test_a_mark_stands_where_the_target_knows_marks(
    target: Capabilities, cache: Cache | None, mark: dict[str, object], note: str
) -> None:
    one = building(request(), target)
    assert one.mark({"type": "text"}, cache) == {"type": "text", **mark}
    assert one.notes.header() == note


def test_a_tool_has_one_name_on_offer_chosen_and_called() -> None:
    """Names that are too long are renamed also where a tool is only chosen, or only called earlier."""
    offered, chosen, called = ("x" * 70 + end for end in "abc")
    asked = request(
        assistant(Text("so"), ToolUse("i", called, "{}"), ToolUse("j", "f", "{}")),
        tools=(Tool("function", offered),),
        tool_choice=ToolChoice("tool", (chosen,)),
    )
    target = Capabilities(tool_name_length=64)
    renamed = renamed_tools(asked, target)
    assert set(renamed) == {offered, chosen, called}
    assert len(set(renamed.values())) == 3
    one = building(asked, target)
    assert [one.tool_name(own) for own in (offered, "f")] == [renamed[offered], "f"]
    assert renamed_tools(request(), target) == {}


@pytest.mark.parametrize(("target", "is_anthropic"), [(CLAUDE, True), (Capabilities(), False)])
def test_anthropic_is_known_by_the_signatures_that_it_makes(target: Capabilities, is_anthropic: bool) -> None:
    assert building(request(), target).is_anthropic is is_anthropic
