"""Cumulative counters."""

import pytest

from providers.wire.events import Usage
from providers.wire.messages.usage import Counters


def test_the_prompt_is_all_three_counters() -> None:
    usage = {"input_tokens": 1, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 300, "output_tokens": 4}
    thinking = {"output_tokens_details": {"thinking_tokens": 2}}
    assert Counters().update({**usage, **thinking}) == Usage(321, 4, 20, 300, 2)


def test_later_counts_overwrite_and_missing_ones_stay() -> None:
    counters = Counters()
    assert not counters
    assert counters.update({"input_tokens": 1, "cache_read_input_tokens": 20, "output_tokens": 1}) == Usage(21, 1, 20)
    assert counters.update({"output_tokens": 9, "input_tokens": None}) == Usage(21, 9, 20)
    assert counters.update({"input_tokens": 5, "output_tokens": 9}) == Usage(25, 9, 20)
    assert counters.update({"output_tokens": 9}) is None
    assert counters


def test_counts_without_input() -> None:
    assert Counters().update({"output_tokens": 2}) == Usage(None, 2)


ONE = {"type": "message", "input_tokens": 1, "output_tokens": 1}


@pytest.mark.parametrize(
    ("counted", "others"),
    [
        ({"service_tier": "standard", "inference_geo": "not_available"}, {}),
        ({"service_tier": "priority", "inference_geo": "us"}, {"service_tier": "priority", "inference_geo": "us"}),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 0}, "server_tool_use": None}, {}),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 7}}, {"cache_creation": {"ephemeral_1h_input_tokens": 7}}),
        ({"iterations": [ONE]}, {}),
        ({"iterations": [ONE, ONE]}, {"iterations": [ONE, ONE]}),
        ({"iterations": [{**ONE, "type": "compaction"}]}, {"iterations": [{**ONE, "type": "compaction"}]}),
    ],
)
def test_what_is_counted_beside_tokens(counted: dict[str, object], others: dict[str, object]) -> None:
    counters = Counters()
    counters.update({"input_tokens": 1, **counted})
    assert counters.others() == others


def test_bedrock_has_words_of_its_own() -> None:
    metrics = {"inputTokenCount": 7, "outputTokenCount": 2, "invocationLatency": 9, "cacheReadInputTokenCount": 1}
    assert Counters().update_bedrock(metrics) == Usage(8, 2, 1)


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4}},
            Usage(1, cache_write_1h=4),
        ),
        ({"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 1}}, Usage(1, searches=3)),
        ({"cost": 0.5}, Usage(1, cost=0.5)),
        ({"cost": 0}, Usage(1, cost=0.0)),
        ({"service_tier": "standard", "inference_geo": "global", "speed": "standard"}, Usage(1)),
        ({"service_tier": "priority"}, Usage(1, terms="priority")),
        ({"speed": "fast"}, Usage(1, terms="speed=fast")),
        ({"inference_geo": "us"}, Usage(1, terms="geo")),
        ({"iterations": [ONE, ONE]}, Usage(1)),
        ({"iterations": [ONE, {**ONE, "type": "compaction"}]}, Usage(1, terms="passes")),
    ],
)
def test_what_changes_the_price(counted: dict[str, object], expected: Usage) -> None:
    assert Counters().update({"input_tokens": 1, **counted}) == expected


def test_a_price_stays_when_later_counts_have_none() -> None:
    counters = Counters()
    counters.update({"input_tokens": 1, "cost": 0.5})
    assert counters.update({"output_tokens": 2}) == Usage(1, 2, cost=0.5)
