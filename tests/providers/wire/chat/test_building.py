"""What the chat builder's parts share: the client's names in notes and refusals, names and ids as they are sent."""

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Request
from providers.wire.notes import Notes, Rejected, Unfetched

MISTRAL = Capabilities(tool_id="[a-zA-Z0-9]{9}", tool_id_length=9)


def building(
    dialect: Dialect = Dialect.MESSAGES, target: Capabilities = MISTRAL, names: dict[str, str] | None = None
) -> Building:
    return Building(Request(dialect, "m", ()), target, Notes(), names or {})


@pytest.mark.parametrize(
    ("dialect", "below", "path"),
    [
        (Dialect.MESSAGES, "", "messages"),
        (Dialect.RESPONSES, "", "input"),
        (Dialect.RESPONSES, "refusal", "input.refusal"),
    ],
)
def test_losses_are_noted_in_the_clients_words(dialect: Dialect, below: str, path: str) -> None:
    one = building(dialect)
    assert one.path("turns", below) == path
    one.drop("turns", below)
    one.approximate("turns", below)
    assert one.notes.header() == f"dropped={path}; approximated={path}"


def test_a_refusal_names_the_field_and_says_what_to_do() -> None:
    refusal = building(Dialect.RESPONSES).rejected("max_tokens", "", "ask for less")
    assert (type(refusal), refusal.field, str(refusal)) == (
        Rejected,
        "max_output_tokens",
        "max_output_tokens: ask for less",
    )


def test_an_address_that_is_not_followed_is_a_refusal_of_its_own() -> None:
    """The caller may download what it stands for and try again."""
    refusal = building(Dialect.RESPONSES).unfetched("image_url")
    assert (type(refusal), refusal.field) == (Unfetched, "input.image_url")
    assert str(refusal) == "input.image_url: this provider downloads nothing; send it as base64"


def test_a_tool_is_called_what_was_sent() -> None:
    one = building(names={"long": "short"})
    assert [one.tool_name(own) for own in ("long", "f")] == ["short", "f"]


def test_an_id_is_the_same_on_the_call_and_on_its_result() -> None:
    one = building()
    assert one.call_id("abcdefgh1") == "abcdefgh1"
    sent = one.call_id("call_1")
    assert (len(sent), sent.isalnum()) == (9, True)
    assert one.call_id("call_1") == sent != one.call_id("call_2")
