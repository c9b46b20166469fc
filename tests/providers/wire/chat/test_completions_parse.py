"""Text completions as a conversation of one message."""

from typing import Any

import pytest

from providers.wire.chat.completions_parse import parse_completions
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Request, Text, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import built


@pytest.mark.parametrize("prompt", ["Once", ["Once"]])
def test_a_prompt(prompt: Any) -> None:
    asked = {"model": "m", "prompt": prompt, "best_of": 1, "echo": False, "logprobs": None}
    assert parse_completions(asked) == Request(Dialect.CHAT, "m", (Turn("user", (Text("Once"),)),))


def test_the_rest_goes_to_a_chat_provider_as_it_is() -> None:
    asked = {"model": "m", "prompt": "p", "max_tokens": 5, "seed": 7, "presence_penalty": 1, "stop": ["a"], "user": "u"}
    body, notes = built(parse_completions(asked))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "p"}],
        "max_tokens": 5,
        "stop": ["a"],
        "user": "u",
        "seed": 7,
        "presence_penalty": 1,
    }
    assert notes.header() == ""


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1], [2]]}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "p", "suffix": "s"}, "suffix"),
        ({"prompt": "p", "echo": True}, "echo"),
        ({"prompt": "p", "best_of": 2}, "best_of"),
        ({"prompt": "p", "logprobs": 0}, "logprobs"),
    ],
)
def test_what_no_conversation_can_answer_is_refused(body: dict[str, Any], path: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_completions(body)
    assert caught.value.field == path
