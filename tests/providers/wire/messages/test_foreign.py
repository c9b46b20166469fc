"""What our answers packed does not reach a provider."""

from typing import Any

import pytest
from hypothesis import given

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.messages.foreign import holds_foreign, without_foreign
from providers.wire.values import raw_json
from tests.providers.wire.playbook import JSON

ANTHROPIC = side_channel.ANTHROPIC
PACKED = side_channel.pack_reasoning("x", signature="S")
OWN = side_channel.pack_reasoning(ANTHROPIC, signature="S", encrypted="R", id="i")
TEXT = {"type": "text", "text": "a"}


def cleaned(*blocks: Any, signatures: str = ANTHROPIC) -> list[Any]:
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "assistant", "content": [*blocks, TEXT]}]}
    messages: Any = without_foreign(body, signatures)["messages"]
    assert messages[0]["content"][-1] == TEXT
    content: list[Any] = messages[0]["content"][:-1]
    return content


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm", "signature": PACKED},
        {"type": "thinking", "thinking": "hm", "signature": "patchbay7.abc"},
        {"type": "redacted_thinking", "data": PACKED},
        {"type": "redacted_thinking", "data": side_channel.pack_opaque(Dialect.RESPONSES, "x", {})},
        {
            "type": "thinking",
            "thinking": "",
            "signature": side_channel.pack_reasoning(ANTHROPIC, signature="S", late=True),
        },
    ],
)
def test_what_others_made_goes(block: dict[str, Any]) -> None:
    assert cleaned(block) == []


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "text", "text": "b", "citations": [{"type": "char_location"}]},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        "not a block",
        None,
    ],
)
def test_the_providers_own_stays(block: Any) -> None:
    assert cleaned(block) == [block]


def test_the_providers_own_is_bare_again() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": OWN}
    redacted = {"type": "redacted_thinking", "data": OWN}
    assert cleaned(thinking, redacted) == [{**thinking, "signature": "S"}, {**redacted, "data": "R"}]
    assert cleaned(thinking, redacted, signatures="") == []


def test_a_citation_of_others_goes() -> None:
    foreign = {"type": "web_search_result_location", "encrypted_index": PACKED}
    own = {"type": "web_search_result_location", "encrypted_index": "E"}
    assert cleaned({**TEXT, "citations": [foreign]}) == [TEXT]
    assert cleaned({**TEXT, "citations": [foreign, own]}) == [{**TEXT, "citations": [own]}]


def test_a_message_of_nothing_else_goes() -> None:
    user = {"role": "user", "content": "Hi"}
    only = {"role": "assistant", "content": [{"type": "redacted_thinking", "data": PACKED}]}
    empty = {"role": "assistant", "content": []}
    body: dict[str, Any] = {"messages": [user, only, empty]}
    assert without_foreign(body, ANTHROPIC) == {"messages": [user, empty]}
    assert len(body["messages"]) == 3


# A body without our mark stays what it is, whatever it is.
@given(JSON)
def test_any_body(value: Any) -> None:
    body = {"messages": value}
    assert raw_json(without_foreign(body, ANTHROPIC)) == raw_json(body)


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        (b'{"thinking":"hm","signature":""}', True),
        (b'{"signature" : ""}', True),
        (b'{"signature":"abc"}', False),
        (b'{"signature":"' + PACKED.encode() + b'"}', True),
        (b"{}", False),
    ],
)
def test_what_must_be_looked_through(body: bytes, holds: bool) -> None:
    assert holds_foreign(body) is holds


def test_reasoning_that_was_never_signed_goes_only_where_nobody_signs() -> None:
    unsigned = {"type": "thinking", "thinking": "hm", "signature": ""}
    assert cleaned(unsigned) == []
    assert cleaned(unsigned, signatures="") == [unsigned]
    assert cleaned({"type": "redacted_thinking", "data": ""}) == []


@pytest.mark.parametrize("body", [{}, {"prompt": PACKED}, {"messages": "Hi"}, {"messages": None}])
def test_a_body_without_a_list_of_messages_is_the_providers_to_judge(body: dict[str, Any]) -> None:
    assert without_foreign(body, ANTHROPIC) is body
