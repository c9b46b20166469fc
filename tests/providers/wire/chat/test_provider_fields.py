"""What chat cannot say, in one object, only where there is something to say."""

import pytest

from providers.wire.events import Event, Finish, FinishReason, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from tests.providers.wire.chat.written import deltas, message

END = Finish(FinishReason.STOP, "end_turn")


def fields(*events: Event, **more: object) -> object:
    return message(*events, **more).get("provider_fields")


def test_nothing_to_say() -> None:
    assert fields(Reasoning("hm"), Text("a", 1), Text("b", 2), ToolCall(3, "a", "f"), END) is None


def test_the_order_of_parts() -> None:
    assert fields(Text("ab"), ToolCall(1, "a", "f"), Text("c", 2), Refusal("no", 3), Reasoning("", 4, "s")) == {
        "dialect": "messages",
        "parts": [
            {"type": "text", "length": 2},
            {"type": "tool_call"},
            {"type": "text", "length": 1},
            {"type": "refusal"},
            {"type": "reasoning"},
        ],
    }


@pytest.mark.parametrize(
    ("finish", "said"),
    [
        (Finish(FinishReason.PAUSE, "pause_turn"), {"stop_reason": "pause_turn"}),
        (Finish(FinishReason.PAUSE, ""), {"stop_reason": ""}),
        (Finish(FinishReason.UNKNOWN, "new"), {"stop_reason": "new"}),
        (
            Finish(FinishReason.LENGTH, "model_context_window_exceeded"),
            {"stop_reason": "model_context_window_exceeded"},
        ),
        (
            Finish(FinishReason.STOP_SEQUENCE, "stop_sequence", "END"),
            {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        ),
    ],
)
def test_why_it_stopped(finish: Finish, said: dict[str, str]) -> None:
    assert fields(Text("a"), finish) == {**said, "dialect": "messages"}


def test_blocks_of_a_server_and_fields_beside_the_answer() -> None:
    block = Opaque('{"type": "server_tool_use", "id": "s"}', "server_tool_use", 0)
    assert fields(block, Text("a", 1), Opaque("no json", "odd"), Opaque("1", "odd"), END, provider=None) == {
        "other": [{"type": "odd", "value": "no json"}, {"type": "odd", "value": 1}],
        "parts": [
            {"type": "opaque", "name": "server_tool_use", "value": {"type": "server_tool_use", "id": "s"}},
            {"type": "text", "length": 1},
        ],
    }


def test_what_stands_on_a_part() -> None:
    said = message(ToolCall(0, "a", "f"), Opaque('{"type": "x"}', "caller", 0), Opaque('"y"', "caller", 0))
    assert said["provider_fields"]["parts"] == [
        {
            "type": "tool_call",
            "beside": [{"type": "caller", "value": {"type": "x"}}, {"type": "caller", "value": "y"}],
        }
    ]


def test_pictures() -> None:
    said = message(Media("image", "", 0, 0, "https://x.invalid/"), Media("image", "", 0, 1, "http://x.invalid/"))
    assert [image["image_url"]["url"] for image in said["images"]] == ["https://x.invalid/", "http://x.invalid/"]
    inline = Media("image", "image/gif", 3, 0, "blake2b:00", "YWJj")
    given = {"type": "image_url", "image_url": {"url": "data:image/gif;base64,YWJj"}}
    assert message(inline, Text("a", 1))["images"] == [given]
    assert deltas(inline)[0]["images"] == [{"index": 0, **given}]
    assert fields(inline, Text("a", 1)) is None
    assert fields(Media("image", "image/gif", 3, 0, "blake2b:00")) == {
        "dialect": "messages",
        "parts": [{"type": "image", "media_type": "image/gif", "size": 3, "ref": "blake2b:00"}],
    }
    assert fields(Media("audio", "", 9, 0, "a1"), Text("a", 1)) == {
        "dialect": "messages",
        "parts": [{"type": "audio", "media_type": "", "size": 9, "ref": "a1"}, {"type": "text", "length": 1}],
    }


def test_it_comes_once_at_the_end() -> None:
    said = deltas(Text("a"), ToolCall(1, "a", "f"), Text("b", 2), END)
    assert ["provider_fields" in delta for delta in said] == [False, False, False, True]
