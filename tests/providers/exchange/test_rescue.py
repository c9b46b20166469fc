"""A stream that breaks off is gone on with by the next target, and the client's SDK sees one healthy answer."""

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Dial, Timer
from providers.exchange.machine import Exchange, Phase, Settings
from providers.failover import Failover
from providers.registry import Registry
from providers.wire.readers import reader_for
from tests.fake_dialects import Tool, chat_events
from tests.fake_dialects import data as event
from tests.providers.exchange.playbook import (
    JSON,
    Input,
    Playbook,
    abandon,
    account,
    begin,
    client_gone,
    data,
    ended,
    failed,
    head,
    opened,
    timer,
)
from tests.providers.exchange.rescue_play import (
    DIALECTS,
    EVENTS,
    TEXT,
    WORDS,
    begun,
    dialled,
    goes_on,
    heard,
    planned,
    prefill,
    registry,
    rest_of,
    sent,
    streaming,
)
from tests.providers.exchange.test_machine_sdks import RAISED

BREAKS: dict[str, tuple[Input, Outcome]] = {
    "ended": (ended(1), Outcome.UPSTREAM_TRUNCATED),
    "reset": (failed(at=1), Outcome.UPSTREAM_TRUNCATED),
    "garbage": (failed(Outcome.UPSTREAM_PROTOCOL_ERROR, at=1), Outcome.UPSTREAM_PROTOCOL_ERROR),
    "stalled": (timer(Timer.PHASE, 5), Outcome.UPSTREAM_TIMEOUT_IDLE),
    "error": (
        data(b'event: error\ndata: {"type":"error","error":{"message":"we broke"}}\n\n', 1),
        Outcome.UPSTREAM_HTTP_ERROR,
    ),
}
TOOL: Tool = ("look", {"where": "there"})
THOUGHT = event({"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "hm"}}], "id": "1"})
REFUSAL = event({"choices": [{"index": 0, "delta": {"refusal": "no"}}]})


@pytest.fixture(name="known", scope="module")
def fixture_known(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return registry(tmp_path_factory.mktemp("registry"))


def upto(words: int, dialect: str, tools: tuple[Tool, ...] = ()) -> list[bytes]:
    """A first answer that has said so many words of the text."""
    events = EVENTS[dialect](WORDS, tools=tools)
    last = json.dumps(WORDS[words - 1])[1:-1].encode()
    return events[
        : max(at for at, one in enumerate(events) if last in one and b"delta" in one and b".done" not in one) + 1
    ]


def broken(known: Registry, client: str, model: str, words: int = 4, end: str = "reset", attempts: int = 4) -> Playbook:
    """A call whose first provider breaks off after so many words."""
    play = begun(known, client, model, attempts)
    return streaming(play, upto(words, model.partition("-")[0])) >> BREAKS[end][0]


@pytest.mark.parametrize("end", BREAKS)
@pytest.mark.parametrize("second", DIALECTS)
@pytest.mark.parametrize("first", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_the_next_target_goes_on(known: Registry, client: str, first: str, second: str, end: str) -> None:
    play = broken(known, client, f"{first}-{second}", end=end)
    assert prefill(dialled(play)) == "It rains in the"
    assert play.exchange.phase is Phase.DIALLING
    goes_on(play, second)
    said = heard(play, client)
    assert said.text == TEXT
    assert not said.calls
    row = play.account
    assert (row.outcome, row.status, row.provider, row.who_ended) == (
        Outcome.OK,
        200,
        f"second-{second}",
        EndedBy.UPSTREAM,
    )
    assert row.error is not None
    assert row.error.startswith(f"rescued: second-{second} went on with first-{first}'s answer: ")
    assert [try_.outcome for try_ in row.attempts] == [BREAKS[end][1], Outcome.OK]
    assert (row.input_tokens, row.output_tokens, row.usage_source) == (said.usage[0], said.usage[2], "estimated")
    assert play.exchange.answer.message().parts[0].text == TEXT  # type: ignore[union-attr]  # it is a text


def test_the_tokens_of_both_are_counted(known: Registry) -> None:
    play = goes_on(broken(known, "messages", "messages-chat"), "chat")
    rest = TEXT[len("It rains in the") :]
    # The first one told of 11 tokens in, 4 of them cached, and was cut before it counted its 16 bytes of answer.
    assert heard(play, "messages").usage == (11 + 11, 4 + 4, 4 + -(-len(rest) // 3))
    assert (play.account.cache_read_tokens, play.account.cache_write_tokens) == (8, 0)


def test_a_text_behind_thoughts_is_gone_on_with(known: Registry) -> None:
    play = streaming(begun(known, "messages", "chat-messages"), [THOUGHT, *upto(4, "chat")]) >> failed(at=1)
    said = heard(goes_on(play, "messages"), "messages")
    assert (said.thinking, said.text) == ("hm", TEXT)


def test_the_answer_stays_the_first_ones(known: Registry) -> None:
    play = goes_on(broken(known, "messages", "messages-chat"), "chat")
    events = [json.loads(line[6:]) for line in play.body.split(b"\n") if line.startswith(b"data: ")]
    kinds = [one["type"] for one in events if one["type"] != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert events[0]["message"]["id"] == "msg_1"
    numbered = goes_on(broken(known, "responses", "responses-chat"), "chat")
    numbers = [int(found) for found in re.findall(rb'"sequence_number":(\d+)', numbered.body)]
    assert numbers == list(range(len(numbers)))
    chunks = goes_on(broken(known, "chat", "chat-messages"), "messages").body
    assert set(re.findall(rb'"id":"(\w[^"]*)"', chunks)) == {b"chatcmpl-1"}
    assert chunks.count(b'"role"') == chunks.count(b"[DONE]") == 1


@pytest.mark.parametrize("client", DIALECTS)
def test_the_bound_and_the_thoughts_are_fitted(known: Registry, client: str) -> None:
    body = sent(dialled(broken(known, client, f"{client}-{client}")))
    bound = next(body[name] for name in ("max_tokens", "max_completion_tokens", "max_output_tokens") if name in body)
    assert bound == 896
    assert body["model"] == "m"


# A stream may break off at any byte: the client gets the whole text, once, or its SDK raises.
@given(st.sampled_from(DIALECTS), st.sampled_from(DIALECTS), st.sampled_from(DIALECTS), st.integers(0, 6000), st.data())
def test_whole_or_an_error(client: str, first: str, second: str, size: int, draw: st.DataObject) -> None:
    stream = b"".join(EVENTS[first](WORDS))[:size]
    play = begun(KNOWN[0], client, f"{first}-{second}")
    streaming(play, [stream] if stream else []) >> failed(at=1)
    if play.end is None and len(play.account.attempts) == 2 and play.head is not None:
        assert TEXT.startswith(prefill(dialled(play)))
        goes_on(play, second)
    if play.account.outcome is Outcome.OK:
        assert heard(play, client).text == TEXT
    elif play.head is not None:
        with pytest.raises(RAISED):
            heard(play, client)


KNOWN: list[Registry] = []


@pytest.fixture(autouse=True, scope="module")
def fixture_shared(known: Registry) -> None:
    KNOWN[:] = [known]


@pytest.mark.parametrize("second", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_no_rescue_without_one_that_takes_the_beginning(known: Registry, client: str, second: str) -> None:
    play = broken(known, client, f"{client}-no-{second}")
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    assert len(play.account.attempts) == 1
    assert b"".join(upto(4, client)) in play.body  # and so the stream was left as it was
    with pytest.raises(RAISED):
        heard(play, client)


@pytest.mark.parametrize("client", DIALECTS)
def test_a_call_of_a_tool_is_not_gone_on_with(known: Registry, client: str) -> None:
    play = begun(known, client, f"{client}-{client}")
    whole = EVENTS[client](WORDS, tools=[TOOL])
    stop = next(at for at, one in enumerate(whole) if b"look" in one)
    streaming(play, whole[: stop + 1]) >> failed(at=1)
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    with pytest.raises(RAISED):
        heard(play, client)


REFUSED: dict[str, Callable[[Registry], Playbook]] = {
    "thoughts alone": lambda known: streaming(begun(known, "chat", "chat-chat"), [THOUGHT]),
    "white space alone": lambda known: streaming(begun(known, "chat", "chat-chat"), chat_events([" \n"])[:2]),
    "half a character": lambda known: streaming(begun(known, "chat", "chat-chat"), chat_events(["a\ud83d"])[:2]),
    "a refusal": lambda known: streaming(begun(known, "chat", "chat-chat"), [*upto(4, "chat"), REFUSAL]),
    "one attempt": lambda known: streaming(begun(known, "chat", "chat-chat", attempts=1), upto(4, "chat")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_gone_on_with(known: Registry, case: str) -> None:
    play = REFUSED[case](known) >> failed(at=1)
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    assert len(play.account.attempts) == 1
    assert b"upstream_truncated" in play.body


def test_a_model_that_was_done_is_not_gone_on_with(known: Registry) -> None:
    play = streaming(begun(known, "messages", "messages-chat"), EVENTS["messages"](WORDS)[:-1]) >> failed(at=1)
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    assert len(play.account.attempts) == 1


@pytest.mark.parametrize(
    ("client", "more"),
    [
        ("chat", {"n": 2}),
        ("chat", {"logprobs": True}),
        ("chat", {"response_format": {"type": "json_object"}}),
        ("chat", {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "It"}]}),
        ("chat", {"stream": False}),
        ("messages", {"messages": 7}),
    ],
)
def test_calls_that_are_left_as_they_are(known: Registry, client: str, more: dict[str, object]) -> None:
    plan = planned(known, client, f"{client}-{client}", **more)
    assert not plan.first.resumable
    assert not plan.going_on


@pytest.mark.parametrize("said", [b'{"error":{"message":"no prefill","type":"invalid_request_error"}}', b"{}"])
def test_who_refuses_to_go_on_ends_it_with_the_first_error(known: Registry, said: bytes) -> None:
    play = broken(known, "chat", "chat-messages")
    play >> opened(2) >> head(400, JSON, 2) >> data(said, 2) >> ended(2)
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    assert play.account.error is not None
    assert "second-messages did not go on with it" in play.account.error
    assert b"first-chat broke off" in play.body
    assert [try_.outcome for try_ in play.account.attempts] == [Outcome.UPSTREAM_TRUNCATED, Outcome.UPSTREAM_HTTP_ERROR]
    with pytest.raises(RAISED):
        heard(play, "chat")


@pytest.mark.parametrize("client", DIALECTS)
def test_a_second_rescue_goes_on_from_there(known: Registry, client: str) -> None:
    play = broken(known, client, "chat-messages-responses")
    rest = rest_of(play, "messages")
    streaming(play, rest[:6]) >> failed(at=2)
    assert len(prefill(dialled(play))) > len("It rains in the")
    goes_on(play, "responses")
    assert heard(play, client).text == TEXT
    assert play.account.outcome is Outcome.OK
    assert [try_.provider for try_ in play.account.attempts] == ["first-chat", "second-messages", "third-responses"]


def test_one_that_cannot_be_reached_is_passed_over(known: Registry) -> None:
    play = broken(known, "chat", "chat-chat-messages") >> failed(Outcome.UPSTREAM_REFUSED, at=2)
    assert dialled(play).provider == "third-messages"
    assert heard(goes_on(play, "messages"), "chat").text == TEXT


def test_without_a_course_nobody_is_asked(known: Registry) -> None:
    plan = planned(known, "chat", "chat-chat")
    alone = Playbook(Exchange(account(), plan, reader_for, Settings())) >> begin()
    streaming(alone, upto(4, "chat")) >> failed(at=1)
    assert alone.account.outcome is Outcome.UPSTREAM_TRUNCATED


def test_two_rescues_are_all(known: Registry) -> None:
    play = broken(known, "chat", "chat-chat-chat", attempts=9)
    for at in (2, 3):
        play >> failed(Outcome.UPSTREAM_REFUSED, at=at)
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
    assert len(play.account.attempts) == 3


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (timer(Timer.TOTAL, 100), Outcome.UPSTREAM_TIMEOUT_TOTAL),
        (client_gone(3), Outcome.CLIENT_DISCONNECTED),
        (abandon(Outcome.SHUTDOWN, at=3), Outcome.SHUTDOWN),
    ],
)
@pytest.mark.parametrize("spoken", [0, 5])
def test_the_call_ends_as_ever_while_it_is_rescued(known: Registry, spoken: int, end: Input, outcome: Outcome) -> None:
    play = broken(known, "chat", "chat-chat-chat")
    if spoken:
        streaming(play, rest_of(play, "chat")[:spoken])
    play >> end
    assert play.account.outcome is outcome
    assert play.account.attempts[0].outcome is Outcome.UPSTREAM_TRUNCATED
    assert not any(isinstance(command, Dial) and command.target.provider == "third-chat" for command in play.asked)


def test_a_plain_answer_goes_on_too(known: Registry) -> None:
    play = broken(known, "chat", "chat-chat")
    rest = TEXT[len(prefill(dialled(play))) :]
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": rest}, "finish_reason": "stop"}]}
    play >> opened(2) >> head(200, JSON, 2) >> data(json.dumps(whole).encode(), 2) >> ended(2)
    assert heard(play, "chat").text == TEXT


def test_an_error_in_a_stream_that_cannot_be_gone_on_with_is_told(known: Registry) -> None:
    play = streaming(begun(known, "chat", "chat-chat"), [*upto(4, "chat"), REFUSAL]) >> BREAKS["error"][0]
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR
    assert b"we broke" in play.body


@pytest.mark.parametrize("model", ["past-narrow", "to-narrow"])
def test_a_target_without_room_is_passed_over(known: Registry, model: str) -> None:
    shared = Failover()
    inside = begun(known, "chat", "narrow", shared=shared)
    play = streaming(begun(known, "chat", model, shared=shared), upto(4, "chat")) >> failed(at=1)
    assert inside.account.outcome is None
    if model == "past-narrow":
        assert dialled(play).provider == "third-chat"
        assert heard(goes_on(play, "chat"), "chat").text == TEXT
    else:
        assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED
        assert b"first-chat broke off" in play.body
    assert "narrow-chat" not in [try_.provider for try_ in play.account.attempts]
