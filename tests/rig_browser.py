"""A real Chromium, driven by Playwright: it notes what a page must never do, and skips where there is no Chromium.

It runs without a window, with an empty home, and every request that would leave loopback is stopped and noted.
"""

import contextlib
import ipaddress
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import axe_playwright_python  # type: ignore[import-untyped]  # it has no types
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from tests.rig import ROOT

WIDE, NARROW = 1440, 360  # px
SIZES = {WIDE: 900, NARROW: 740}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SHOTS = ROOT / "docs" / "screenshots"
PATIENCE = 10_000  # ms; what is waited for comes in a few hundred, but the machine may be busy
# Read before a test cleans the environment.
DRAWS = os.environ.get("PATCHBAY_SCREENSHOTS") == "1"
_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
_GRAVE = ("serious", "critical")


@dataclass(slots=True)
class Visit:
    """A page that is open. ``problems`` is what a page must never do: errors, and requests that leave loopback."""

    page: Page
    url: str
    width: int
    theme: str
    problems: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def go(self, place: str) -> None:
        """Open a view by its address, as a link from outside would."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}#/{place}")

    def text(self) -> str:
        """Everything that is shown."""
        return self.page.locator("body").inner_text()

    def see(self, *texts: str) -> None:
        """Wait until each text is shown."""
        for text in texts:
            self.page.get_by_text(text).locator("visible=true").first.wait_for()

    def wait_until_drawn(self) -> None:
        """Wait for what any view shows once it has something to show."""
        self.page.locator("table, figure svg, .card, .turn").locator("visible=true").first.wait_for()

    def eventually(self, holds: Callable[[], bool], seconds: float = PATIENCE / 1000) -> None:
        """Wait until it holds, the page going on meanwhile; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it never came"
            self.page.wait_for_timeout(20)

    def is_dark(self) -> bool:
        """Whether the page is drawn on a dark ground."""
        ground = self.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(map(int, re.findall(r"\d+", ground)[:3])) < 384

    def assert_fits(self) -> None:
        """Nothing is wider than the window: nobody has to scroll sideways."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.width, f"{width} px wide in a window of {self.width}: {self.page.url}"

    def shoot(self, name: str) -> None:
        """Keep a picture for the docs; under 200 kB, so that the repository stays light."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        assert len(self.page.screenshot(path=SHOTS / f"{name}.png")) < 200_000, name


@contextlib.contextmanager
def browser(home: Path) -> Iterator[Browser]:
    """A Chromium; skips the test, saying why, where none is installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on PATH: the page is tested in a real one (apt-get install chromium)")
    with sync_playwright() as playwright:
        env: Mapping[str, str | float | bool] = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"], env=dict(env))
        try:
            yield launched
        finally:
            launched.close()


@contextlib.contextmanager
def visit(
    browser: Browser, url: str, *, width: int = WIDE, theme: str = "light", bypass_csp: bool = False
) -> Iterator[Visit]:
    """A window of its own; at its end nothing may have gone wrong but what a test has put into ``expected``."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        bypass_csp=bypass_csp,
        permissions=["clipboard-read", "clipboard-write"],
        timezone_id="UTC",
    )
    context.set_default_timeout(PATIENCE)
    visited = Visit(context.new_page(), url, width, theme)
    context.route("**/*", lambda route: _pass_on(route, visited))
    visited.page.on("console", lambda message: _note(message, visited))
    visited.page.on("pageerror", lambda error: visited.problems.append(f"page error: {error}"))
    try:
        yield visited
        unexpected = [problem for problem in visited.problems if not any(one in problem for one in visited.expected)]
        assert not unexpected, unexpected
    finally:
        context.close()


def grave_violations(visited: Visit, *, rules: Sequence[str] = ()) -> list[Any]:
    """What axe-core calls serious or critical (``rules``: of these alone); the visit must bypass the policy."""
    if not visited.page.evaluate("'axe' in window"):
        visited.page.add_script_tag(path=_AXE)
    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = visited.page.evaluate("(options) => axe.run(options)", options)
    return [
        (rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]][:5])
        for rule in found["violations"]
        if rule["impact"] in _GRAVE
    ]


def _pass_on(route: Route, visited: Visit) -> None:
    host = urlsplit(route.request.url).hostname or ""
    if host == "localhost" or _is_loopback(host):
        route.continue_()
        return
    visited.problems.append(f"left loopback: {route.request.url}")
    route.abort()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _note(message: ConsoleMessage, visited: Visit) -> None:
    if message.type in ("error", "warning"):
        visited.problems.append(f"console {message.type}: {message.text}")
