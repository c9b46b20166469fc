from dataclasses import replace

import pytest

from providers.wire import side_channel
from providers.wire.neutral import Json, Thinking
from providers.wire.responses.build_thinking import reasoning_item
from tests.providers.wire.responses.building import OPENAI, STRANGER

OURS = side_channel.OPENAI
PACKED = side_channel.pack_reasoning(OURS, encrypted="e", id="rs_9")
SUMMARY = [{"type": "summary_text", "text": "hm"}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Thinking("hm", encrypted="e", id="rs_9", format=OURS), {"id": "rs_9", "summary": SUMMARY}),
        (Thinking("hm", PACKED), {"id": "rs_9", "summary": SUMMARY}),
        (Thinking("", "e", format=OURS), {"id": "rs_3", "summary": []}),
    ],
)
def test_its_own_goes_back_to_its_maker(part: Thinking, expected: Json) -> None:
    assert reasoning_item(part, OPENAI, 3) == {"type": "reasoning", "encrypted_content": "e", **expected}


@pytest.mark.parametrize(
    "part",
    [
        Thinking("hm", "s", format=side_channel.ANTHROPIC),
        Thinking("hm"),
        Thinking("", format=OURS),
        Thinking("hm", "s"),
    ],
)
def test_a_foreign_seal_does_not(part: Thinking) -> None:
    assert reasoning_item(part, OPENAI, 3) is None


def test_servers_without_seals_read_the_text() -> None:
    part = Thinking("hm", "s", format=side_channel.ANTHROPIC)
    content = [{"type": "reasoning_text", "text": "hm"}]
    assert reasoning_item(part, STRANGER, 3) == {"type": "reasoning", "id": "rs_3", "summary": [], "content": content}
    assert reasoning_item(part, replace(STRANGER, reasoning_back=""), 3) is None
    assert reasoning_item(Thinking(encrypted="e"), STRANGER, 3) is None
