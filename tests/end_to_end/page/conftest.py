"""A Chromium for each module, and a lively stand-in behind the page for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page_fixture import Feed, PageFixture, page_fixture
from tests.page_samples import MESSAGES, call, ended, exchange, models, numbers, providers, row, text
from tests.rig_browser import Visit, browser, visit

CALLS = [call(1), call(2, phase="waiting", ttft_us=None, output_tokens=None, tokens_per_second=None), ended(3)]


@pytest.fixture(name="chromium", scope="module")
def fixture_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture(name="behind")
def fixture_behind() -> Iterator[PageFixture]:
    """A lively Patchbay; a test changes what it is about."""
    with page_fixture() as behind:
        behind.api = {
            "models": models(),
            "providers": providers(),
            "numbers": numbers(),
            "history": {"exchanges": [row(number) for number in range(1, 31)], "next": 9_970},
            "history/facets": {
                "providers": ["anthropic", "local"], "models": ["claude-sonnet-5"],
                "outcomes": ["ok", "upstream_reset"], "clients": ["claude-cli/2.1"],
            },
            "exchanges/call-1": exchange(1),
            "exchanges/call-9": exchange(9, answer={"role": "assistant", "parts": [text("Another answer.")]}),
            "exchanges/new": exchange(4),
            "exchanges/call-1/request": {"path": "/v1/messages", "body": {"model": "m", "messages": []}},
        }  # fmt: skip
        behind.feeds["live"] = Feed(("calls", {"calls": CALLS}))
        begun = {"messages": MESSAGES, "answer": {"role": "assistant", "parts": []}}
        behind.feeds["live/call-1"] = Feed(("conversation", begun))
        yield behind


@pytest.fixture(name="visited")
def fixture_visited(chromium: Browser, behind: PageFixture) -> Iterator[Visit]:
    with visit(chromium, behind.url) as visited:
        yield visited
