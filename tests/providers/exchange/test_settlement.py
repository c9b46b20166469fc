"""What a try and its exchange used, as their accounts have it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.account import AttemptAccount, Outcome
from providers.exchange.settlement import added, measured, settle, settle_try, since, used_of
from providers.registry import Registry
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.endpoints import Operation
from providers.wire.events import NO_USAGE, Timings, Usage
from providers.wire.readers import reader_for
from tests.fake_dialects import Json, chat_body
from tests.providers.exchange.playbook import (
    JSON,
    STREAMS,
    Playbook,
    account,
    begin,
    client_gone,
    data,
    ended,
    failed,
    head,
    opened,
)
from tests.providers.exchange.playbook import exchange as played
from tests.providers.exchange.rescue_play import begun, dialled, goes_on, registry, rest_of, streaming
from tests.providers.exchange.test_rescue import broken, upto

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "wire"
COUNT = st.none() | st.integers(0, 1000)
USED = st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, st.none(), st.none())


@pytest.fixture(name="known", scope="module")
def fixture_known(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return registry(tmp_path_factory.mktemp("registry"))


def tokens(attempt: AttemptAccount) -> tuple[int | None, ...]:
    return (attempt.input_tokens, attempt.output_tokens, attempt.cache_read_tokens, attempt.cache_write_tokens)


def test_a_try_has_the_tokens_of_its_answer() -> None:
    play = Playbook(played(Operation.MESSAGES)) >> begin() >> opened() >> head()
    for event in STREAMS[Operation.MESSAGES]:
        play >> data(event)
    play >> ended()
    (attempt,) = play.account.attempts
    assert tokens(attempt) == (11, 2, 4, 0)
    assert attempt.used == Usage(11, 2, 4, 0)


def test_what_was_told_before_a_cut_was_used() -> None:
    play = Playbook(played(Operation.MESSAGES)) >> begin() >> opened() >> head()
    for event in STREAMS[Operation.MESSAGES][:3]:
        play >> data(event)
    play >> client_gone(1)
    assert tokens(play.account.attempts[0]) == (11, 1, 4, 0)


def test_a_refusal_used_nothing_that_anybody_knows() -> None:
    play = Playbook() >> begin() >> opened() >> head(500, JSON) >> data(b'{"error": {"message": "no"}}') >> ended()
    assert play.account.attempts[0].used == NO_USAGE
    assert tokens(play.account.attempts[0]) == (None,) * 4


@pytest.mark.parametrize(
    ("usage", "header", "expected"),
    [
        ({}, "0.0125", 0.0125),
        ({}, "0.0", None),
        ({}, "lots", None),
        ({"cost": 0.5}, "0.0125", 0.5),
    ],
)
def test_some_gateways_tell_the_price_in_the_head(usage: Json, header: str, expected: float | None) -> None:
    body = chat_body()
    answer = json.dumps({**body, "usage": {**body["usage"], **usage}}).encode()
    headers = [*JSON, ("x-litellm-response-cost", header)]
    play = Playbook(played(stream=False)) >> begin() >> opened() >> head(200, headers) >> data(answer) >> ended()
    assert play.account.attempts[0].used.cost == expected


def test_a_rescued_answer_has_two_tries_and_is_their_sum(known: Registry) -> None:
    play = goes_on(broken(known, "messages", "messages-chat"), "chat")
    row = play.account
    first, second = row.attempts
    assert tokens(first) == (11, 4, 4, 0)  # it told of its prompt; how much it said is our estimate
    assert tokens(second) == (11, 9, 4, 0)
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens) == (22, 13, 8)
    assert row.rescued


def test_a_broken_try_that_told_nothing_is_estimated_when_another_goes_on(known: Registry) -> None:
    play = goes_on(broken(known, "chat", "chat-chat"), "chat")
    row = play.account
    first, second = row.attempts
    assert first.input_tokens
    assert first.output_tokens == 4
    assert tokens(second) == (11, 9, 4, None)
    assert (row.input_tokens, row.output_tokens) == (first.input_tokens + 11, 13)


def test_a_broken_try_whose_answer_nobody_goes_on_with_has_no_estimate(known: Registry) -> None:
    play = broken(known, "chat", "chat-no-chat")
    assert tokens(play.account.attempts[0]) == (None,) * 4
    assert not play.account.rescued


def test_each_of_three_tries_has_its_own(known: Registry) -> None:
    play = broken(known, "chat", "messages-messages-chat")
    assert dialled(play).provider == "second-messages"
    streaming(play, rest_of(play, "messages")[:6]) >> ended()
    assert dialled(play).provider == "third-chat"
    goes_on(play, "chat")
    row = play.account
    sums = [sum(one) for one in zip(*((a.input_tokens or 0, a.output_tokens or 0) for a in row.attempts), strict=True)]
    assert len(row.attempts) == 3
    assert [row.input_tokens, row.output_tokens] == sums


def test_a_rescue_that_fails_in_the_end_is_none(known: Registry) -> None:
    play = broken(known, "chat", "chat-chat") >> opened() >> head(500, JSON) >> ended()
    assert play.account.outcome is not None
    assert not play.account.rescued
    assert play.account.attempts[1].used == NO_USAGE


def test_the_first_part_of_an_answer_alone_is_no_rescue(known: Registry) -> None:
    play = streaming(begun(known, "chat", "chat-chat"), upto(10, "chat")) >> client_gone(1)
    assert not play.account.rescued


# llama-server: prompt tokens that it worked on, and those that its cache had, are the prompt.
@pytest.mark.parametrize(
    ("timings", "expected"),
    [
        (Timings(1, 2, 12, 37, 224), Usage(236, 37, 224)),
        (Timings(1, 2, 12, 37), Usage(12, 37)),
        (Timings(1, 2, None, 37, 224), Usage(None, 37, 224)),
    ],
)
def test_llama_servers_measure_counts_the_whole_prompt(timings: Timings, expected: Usage) -> None:
    assert measured(timings) == expected
    answer = Answer()
    answer.add(timings)
    assert used_of(answer) == expected
    answer.add(events.Usage(7, 8))
    assert used_of(answer) == Usage(7, 8)


# What llama-server measures in each dialect and form, in its own words: its Messages answers carry none.
@pytest.mark.parametrize(
    ("name", "operation", "has_timings"),
    [
        ("llamacpp.chat.USE_THINK.sse", Operation.CHAT, True),
        ("llamacpp.completions.sse", Operation.COMPLETIONS, True),
        ("llamacpp.native.sse", Operation.COMPLETIONS, True),
        ("llamacpp.native.json", Operation.COMPLETIONS, True),
        ("llamacpp.responses.USE_THINK.sse", Operation.RESPONSES, True),
        ("llamacpp.messages.USE_THINK.sse", Operation.MESSAGES, False),
        ("llamacpp.messages.Hello.json", Operation.MESSAGES, False),
    ],
)
def test_llama_servers_measure_in_each_dialect(name: str, operation: Operation, has_timings: bool) -> None:
    raw = (FIXTURES / name).read_bytes()
    answer, reader = Answer(), reader_for(operation, name.endswith(".sse"))
    for event in [*reader.feed(raw), *reader.close()]:
        answer.add(event)
    used = used_of(answer)
    assert used.input
    assert used.output
    if has_timings:
        assert answer.timings is not None
        assert answer.timings.prompt_us
        assert answer.timings.decode_us
    else:
        assert b'"timings"' not in raw


@pytest.mark.parametrize(
    ("told", "source", "tokens_in"),
    [
        ([Timings(5, 6, 12, 37, 224)], "timings", 236),
        ([Timings(5, 6, 12), Usage(7, 8)], "upstream", 7),
        ([], "none", None),
    ],
)
def test_an_exchanges_account_says_who_counted(told: list[events.Event], source: str, tokens_in: int | None) -> None:
    row = account()
    answer = Answer()
    for event in told:
        answer.add(event)
    settle(row, answer)
    assert (row.usage_source, row.input_tokens) == (source, tokens_in)
    assert (row.prompt_us, row.decode_us) == ((5, 6) if told else (None, None))


# One token for four bytes of UTF-8, as everywhere: "Hé" and " you" are seven bytes, the thought has nine.
@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_what_broke_off_uncounted_is_estimated(outcome: Outcome) -> None:
    row, answer = account(), Answer()
    row.outcome = outcome
    for event in (events.Text("Hé", 1), events.Text(" you", 1), events.Reasoning("a thought", 0)):
        answer.add(event)
    settle(row, answer, lambda: 12)
    assert (row.input_tokens, row.output_tokens, row.usage_source) == (12, 4, "estimated")
    settle(row, answer)
    assert (row.input_tokens, row.output_tokens) == (None, 4)


@pytest.mark.parametrize(
    ("outcome", "told", "source"),
    [
        (Outcome.OK, [events.Text("whole", 0)], "none"),
        (Outcome.UPSTREAM_TRUNCATED, [], "none"),
        (Outcome.UPSTREAM_TRUNCATED, [events.Text("", 0)], "none"),
        (Outcome.UPSTREAM_TRUNCATED, [events.Text("cut", 0), Usage(7)], "upstream"),
        (Outcome.CLIENT_DISCONNECTED, [events.Text("cut", 0), Timings(5, 6, 12, 3)], "timings"),
    ],
)
def test_nothing_else_is_estimated(outcome: Outcome, told: list[events.Event], source: str) -> None:
    def never() -> int:
        raise AssertionError

    row, answer = account(), Answer()
    row.outcome = outcome
    for event in told:
        answer.add(event)
    settle(row, answer, never)
    assert row.usage_source == source


def test_an_estimate_is_no_word_of_the_try_and_so_has_no_price() -> None:
    play = Playbook(played()) >> begin() >> opened() >> head()
    for event in STREAMS[Operation.CHAT][:3]:
        play >> data(event)
    play >> failed()
    assert (play.account.outcome, play.account.usage_source) == (Outcome.UPSTREAM_TRUNCATED, "estimated")
    assert play.account.output_tokens
    assert play.account.attempts[0].used == NO_USAGE


def test_a_plan_estimates_its_prompt(known: Registry) -> None:
    play = broken(known, "chat", "chat-no-chat")
    assert play.account.usage_source == "estimated"
    assert play.account.input_tokens
    assert play.account.output_tokens


def test_a_tries_account_takes_all_that_was_used() -> None:
    attempt = AttemptAccount("acme", "big")
    settle_try(attempt, used := Usage(1, 2, 3, 4, 5, cost=0.5))
    assert (*tokens(attempt), attempt.reasoning_tokens, attempt.used) == (1, 2, 3, 4, 5, used)


# What was used since a moment, and what was used before it, make the whole again.
@given(USED, USED)
def test_the_rest_and_what_was_before_are_the_whole(before: Usage, rest: Usage) -> None:
    total = added(before, rest)
    assert added(before, since(total, before)) == total


def test_the_price_of_both_is_summed() -> None:
    total = added(Usage(1, cost=0.5, terms="flex"), Usage(2, cost=0.25))
    assert total == Usage(3, cost=0.75, terms="flex")
    assert since(total, Usage(1, cost=0.5)) == Usage(2, cost=0.25, terms="flex")
