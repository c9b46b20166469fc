"""Why it stopped and what it counted, in Anthropic's words (specs: translation 4.1 and 4.2)."""

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.events import Finish, FinishReason, Opaque, Refusal, Usage
from providers.wire.messages.ending import Ending
from providers.wire.writer import Answering

CHAT = Answering("pb1", "m", 1, provider=Dialect.CHAT)
NATIVE = Answering("pb1", "m", 1, provider=Dialect.MESSAGES)


@pytest.mark.parametrize(
    ("finish", "called", "wanted"),
    [
        (Finish(FinishReason.STOP, "stop"), False, "end_turn"),
        (Finish(FinishReason.STOP, ""), True, "tool_use"),
        (Finish(FinishReason.TOOL_CALLS, "tool_calls"), True, "tool_use"),
        (Finish(FinishReason.TOOL_CALLS, "tool_calls"), False, "end_turn"),
        (Finish(FinishReason.LENGTH, "length"), True, "max_tokens"),
        (Finish(FinishReason.LENGTH, "model_context_window_exceeded"), False, "model_context_window_exceeded"),
        (Finish(FinishReason.STOP_SEQUENCE, "stop", "END"), False, "stop_sequence"),
        (Finish(FinishReason.REFUSAL, "content_filter"), False, "refusal"),
        (Finish(FinishReason.PAUSE, "pause_turn"), False, "pause_turn"),
        (Finish(FinishReason.PAUSE, "steered"), False, "end_turn"),
        (Finish(FinishReason.UNKNOWN, "sensitive"), False, "end_turn"),
        (Finish(FinishReason.UNKNOWN, "compaction"), False, "end_turn"),
    ],
)
def test_reasons(finish: Finish, called: bool, wanted: str) -> None:
    ending = Ending(CHAT)
    ending.finish(finish)
    ending.called = called
    stop = ending.stop()
    assert stop["stop_reason"] == wanted
    assert stop["stop_sequence"] == (finish.sequence or None)


def test_an_unknown_word_of_anthropics_stays() -> None:
    ending = Ending(NATIVE)
    ending.finish(Finish(FinishReason.UNKNOWN, "compaction"))
    assert ending.stop() == {"stop_reason": "compaction", "stop_sequence": None}


def test_a_refusal_without_a_reason() -> None:
    ending = Ending(CHAT)
    ending.refusal(Refusal("no"))
    assert ending.stop() == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": "no"},
    }


def test_what_anthropic_counts_beside_tokens_stays_with_the_counts() -> None:
    ending = Ending(NATIVE)
    ending.beside(Opaque('{"server_tool_use":{"web_search_requests":1}}', "usage"))
    assert ending.counts()["server_tool_use"] == {"web_search_requests": 1}
    assert ending.others() == {}


def test_anthropics_details_stay() -> None:
    ending = Ending(NATIVE)
    ending.beside(Opaque('{"type":"refusal","category":"bio"}', "stop_details"))
    ending.finish(Finish(FinishReason.REFUSAL, "refusal"))
    assert ending.stop()["stop_details"] == {"type": "refusal", "category": "bio"}


def test_counts_overwrite_and_are_never_added() -> None:
    ending = Ending(CHAT)
    assert ending.counts() == {"input_tokens": 0, "output_tokens": 0}
    ending.usage(Usage(input=100, output=1, cache_read=60, cache_write=30))
    ending.usage(Usage(output=9, reasoning=4))
    assert ending.counts() == {
        "input_tokens": 10,
        "output_tokens": 9,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    ending.usage(Usage(input=50))
    assert ending.counts()["input_tokens"] == 0  # some servers leave the cached tokens out


@pytest.mark.parametrize(("raw", "wanted"), [('"priority"', "priority"), ('"flex"', ""), ("1", "")])
def test_tiers(raw: str, wanted: str) -> None:
    ending = Ending(CHAT)
    ending.beside(Opaque(raw, "service_tier"))
    assert ending.tier() == wanted
    assert ending.others() == {}


def test_fields_of_others_are_left_out() -> None:
    ending = Ending(CHAT)
    ending.beside(Opaque('"fp"', "system_fingerprint"))
    assert ending.others() == {}
