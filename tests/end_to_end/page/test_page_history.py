"""History: what narrows it, what one comes back to, a call in full, and the same call sent to another model."""

import pytest
from playwright.sync_api import expect

from providers.wire.request import from_json, to_json
from tests.fake_dialects import messages_events
from tests.page_fixture import PageFixture
from tests.page_samples import ANSWER, MESSAGES, SCRIPT, exchange, row, text
from tests.rig_browser import Visit


def test_filters_stand_in_the_address_and_older_ones_are_joined(visited: Visit, behind: PageFixture) -> None:
    visited.go("history?outcome=upstream_reset")
    rows = visited.page.locator("tbody tr")
    expect(rows).to_have_count(30)
    assert ("history", {"outcome": "upstream_reset", "limit": "50"}) in behind.asked
    visited.page.get_by_label("Provider").select_option("local")
    visited.page.get_by_label("Day").fill("2026-11-20")
    visited.page.get_by_label("Search what was said").fill("retry loop")
    visited.page.wait_for_url("**/#/history?search=retry+loop&provider=local&outcome=upstream_reset&day=2026-11-20")
    visited.eventually(lambda: any(asked.get("search") for _, asked in behind.asked))
    expect(rows).to_have_count(30)
    behind.api["history"] = {"exchanges": [row(number) for number in range(31, 41)], "next": None}
    visited.page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(40)
    expect(visited.page.get_by_role("button", name="Older")).to_be_hidden()
    assert behind.asked[-1][1]["before"] == "9970"
    behind.api["history"] = {"exchanges": [], "next": None}
    visited.page.get_by_label("Search what was said").fill("nothing like it")
    visited.see("No call matches")
    visited.page.get_by_role("button", name="Clear").click()
    visited.see("No calls yet")


def test_who_comes_back_from_a_call_finds_the_list_as_it_was(visited: Visit, behind: PageFixture) -> None:
    visited.go("history")
    rows = visited.page.locator("tbody tr")
    expect(rows).to_have_count(30)
    newest = behind.api["history"]
    behind.api["history"] = {
        "exchanges": [row(number, id="call-1") if number == 56 else row(number + 0) for number in range(31, 61)],
        "next": 9_940,
    }
    visited.page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(60)
    behind.api["history"] = newest
    rows.nth(55).get_by_role("link").click()
    visited.see("Resend to …")
    visited.page.go_back()
    expect(rows).to_have_count(60)
    visited.eventually(lambda: visited.page.evaluate("scrollY") > 0)


def test_a_call_shows_everything_and_runs_nothing(visited: Visit) -> None:
    visited.go("history/call-1")
    visited.see(
        "Why does the retry loop in fetch.py give up?", "read_file", "Tool answered (32 characters)",
        "image/png, 48.2 kB",
        "novelty (kept as it came)", "<script>document.title = 'owned'</script>", "local/qwen3-8b", "Loading model",
        "metadata.user_id was left out", "49.4 tok/s", "by genai-prices", "18,204", "req_011CabcDEF",
        "It is sent without what was not kept: one image.",
    )  # fmt: skip
    assert visited.page.evaluate("document.title").startswith("claude-sonnet-5 ")
    assert visited.page.locator("main script, main img").count() == 0
    visited.page.get_by_role("link", name="Put answer 2 beside this one").click()
    visited.see("Another answer.", "It counts attempts, not failures")


def test_what_is_unknown_is_a_dash_with_a_reason(visited: Visit, behind: PageFixture) -> None:
    behind.api["exchanges/call-1"] = exchange(1, cost=None, ttft_us=None, output_tokens=None, answer=None, messages=[])
    visited.go("history/call-1")
    visited.see("The conversation was not kept", "No answer was kept.")
    cost = visited.page.locator("dl.facts > div", has_text="Cost").first.locator(".unknown")
    assert (cost.get_attribute("title"), cost.inner_text()[0]) == ("No price is known", "–")


def test_a_long_conversation_is_opened_step_by_step(visited: Visit, behind: PageFixture) -> None:
    messages = [{"role": "user", "parts": [text(f"turn {number} of many")]} for number in range(40)]
    messages[-1]["parts"] = [text("x" * 9_000)]
    behind.api["exchanges/call-1"] = exchange(1, messages=messages)
    visited.go("history/call-1")
    turns = visited.page.locator(".turns .turn")
    expect(turns).to_have_count(12)
    visited.page.get_by_role("button", name="Show 28 earlier messages").click()
    expect(turns).to_have_count(40)
    expect(turns.nth(0)).to_contain_text("turn 0 of many")
    visited.page.get_by_role("button", name="Show all 9,000 characters").click()
    assert len(turns.nth(39).locator(".text").inner_text()) == 9_000


def test_resending_streams_a_second_answer_beside_the_first(visited: Visit, behind: PageFixture) -> None:
    behind.calls["/v1/messages"] = messages_events(("A ", "second ", SCRIPT))
    visited.go("history/call-1")
    field = visited.page.get_by_label("Model to send it to")
    visited.page.get_by_role("button", name="Resend").click()
    visited.see("Write or choose a model first.")
    assert not behind.posted
    field.fill("local/qwen3-8b")
    field.press("Enter")
    visited.see("A second <script>", "Open this call", "A link to these two answers")
    assert behind.posted == [("/v1/messages", {"model": "m", "messages": [], "stream": True})]
    assert ("exchanges/call-1/request", {"model": "local/qwen3-8b"}) in behind.asked
    visited.page.reload()
    visited.see("Resend to …")
    assert len(behind.posted) == 1  # a call costs money: it is made by a press of the button alone


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (messages_events()[:4], "The answer broke off before it was complete."),
        ([b'event: error\ndata: {"type":"error","error":{"message":"overloaded"}}\n\n'], "overloaded"),
    ],
)
def test_a_resent_call_that_fails_says_so(visited: Visit, behind: PageFixture, events: list[bytes], said: str) -> None:
    behind.calls["/v1/messages"] = events
    visited.go("history/call-1")
    visited.page.get_by_label("Model to send it to").fill("m")
    visited.page.get_by_role("button", name="Resend").click()
    expect(visited.page.locator(".compared").get_by_role("alert")).to_contain_text(said)


def test_a_call_that_cannot_be_resent_says_why(visited: Visit, behind: PageFixture) -> None:
    behind.api["exchanges/call-1"] = exchange(
        1, resend={"possible": False, "complete": False, "missing": ["the request"]}
    )
    visited.go("history/call-1")
    visited.see("This call cannot be sent again.", "What is lacking: the request.")


def test_what_the_samples_say_is_said_by_a_real_message() -> None:
    """The stand-in speaks as the product does: its messages are read by the product's own reader."""
    for message in (*MESSAGES, ANSWER):
        assert to_json(from_json(message)) == message
