"""The pictures of the docs: each view with a lively month behind it, drawn when PATCHBAY_SCREENSHOTS=1 asks for them.

Other runs leave the tree as it was; that each view fits and shows what it should is tested beside.
"""

import pytest
from playwright.sync_api import Browser

from tests.page_day import calls_now, day_of_calls
from tests.page_fixture import Feed, PageFixture
from tests.page_samples import exchange
from tests.rig_browser import DRAWS, NARROW, THEMES, WIDE, visit

VIEWS = ("live", "history", "numbers", "models", "providers")
NARROW_VIEWS = ("models", "history")
PICTURES = [(view, WIDE, theme) for view in VIEWS for theme in THEMES] + [
    (view, NARROW, "light") for view in NARROW_VIEWS
]


@pytest.mark.skipif(not DRAWS, reason="PATCHBAY_SCREENSHOTS=1 draws the pictures of the docs")
@pytest.mark.parametrize(("view", "width", "theme"), [*PICTURES, ("history/call-1", WIDE, "light")])
def test_each_view_can_be_drawn(chromium: Browser, behind: PageFixture, view: str, width: int, theme: str) -> None:
    behind.feeds["live"] = Feed(("calls", {"calls": calls_now()}))
    behind.api["history"] = {"exchanges": day_of_calls(), "next": 1}
    answer = "It counts attempts, not failures: a 429 with a `retry-after` header ends the loop at once.\n\n"
    more = "Keep the counter for failures that may pass, and wait as long as the header says."
    said = {"role": "assistant", "parts": [{"part": "text", "text": answer + more}]}
    behind.api["exchanges/call-1"] = exchange(1, answer=said)
    with visit(chromium, behind.url, width=width, theme=theme) as visited:
        visited.go(view)
        visited.wait_until_drawn()
        visited.assert_fits()
        visited.shoot(f"{view.split('/')[0]}{'-call' if '/' in view else ''}-{width}-{theme}")
