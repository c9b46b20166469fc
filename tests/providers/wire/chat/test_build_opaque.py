"""Parts of one dialect alone: a hint is left out, what the conversation needs is refused."""

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Opaque, Text
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import messages, noted, user

REFUSED = [
    (Dialect.MESSAGES, "container_upload", "messages.container_upload"),
    (Dialect.MESSAGES, "tool_addition", "messages.tool_addition"),
    (Dialect.RESPONSES, "item_reference", "input.item_reference"),
    (Dialect.RESPONSES, "compaction", "input.compaction"),
    (Dialect.RESPONSES, "local_shell_call_output", "input.local_shell_call_output"),
]


@pytest.mark.parametrize(("dialect", "kind", "path"), REFUSED)
def test_refused(dialect: Dialect, kind: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        messages(user(Opaque(dialect, kind, {})), dialect=dialect)
    assert caught.value.field == path


@pytest.mark.parametrize("kind", ["web_search_call", "mcp_call", "something_new", ""])
def test_left_out_with_a_note(kind: str) -> None:
    part = Opaque(Dialect.RESPONSES, kind, {"id": "x"})
    assert messages(user(Text("Hi"), part), dialect=Dialect.RESPONSES) == [{"role": "user", "content": "Hi"}]
    assert noted(user(Text("Hi"), part), dialect=Dialect.RESPONSES) == f"dropped=input.{kind or 'part'}"


@pytest.mark.parametrize(("content", "text"), [("a", "a"), ([{"type": "text", "text": "a"}, 1], "a")])
def test_a_summary_is_said(content: object, text: str) -> None:
    part = Opaque(Dialect.MESSAGES, "compaction", {"content": content})
    assert messages(user(part))[0]["content"] == f"[summary of the conversation so far]\n{text}"
    assert noted(user(part)) == "approximated=messages.compaction"


def test_a_failed_summary_is_none() -> None:
    assert noted(user(Text("Hi"), Opaque(Dialect.MESSAGES, "compaction", {}))) == "dropped=messages.compaction"
