"""A message's own fields: carried, noted or refused."""

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Text
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import assistant, messages, noted, user


def test_chat_gets_its_own_back() -> None:
    turns = user(Text("Hi"), name="ann"), assistant(Text("a"), name="bot")
    said = messages(*turns, dialect=Dialect.CHAT)
    assert [message["name"] for message in said] == ["ann", "bot"]


def test_fields_that_say_nothing_are_not_noted() -> None:
    turn = user(Text("Hi"), id="msg_1", status="completed", phase="final_answer")
    assert noted(turn, dialect=Dialect.RESPONSES) == "dropped=input.phase"


@pytest.mark.parametrize("name", ["clear_at", "output_config"])
def test_what_would_change_the_conversation_is_refused(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        messages(user(Text("Hi"), **{name: "x"}))
    assert caught.value.field == f"messages.{name}"


@pytest.mark.parametrize("dialect", Dialect)
def test_a_message_without_any_has_role_and_content_alone(dialect: Dialect) -> None:
    turns = user(Text("Hi")), assistant(Text("a")), user(Text("so"))
    assert {frozenset(said) for said in messages(*turns, dialect=dialect)} == {frozenset(("role", "content"))}
    assert noted(*turns, dialect=dialect) == ""
