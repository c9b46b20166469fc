"""llama-server's own completion format, from a recording."""

import pytest

from providers.wire.chat.reader import CompletionsBodyReader, CompletionsStreamReader
from providers.wire.events import Finish, FinishReason, Terminal, Timings, Usage
from providers.wire.reader import Reader
from providers.wire.request import TextPart
from tests.providers.wire.playbook import FIXTURES, answer_of, events_of, sse


@pytest.mark.parametrize(("make", "file"), [(CompletionsStreamReader, "sse"), (CompletionsBodyReader, "json")])
def test_a_recording(make: type[Reader], file: str) -> None:
    answer = answer_of(events_of(make, (FIXTURES / f"llamacpp.native.{file}").read_bytes()))
    assert answer.message().parts == (TextPart("Hello from the tiny test model. This text"),)
    assert answer.usage == Usage(4, 8, 3)
    assert (answer.finish, answer.terminal) == (FinishReason.LENGTH, True)
    assert answer.timings is not None


@pytest.mark.parametrize(
    ("stop_type", "finish"),
    [
        ("eos", Finish(FinishReason.STOP, "stop")),
        ("word", Finish(FinishReason.STOP_SEQUENCE, "stop", "END")),
        ("new", Finish(FinishReason.UNKNOWN, "new")),
    ],
)
def test_why_it_stopped(stop_type: str, finish: Finish) -> None:
    word = "END" if stop_type == "word" else ""
    end = {"content": "", "stop": True, "stop_type": stop_type, "stopping_word": word}
    events = events_of(CompletionsStreamReader, sse({"content": "a", "stop": False}, end))
    assert events[-3:] == [Usage(), finish, Terminal()]
    assert not any(isinstance(event, Timings) for event in events)
