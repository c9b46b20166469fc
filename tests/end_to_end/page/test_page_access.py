"""Who uses the page with a keyboard, a screen reader, a narrow window, in the dark."""

import pytest
from playwright.sync_api import Browser, expect

from tests.page_fixture import PageFixture
from tests.page_samples import call, exchange, text
from tests.rig_browser import NARROW, WIDE, Visit, grave_violations, visit

PLACES = (
    "live",
    "live/call-1",
    "history",
    "history/call-1",
    "history/call-1/beside/call-9",
    "numbers",
    "models",
    "providers",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_view_has_a_serious_fault_of_accessibility(chromium: Browser, behind: PageFixture, place: str) -> None:
    behind.feeds["live/call-1"].opening.append(("piece", {"part": 0, "kind": "text", "text": "It counts"}))
    with visit(chromium, behind.url, bypass_csp=True) as visited:
        visited.go(place)
        visited.wait_until_drawn()
        assert not grave_violations(visited)
        visited.page.emulate_media(color_scheme="dark")  # the same page: only its colours are others
        assert not grave_violations(visited, rules=["color-contrast"])


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_wider_than_a_narrow_window(chromium: Browser, behind: PageFixture, place: str) -> None:
    long = "a-name-without-a-single-place-to-break-it/" * 6
    behind.api["history"]["exchanges"][0].update(snippet=long, model=long)
    behind.api["models"]["models"][0]["name"] = long
    behind.api["exchanges/call-1"] = exchange(1, model=long, answer={"role": "assistant", "parts": [text(long)]})
    behind.feeds["live"].opening = [("calls", {"calls": [call(1, model=long)]})]
    with visit(chromium, behind.url, width=NARROW) as visited:
        visited.go(place)
        visited.wait_until_drawn()
        visited.assert_fits()


def test_the_page_is_walked_with_a_keyboard(visited: Visit) -> None:
    page = visited.page
    visited.go("live")
    visited.see("2 running")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Patchbay")).to_be_focused()
    for name in ("Live", "History", "Numbers", "Models"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    visited.see("10 models")
    expect(page.locator("#main")).to_be_focused()
    expect(page.get_by_role("link", name="Models", exact=True)).to_have_attribute("aria-current", "page")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search models")).to_be_focused()
    page.keyboard.type("qwen")
    visited.see("2 of 10 models")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy the name qwen3-8b")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_have_text("Copied the name qwen3-8b")


def test_a_link_to_skip_leads_to_the_content_and_not_away(visited: Visit) -> None:
    visited.go("models")
    visited.see("10 models")
    visited.page.get_by_role("link", name="Skip to the content").focus()
    visited.page.keyboard.press("Enter")
    expect(visited.page.locator("#main")).to_be_focused()
    visited.see("10 models")


def test_the_back_button_goes_back_through_the_views(visited: Visit) -> None:
    visited.go("live")
    for name in ("History", "Providers"):
        visited.page.get_by_role("link", name=name, exact=True).click()
        expect(visited.page.get_by_role("heading", level=1)).to_have_text(name)
    visited.page.go_back()
    expect(visited.page.get_by_role("heading", level=1)).to_have_text("History")
    visited.page.go_back()
    expect(visited.page.get_by_role("heading", level=1)).to_have_text("Live")


def test_the_theme_follows_the_system_until_one_chooses(chromium: Browser, behind: PageFixture) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with visit(chromium, behind.url, theme="dark", width=WIDE) as visited:
        visited.go("models")
        dark = visited.page.evaluate(ground)
        button = visited.page.get_by_role("button", name="Theme: auto")
        button.click()
        light = visited.page.evaluate(ground)
        visited.page.reload()
        assert visited.page.evaluate(ground) == light != dark
        visited.page.get_by_role("button", name="Theme: light").click()
        assert visited.page.evaluate(ground) == dark
