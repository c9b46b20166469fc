"""Numbers, models and providers: charts that can be read as tables, lists that are searched, lines to copy."""

from playwright.sync_api import expect

from tests.page_fixture import PageFixture
from tests.page_samples import provider
from tests.rig_browser import Visit


def test_each_chart_has_a_table_that_says_the_same(visited: Visit, behind: PageFixture) -> None:
    found = behind.api["numbers"]
    visited.go("numbers")
    visited.see(f"{found['total']['exchanges']:,}")
    figures = visited.page.locator("figure")
    expect(figures).to_have_count(7)
    expect(visited.page.locator("figure svg.chart")).to_have_count(7)
    figures.nth(0).locator("summary").click()
    today = max(line["day"] for line in found["days"])
    newest = figures.nth(0).locator("tbody tr").nth(0).locator("th, td").all_inner_texts()
    counts = {line["key"]: line["exchanges"] for line in found["days"] if line["day"] == today}
    assert newest == [today, *(f"{counts[key]:,}" for key in ("anthropic", "local", "openrouter", "openai"))]
    figures.nth(4).locator("summary").click()
    assert figures.nth(4).locator("tbody tr").nth(1).locator("th, td").all_inner_texts() == [
        "local", "155 ms", "341 ms", "481 ms", "2,100",
    ]  # fmt: skip
    figures.nth(0).locator("svg .column").last.hover()
    expect(figures.nth(0).locator(".tip")).to_contain_text(f"anthropic {counts['anthropic']}")


def test_numbers_of_many_models_fold_the_quiet_ones(visited: Visit, behind: PageFixture) -> None:
    lines = behind.api["numbers"]["days"]
    behind.api["numbers"]["days"] = [{**lines[0], "key": f"model-{n}", "exchanges": 100 - n} for n in range(12)]
    visited.go("numbers?by=model&days=7")
    visited.see("others", "model-5")
    assert ("numbers", {"days": "7", "by": "model"}) in behind.asked
    legend = visited.page.locator("figure").nth(0).locator(".legend li")
    assert legend.all_inner_texts() == [*(f"model-{n}" for n in range(6)), "others"]


def test_cost_that_is_unknown_is_not_nothing(visited: Visit, behind: PageFixture) -> None:
    found = behind.api["numbers"]
    found["total"] = {**found["total"], "cost": 0, "unpriced": found["total"]["ok"]}
    visited.go("numbers")
    tile = visited.page.locator(".tile", has_text="Cost")
    expect(tile).to_contain_text("calls of unknown price")
    assert "$0" not in tile.inner_text()


def test_models_are_found_and_copied(visited: Visit) -> None:
    visited.go("models")
    visited.see("10 models", "→ local/qwen3-8b", "loading", "no key", "unreachable", "$0.125")
    visited.page.get_by_label("Search models").fill("claude image")
    visited.see("3 of 10 models")
    visited.page.get_by_label("Provider").select_option("local")
    visited.see("No model matches")
    visited.page.get_by_label("Search models").fill("qwen")
    visited.see("2 of 10 models")
    visited.page.wait_for_url("**/#/models?search=qwen&provider=local")
    visited.page.get_by_role("button", name="Copy the name qwen3-8b").click()
    assert visited.page.evaluate("navigator.clipboard.readText()") == "qwen3-8b"


def test_providers_say_what_is_missing_and_how_clients_are_plugged_in(visited: Visit, behind: PageFixture) -> None:
    half = {"state": "half_open", "cause": "rate_limit", "wait_seconds": 0, "openings": 1, "failures": {}, "server": 2}
    behind.api["providers"]["providers"].append(provider("late", breakers=[half]))
    visited.go("providers")
    visited.see(
        "Set OPENAI_API_KEY in the environment", "key missing", "1 of 4 slots busy", "next try in 12.5 s",
        "server 2, cause: rate limit", "Claude Code", "export ANTHROPIC_BASE_URL=http://127.0.0.1:8088",
    )  # fmt: skip
    visited.page.get_by_role("button", name="Copy lines for OpenAI SDK").click()
    lines = visited.page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines == ["export OPENAI_BASE_URL=http://127.0.0.1:8088/v1", "export OPENAI_API_KEY=patchbay"]
