"""Every provider dialect to every client dialect: the client's SDK reads what the provider's SDK reads in the original.

The two sides are the official SDKs' own accumulators. A stream that the provider's own SDK cannot read (``ODD``) is
read by our reader instead, which has its tests of its own.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.wire.chat import writer as chat_writer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import Event, Failure
from providers.wire.messages import writer as messages_writer
from providers.wire.readers import reader_for
from providers.wire.responses import writer as responses_writer
from providers.wire.writer import Answering, Writer
from tests.providers.wire import lookalikes_chat, lookalikes_messages, lookalikes_responses
from tests.providers.wire.playbook import answer_of, events_of
from tests.providers.wire.sdk_readings import READ, WHOLE, Reading, as_told_in, read_by_us, same_usage

FIXTURES = {
    Dialect.CHAT: lookalikes_chat,
    Dialect.MESSAGES: lookalikes_messages,
    Dialect.RESPONSES: lookalikes_responses,
}
OPERATIONS = {
    Dialect.CHAT: Operation.CHAT,
    Dialect.MESSAGES: Operation.MESSAGES,
    Dialect.RESPONSES: Operation.RESPONSES,
}
WRITERS: dict[Dialect, tuple[Callable[[Answering], Writer], Callable[[Answering], Writer]]] = {
    Dialect.CHAT: (chat_writer.StreamWriter, chat_writer.BodyWriter),
    Dialect.MESSAGES: (messages_writer.StreamWriter, messages_writer.BodyWriter),
    Dialect.RESPONSES: (responses_writer.StreamWriter, responses_writer.BodyWriter),
}
CASES = [(provider, name, client) for provider in Dialect for name in FIXTURES[provider].STREAMS for client in Dialect]
# A custom tool's free text is the value of one property where there are only functions.
CUSTOM = "a custom tool"


def events(provider: Dialect, stream: bytes) -> list[Event]:
    """The same at any cut, or the test fails."""
    return events_of(lambda: reader_for(OPERATIONS[provider], stream=True), stream)


def answering(provider: Dialect, name: str) -> Answering:
    custom = frozenset({"shell"} if name == CUSTOM else ())
    return Answering("ours_1", "asked", 1760000000, include_usage=True, custom_tools=custom, provider=provider)


def written(writer: Writer, read: list[Event]) -> bytes:
    return b"".join([*map(writer.write, read), writer.close()])


def told(reading: Reading, client: Dialect, name: str) -> Reading:
    expected = as_told_in(client, reading)
    if name == CUSTOM and client is Dialect.MESSAGES:
        calls = tuple((id_, name_, {"input": text}) for id_, name_, text in expected.calls)
        expected = replace(expected, calls=calls)
    return expected


def refuse_alike(seen: Reading, expected: Reading) -> tuple[Reading, Reading]:
    """A refusal's text may be told as text, too: messages has a place for it only beside the blocks."""
    joined = (replace(one, text="", refusal=one.text + one.refusal) for one in (seen, expected))
    first, second = joined
    return first, second


@pytest.mark.parametrize(("provider", "name", "client"), CASES)
def test_the_client_reads_what_the_provider_said(provider: Dialect, name: str, client: Dialect) -> None:
    fixture = FIXTURES[provider]
    stream = fixture.STREAMS[name]
    read = events(provider, stream)
    original = read_by_us(answer_of(read)) if name in fixture.ODD else READ[provider](stream)
    expected = told(original, client, name)
    translated = written(WRITERS[client][0](answering(provider, name)), read)
    for step in (WHOLE, 7, 1):
        seen = READ[client](translated, step)
        assert same_usage(seen.usage, expected.usage), (seen.usage, expected.usage)
        if expected.finish == "refusal":
            seen, wanted = refuse_alike(seen, expected)
        else:
            wanted = expected
        assert replace(seen, usage=wanted.usage) == wanted


@pytest.mark.parametrize(("provider", "name", "client"), CASES)
def test_a_plain_answer_says_the_same_as_the_stream(provider: Dialect, name: str, client: Dialect) -> None:
    read = events(provider, FIXTURES[provider].STREAMS[name])
    bodies = written(WRITERS[client][1](answering(provider, name)), read)
    streams = written(WRITERS[client][0](answering(provider, name)), read)
    told_plain = answer_of(events_of(lambda: reader_for(OPERATIONS[client], stream=False), bodies))
    told_streamed = answer_of(events_of(lambda: reader_for(OPERATIONS[client], stream=True), streams))
    assert told_plain.failure is None
    plain, streamed = read_by_us(told_plain), read_by_us(told_streamed)
    assert same_usage(plain.usage, streamed.usage)
    assert replace(plain, usage=streamed.usage) == streamed


FAILED = [
    (provider, name, client) for provider in Dialect for name in FIXTURES[provider].FAILURES for client in Dialect
]


@pytest.mark.parametrize(("provider", "name", "client"), FAILED)
def test_a_failure_is_never_a_clean_end(provider: Dialect, name: str, client: Dialect) -> None:
    """The writer is not closed then, and has written no end by itself; the exchange writes the error."""
    read = events(provider, FIXTURES[provider].FAILURES[name])
    assert any(isinstance(event, Failure) for event in read)
    writer = WRITERS[client][0](answering(provider, name))
    begun = b"".join(map(writer.write, read))
    assert b"[DONE]" not in begun
    assert b"message_stop" not in begun
    assert b"response.completed" not in begun


@pytest.mark.parametrize("client", Dialect)
@pytest.mark.parametrize("provider", Dialect)
def test_a_cut_stream_is_never_a_clean_end(provider: Dialect, client: Dialect) -> None:
    stream = FIXTURES[provider].STREAMS["text only"]
    writer = WRITERS[client][0](answering(provider, "text only"))
    begun = b"".join(map(writer.write, events(provider, stream[: len(stream) * 2 // 3])))
    assert begun
    assert not any(end in begun for end in (b"[DONE]", b"message_stop", b"response.completed", b'"stop"', b"end_turn"))
