"""The public table by `genai_prices`, as it is bundled: prices by hand from the vendors' own pages."""

import sys
from datetime import UTC, datetime

import pytest

from providers.exchange.price import Price
from providers.price_table import SOURCE, PriceTable
from providers.wire.events import Usage

WHEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()
NIGHT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC).timestamp()
MILLION = Usage(100_000, 10_000)
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"


@pytest.fixture(name="table", scope="module")
def fixture_table() -> PriceTable:
    return PriceTable()


def cost(price: Price | None, used: Usage) -> float | None:
    assert price is None or price.source == SOURCE
    return None if price is None else price.cost(used)


@pytest.mark.parametrize(
    ("place", "name", "model", "terms", "expected"),
    [
        (OPENAI, "", "gpt-4o-mini", None, 0.1 * 0.15 + 0.01 * 0.6),
        (OPENAI, "", "gpt-4o-mini-2024-07-18", None, 0.1 * 0.15 + 0.01 * 0.6),
        ("http://127.0.0.1:9/v1", "openai", "gpt-4o-mini", None, 0.1 * 0.15 + 0.01 * 0.6),
        (ANTHROPIC, "anthropic", "claude-sonnet-4-5-20250929", None, 0.1 * 3 + 0.01 * 15),
        ("https://api.groq.com/openai/v1", "openai", "llama-3.3-70b-versatile", None, 0.1 * 0.59 + 0.01 * 0.79),
        ("https://openrouter.ai/api/v1", "", "anthropic/claude-sonnet-4.5", None, 0.1 * 3 + 0.01 * 15),
        (OPENAI, "", "gpt-5", "flex", 0.1 * 0.625 + 0.01 * 5),
        (OPENAI, "", "gpt-5", "priority", 0.1 * 2.5 + 0.01 * 20),
        (OPENAI, "", "gpt-5", "scale", None),
        (OPENAI, "", "gpt-5", "audio", None),
        (OPENAI, "", "gpt-4o-mini", "flex", None),  # it has no such tier
        (ANTHROPIC, "", "claude-sonnet-4-5", "batch", 0.1 * 1.5 + 0.01 * 7.5),
        (ANTHROPIC, "", "claude-sonnet-4-5", "priority", None),
        (ANTHROPIC, "", "claude-sonnet-4-5", "geo", None),
        (OPENAI, "", "tts-1", None, None),  # by the letter
        (OPENAI, "", "no-such-model", None, None),
        ("https://llm.acme.example/v1", "", "gpt-4o-mini", None, None),
        ("", "", "gpt-4o-mini", None, None),
        ("", "nobody", "gpt-4o-mini", None, None),
    ],
)
def test_public_prices(
    table: PriceTable, place: str, name: str, model: str, terms: str | None, expected: float | None
) -> None:
    found = cost(table.find(place, name, model, terms, WHEN), MILLION)
    assert found == (None if expected is None else pytest.approx(expected))


def test_long_prompts_and_what_is_cached(table: PriceTable) -> None:
    price = table.find(ANTHROPIC, "", "claude-sonnet-4-5", None, WHEN)
    assert price is not None
    used = Usage(200_000, 1000, 100_000, 50_000, 500, 20_000, 2)
    short = (50_000 * 3 + 100_000 * 0.3 + 30_000 * 3.75 + 20_000 * 6 + 1000 * 15) / 1e6 + 2 * 0.01
    assert price.cost(used) == pytest.approx(short)
    used = Usage(200_001, 1000, 100_000, 50_000, 500, 20_000, 2)
    long = (50_001 * 6 + 100_000 * 0.6 + 30_000 * 7.5 + 20_000 * 12 + 1000 * 22.5) / 1e6 + 2 * 0.01
    assert price.cost(used) == pytest.approx(long)


def test_some_prices_depend_on_the_day_and_the_hour(table: PriceTable) -> None:
    before = datetime(2025, 6, 1, tzinfo=UTC).timestamp()
    assert cost(table.find(OPENAI, "", "o3", None, before), MILLION) == pytest.approx(0.1 * 10 + 0.01 * 40)
    assert cost(table.find(OPENAI, "", "o3", None, WHEN), MILLION) == pytest.approx(0.1 * 2 + 0.01 * 8)
    deepseek = "https://api.deepseek.com/v1"
    assert cost(table.find(deepseek, "", "deepseek-chat", None, WHEN), MILLION) == pytest.approx(0.027 + 0.011)
    assert cost(table.find(deepseek, "", "deepseek-chat", None, NIGHT), MILLION) == pytest.approx(0.0135 + 0.0055)


def test_a_tier_that_has_no_price_yet(table: PriceTable) -> None:
    early = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    assert table.find(OPENAI, "", "gpt-5", "flex", early) is None


def test_another_vendors_model_is_found_where_the_list_leads_on(table: PriceTable) -> None:
    azure = "https://me.openai.azure.com"
    assert table.find(azure, "", "claude-sonnet-4-5", None, WHEN) is not None
    assert table.find(azure, "", "claude-sonnet-4-5", "batch", WHEN) is None  # the tiers are the vendor's own


def test_whoever_needs_a_price_early_waits_for_it() -> None:
    table = PriceTable()
    table.prepare()
    table.prepare()
    assert table.find(OPENAI, "", "gpt-5", None, WHEN) is not None


def test_without_the_package_prices_are_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    table = PriceTable()
    assert table.find(OPENAI, "", "gpt-5", None, WHEN) is None
    assert table.find(OPENAI, "", "gpt-5", None, WHEN) is None
    assert caplog.text.count("no known cost") == 1
