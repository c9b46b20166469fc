"""Live: rows that move in place, a feed that is lost and comes back, a call that is read as it streams."""

from playwright.sync_api import expect

from tests.page_fixture import PageFixture
from tests.page_samples import NOW, SCRIPT, call, ended
from tests.rig_browser import Visit


def test_rows_move_in_place_and_end(visited: Visit, behind: PageFixture) -> None:
    visited.go("live")
    rows = visited.page.locator("tbody tr")
    expect(rows).to_have_count(3)
    visited.see("2 running", "≈ 96", "waiting")
    link = rows.nth(0).get_by_role("link")
    link.focus()
    feed = behind.feeds["live"]
    feed.send("call", call(1, output_tokens=1_204))
    expect(rows.nth(0)).to_contain_text("≈ 1,204")
    expect(link).to_be_focused()
    feed.send("call", ended(1, output_tokens=1_300, cost=0.5))
    visited.see("1 running", "$0.5000", "1,300")
    feed.send("call", call(7, started_at=NOW + 5, model="newest"))
    expect(rows.nth(0)).to_contain_text("newest")
    expect(rows).to_have_count(4)


def test_only_the_last_fifty_that_ended_stay(visited: Visit, behind: PageFixture) -> None:
    behind.feeds["live"].opening = [("calls", {"calls": [ended(number) for number in range(60)]})]
    visited.go("live")
    expect(visited.page.locator("tbody tr")).to_have_count(50)


def test_a_lost_feed_says_so_and_comes_back_by_itself(visited: Visit, behind: PageFixture) -> None:
    visited.go("live")
    expect(visited.page.locator(".feed.live")).to_be_visible()
    feed = behind.feeds["live"]
    feed.opening = [("calls", {"calls": [call(9, model="after-the-loss")]})]
    feed.hang_up()
    visited.see("after-the-loss", "1 running")  # what ran before and is not there any more has ended unseen
    expect(visited.page.locator(".feed.live")).to_be_visible()
    assert feed.connections == 2
    assert "back" in visited.page.locator("#announcer").inner_text()


def test_a_server_that_is_gone_is_told(visited: Visit, behind: PageFixture) -> None:
    visited.expected = ("503",)
    visited.go("live")
    visited.see("2 running")
    behind.api["live"] = (503, "Patchbay is being stopped.")
    feed = behind.feeds.pop("live")
    feed.hang_up()
    visited.see("reconnecting …", "Patchbay is being stopped.")
    assert "claude-sonnet-5" in visited.text()  # what is known stays


def test_a_feed_is_left_when_the_view_is(visited: Visit, behind: PageFixture) -> None:
    visited.go("live")
    visited.see("2 running")
    visited.page.get_by_role("link", name="Models", exact=True).click()
    visited.see("10 models")
    behind.feeds["live"].send("call", call(1))
    visited.page.get_by_role("link", name="Live", exact=True).click()
    visited.see("2 running")
    assert behind.feeds["live"].connections == 2


def test_a_running_call_is_read_as_it_streams(visited: Visit, behind: PageFixture) -> None:
    visited.go("live")
    visited.page.locator("tbody tr").nth(0).get_by_role("link").click()
    visited.see("Why does the retry loop in fetch.py give up?", "Waiting for the first token")
    feed = behind.feeds["live/call-1"]
    feed.send("piece", {"part": 0, "kind": "reasoning", "text": "Hm. "})
    feed.send("piece", {"part": 1, "kind": "text", "text": "It is <b>bold</b> "})
    feed.send("piece", {"part": 1, "kind": "text", "text": SCRIPT})
    feed.send("piece", {"part": 2, "kind": "tool", "text": '{"path":', "name": "read_file"})
    feed.send("piece", {"part": 2, "kind": "tool", "text": '"x"}', "name": "read_file"})
    visited.see("Hm.", "It is <b>bold</b> <script>", "read_file", '{"path":"x"}')
    feed.send("end", ended(1))
    visited.see("$0.0123", "Attempts, timing and resending are in History")
    assert visited.page.evaluate("document.title") == "A running call – Patchbay"
    visited.page.go_back()
    visited.see("2 running")


def test_a_call_that_runs_no_more_is_looked_for_in_the_history(visited: Visit) -> None:
    visited.expected = ("404",)
    visited.go("live/call-77")
    visited.see("There is no live/call-77.")
    assert visited.page.get_by_role("link", name="Look for it in History").get_attribute("href") == "#/history/call-77"
