"""The echo of an answer is the turn that a client's history holds, if the client keeps all that it was given."""

from dataclasses import replace
from typing import Any

import pytest

from providers.wire.echo import echo
from providers.wire.endpoints import Dialect, Operation
from providers.wire.neutral import Part, Refusal, Text, Thinking, ToolUse, Turn
from providers.wire.translate import PARSERS, Translation
from tests.providers.wire import lookalikes_chat, lookalikes_messages, lookalikes_responses
from tests.providers.wire.calls import CHAT, CLAUDE, MESSAGES, OPERATIONS, RESPONSES, asked, plain, plan
from tests.providers.wire.chat.chunks import chunk
from tests.providers.wire.messages import blocks_play as a
from tests.providers.wire.playbook import answer_of, named, play, sse

STREAMS: dict[Dialect, dict[str, bytes]] = {
    CHAT: lookalikes_chat.STREAMS,
    MESSAGES: lookalikes_messages.STREAMS,
    RESPONSES: lookalikes_responses.STREAMS,
}
CASES = [
    pytest.param(client, provider, stream, id=f"{provider}-{client}-{name}")
    for provider, streams in STREAMS.items()
    for client in OPERATIONS
    if client is not provider
    for name, stream in streams.items()
]


def history_of(client: Dialect, body: Any) -> list[Any]:
    """A plain answer as a client that keeps everything has it in its history."""
    if client is CHAT:
        return [body["choices"][0]["message"]]
    return body["output"] if client is RESPONSES else [{"role": "assistant", "content": body["content"]}]


def told(turn: Turn) -> list[Part]:
    """The parts that can matter: not a refusal's own, which ends a conversation, nor the id of unsealed reasoning."""
    parts = [part for part in turn.parts if not isinstance(part, Refusal)]
    return [
        replace(part, id="") if isinstance(part, Thinking) and not (part.signature or part.encrypted) else part
        for part in parts
    ]


# Whatever a provider answers, the echo is what the client's own parser makes of what the client was told.
@pytest.mark.parametrize(("client", "provider", "stream"), CASES)
def test_the_echo_is_what_a_client_that_keeps_everything_sends(
    client: Dialect, provider: Dialect, stream: bytes
) -> None:
    made = plan(client, provider, asked(client))
    turns = PARSERS[OPERATIONS[client]](asked(client, *history_of(client, plain(made, stream)))).turns
    echoed = echo(made, answer_of(play(made.reader(True), [stream])))
    assert [told(turn) for turn in ([echoed] if echoed else [])] == [told(turn) for turn in turns]


def test_a_call_without_an_id_has_the_one_that_the_client_was_given() -> None:
    made = plan(MESSAGES, CHAT, asked(MESSAGES))
    stream = b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}\n\n'
    stream += b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'
    (block,) = plain(made, stream)["content"]
    echoed = echo(made, answer_of(play(made.reader(True), [stream])))
    assert echoed == Turn("assistant", (ToolUse(block["id"], "f", "{}"),))


def test_a_link_to_a_picture_is_no_part_of_a_responses_history() -> None:
    made = plan(RESPONSES, CHAT, asked(RESPONSES))
    image = {"type": "image_url", "image_url": {"url": "https://x.invalid/1.png"}}
    stream = sse(chunk({"content": "see", "images": [image]}), chunk(finish="stop"), done=True)
    assert echo(made, answer_of(play(made.reader(True), [stream]))) == Turn("assistant", (Text("see"),))


@pytest.mark.parametrize(
    ("client", "operation", "provider", "body"),
    [
        (CHAT, Operation.COMPLETIONS, CHAT, {"prompt": "Once"}),
        (MESSAGES, Operation.COUNT_TOKENS, RESPONSES, asked(MESSAGES)),
    ],
)
def test_what_has_no_history_has_no_echo(
    client: Dialect, operation: Operation, provider: Dialect, body: dict[str, Any]
) -> None:
    made = Translation.plan(client, operation, provider, body, CLAUDE, "m", id="x", created=1)
    assert echo(made, answer_of([])) is None


def test_an_answer_of_nothing_has_no_echo() -> None:
    stream = named(a.message_start(), a.message_delta("end_turn", {"output_tokens": 0}), a.STOP)
    made = plan(RESPONSES, MESSAGES, asked(RESPONSES))
    assert echo(made, answer_of(play(made.reader(True), [stream]))) is None
