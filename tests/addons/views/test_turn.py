"""An answer as one turn."""

from addons.views.turn import turn_of
from providers.wire import events
from providers.wire.answer import Answer


def turn(*said: events.Event) -> str:
    answer = Answer()
    for event in said:
        answer.add(event)
    return turn_of(answer)


def test_everything_that_an_answer_can_hold() -> None:
    text = turn(
        events.Begin("a1", "m"),
        events.Reasoning("Let me see. " * 40, 0, signature="c2ln" * 60),
        events.Text("Hello\nworld", 1),
        events.Opaque('{"url":"http://x.example"}', "citation", 1),
        events.Opaque("not json", "odd", 1),
        events.Refusal("I will not", 2),
        events.ToolCall(3, "c1", "weather"),
        events.ToolArguments(3, '{"city": "Paris", "days": [1, 2]}'),
        events.ToolCall(4, "c2", "shell", "custom"),
        events.ToolArguments(4, "ls -l"),
        events.Media("image", "image/png", 70, 5, "blake2b:00"),
        events.Media("audio", "", 0, 6, "id"),
        events.Usage(11, 6, 4),
        events.Finish(events.FinishReason.TOOL_CALLS, "tool_use"),
        events.Terminal(),
    )
    for line in (
        '    thinking: !kept.1 "thinking, 480 characters: Let me see.',
        '    signature: !kept.2 "signature, 240 characters"',
        "    text: |-\n      Hello\n      world",
        "type: citation",
        "  - {type: odd, value: not json}",
        "    text: I will not",
        "    name: weather",
        "      city: Paris",
        "      days: [1, 2]",
        "  - {type: tool_call, id: c2, name: shell, arguments: ls -l}",
        '  - {type: image, about: "image/png, 70 bytes", ref: "blake2b:00"}',
        "  - {type: audio, ref: id}",
        "usage: {input: 11, output: 6, cache_read: 4}",
        "finish: tool_calls (tool_use)",
    ):
        assert line in text, text


def test_an_answer_that_failed() -> None:
    text = turn(events.Failure("Overloaded", "overloaded_error"))
    assert "content: []" in text
    assert "failure: Overloaded" in text
    assert "failure: server_error" in turn(events.Failure("", "server_error"))
    assert "finish: stop\n" in turn(events.Finish(events.FinishReason.STOP, "stop"))
