"""The first day and the bad one: nothing is there yet, or nobody answers; the page says what to do."""

import pytest
from playwright.sync_api import expect

from tests.page_fixture import PageFixture
from tests.rig_browser import Visit


def empty(behind: PageFixture) -> None:
    """The first day."""
    nothing = {"exchanges": 0, "ok": 0, "failed": 0, "cost": 0, "unpriced": 0}
    behind.feeds["live"].opening = [("calls", {"calls": []})]
    behind.api["history"] = {"exchanges": [], "next": None}
    behind.api["history/facets"] = {"providers": [], "models": [], "outcomes": [], "clients": []}
    behind.api["models"] = {"models": []}
    behind.api["providers"] = {"providers": [], "clients": []}
    behind.api["numbers"] = {"days": [], "total": nothing, "spreads": {}}


@pytest.mark.parametrize("place", ["live", "history", "numbers"])
def test_on_the_first_day_the_page_says_how_to_make_a_call(visited: Visit, behind: PageFixture, place: str) -> None:
    empty(behind)
    visited.go(place)
    visited.see("No calls yet", "curl -N http://127.0.0.1")
    visited.page.get_by_role("button", name="Copy the first call").click()
    copied = visited.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl -N http://127.0.0.1:{behind.port}/v1/chat/completions")
    assert "claude" not in visited.text()


def test_on_the_first_day_models_and_providers_say_what_to_do(visited: Visit, behind: PageFixture) -> None:
    empty(behind)
    visited.go("models")
    visited.see("No models yet", "Start llama-server")
    visited.go("providers")
    visited.see("No providers")


def test_a_quiet_moment_is_not_the_first_day(visited: Visit, behind: PageFixture) -> None:
    behind.feeds["live"].opening = [("calls", {"calls": []})]
    visited.go("live")
    visited.see("No call is running")


@pytest.mark.parametrize("place", ["history", "history/call-1", "numbers", "models", "providers"])
def test_an_error_is_shown_in_its_place_and_can_be_tried_again(visited: Visit, behind: PageFixture, place: str) -> None:
    visited.expected = ("503",)
    kept = dict(behind.api)
    behind.api = {name: (503, "This took too long. Choose a day.") for name in kept}
    visited.go(place)
    expect(visited.page.get_by_role("alert").first).to_contain_text("This took too long. Choose a day.")
    behind.api = kept
    visited.page.get_by_role("button", name="Try again").click()
    visited.wait_until_drawn()
    assert "This took too long" not in visited.text()


def test_a_view_that_does_not_exist_leads_to_one_that_does(visited: Visit) -> None:
    visited.go("nowhere")
    visited.page.get_by_role("link", name="Go to Live").click()
    visited.see("streaming")
