"""The page in front of the real gateway, with real traffic behind it: every view, wide and narrow, light and dark."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.fake_answers import gated, json_answer, streamed
from tests.fake_dialects import WORDS, chat_events, error_body
from tests.fake_steps import WaitFor
from tests.fake_upstream import Answer
from tests.page_samples import SCRIPT
from tests.rig_browser import NARROW, THEMES, WIDE, Visit, visit
from tests.rig_client import RawAnswer, exchange, open_stream, receive_until, request_bytes, send_raw
from tests.rig_gateway import KEYS, Behind, Gateway, ask, behind, run_gateway

SAID = "".join(WORDS)
OPENAI = "/openai/v1/chat/completions"


def post(gateway: Gateway, dialect: str, model: str, said: str, **more: Any) -> RawAnswer:
    """A call that says something of its own."""
    path, body = ask(dialect, model, **more)
    if dialect == "responses":
        body["input"] = said
    else:
        body["messages"] = [{"role": "user", "content": said}]
    return gateway.post(path, body, (("user-agent", "tests/1"),))


def make_traffic(gateway: Gateway) -> dict[str, str]:
    """Calls of every kind, their ids by name, once the last of them is on record."""
    gateway.external.on(OPENAI, streamed(chat_events((SCRIPT, " is", " text"))))
    answers = {"script": post(gateway, "chat", "gpt-9", "Answer with a script", stream=True)}
    gateway.external.on(OPENAI, json_answer(error_body("That model is overloaded"), 400))
    answers["error"] = post(gateway, "chat", "gpt-9", "This one fails")
    gateway.external.reset()
    answers["local"] = post(gateway, "chat", "fast", "Asked by an alias")
    answers["messages"] = post(gateway, "messages", "claude-9", "What is the weather in Bergen, says Ægir?")
    answers["responses"] = post(gateway, "responses", "gpt-9", "In the third dialect", stream=True)
    answers["translated"] = post(gateway, "messages", "groq/some-model", "To a provider of one dialect", top_k=5)
    ids = {name: answer.get("x-patchbay-id") or "" for name, answer in answers.items()}
    for each in ids.values():
        exchange(gateway.database, each)
    return ids


@pytest.fixture(name="upstreams", scope="module")
def fixture_upstreams() -> Iterator[Behind]:
    with behind() as upstreams:
        yield upstreams


@pytest.fixture(name="gateway", scope="module")
def fixture_gateway(upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the module; OPENROUTER_API_KEY is not set."""
    with run_gateway("serve", upstreams, tmp_path_factory.mktemp("page"), env={"OPENROUTER_API_KEY": ""}) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="calls", scope="module")
def fixture_calls(gateway: Gateway) -> dict[str, str]:
    return make_traffic(gateway)


@pytest.fixture(name="visited")
def fixture_visited(chromium: Browser, gateway: Gateway, calls: dict[str, str]) -> Iterator[Visit]:
    assert calls
    with visit(chromium, f"{gateway.url}/patchbay/") as visited:
        yield visited


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_view_shows_what_happened(chromium: Browser, gateway: Gateway, calls: dict[str, str], width: int) -> None:
    """No console error, no request that leaves loopback, nothing to scroll sideways: `visit` sees to the first two."""
    shown = {
        "live": ("No call is running",),
        "history": ("Answer with a script", "Asked by an alias", "This one fails", "error"),
        f"history/{calls['messages']}": ("What is the weather in Bergen, says Ægir?", SAID, "Attempts", "Timing"),
        f"history/{calls['error']}": ("This one fails", "That model is overloaded"),
        f"history/{calls['translated']}": ("To a provider of one dialect", "top_k", "Changed on the way"),
        "numbers": ("Calls that failed", "Time to first token", "Cost"),
        "models": ("fake-model", "groq/some-model", "→ local/qwen3-8b", "no key"),
        "providers": ("OPENROUTER_API_KEY", "key missing", "Claude Code", gateway.url),
    }
    with visit(chromium, f"{gateway.url}/patchbay/", width=width) as visited:
        for place, texts in shown.items():
            visited.go(place)
            for theme in THEMES:
                visited.page.emulate_media(color_scheme=theme)
                assert visited.is_dark() is (theme == "dark")
                visited.see(*texts)
                visited.assert_fits()
            assert not [key for key in KEYS.values() if key in visited.page.content()]


def test_the_page_is_found_without_its_last_slash(chromium: Browser, gateway: Gateway) -> None:
    with visit(chromium, f"{gateway.url}/patchbay") as visited:
        visited.page.goto(visited.url)
        expect(visited.page.get_by_role("heading", level=1)).to_have_text("Live")
        assert visited.page.url.startswith(f"{gateway.url}/patchbay/")


def test_an_answer_with_a_script_in_it_is_text(visited: Visit, calls: dict[str, str]) -> None:
    visited.go(f"history/{calls['script']}")
    visited.see("<script>document.title = 'owned'</script>")
    assert "owned" not in visited.page.title()
    assert visited.page.locator("main script, main img").count() == 0


def test_a_call_is_seen_as_it_runs_and_read_as_it_streams(visited: Visit, gateway: Gateway, upstreams: Behind) -> None:
    events, gates = chat_events(("Slowly ", "it ", "comes ", "now.")), [WaitFor(), WaitFor()]
    upstreams.external.on(OPENAI, gated([b"".join(events[:2]), b"".join(events[2:4]), b"".join(events[4:])], gates))
    visited.go("live")
    visited.see("No call is running")
    path, body = ask("chat", "gpt-9", stream=True)
    with open_stream(gateway.port, path, body) as client:
        receive_until(client, b"Slowly")
        visited.see("1 running", "streaming", "gpt-9")
        visited.page.get_by_role("link", name="gpt-9").click()
        visited.see("Say hello", "Slowly")
        gates[0].gate.open()
        visited.see("Slowly it comes")
        gates[1].gate.open()
        receive_until(client, b"[DONE]")
    visited.see("Slowly it comes now.", "Attempts, timing and resending are in History")
    visited.page.get_by_role("link", name="Attempts, timing and resending are in History").click()
    visited.see("Resend to …", "Slowly it comes now.")
    upstreams.external.reset()


def test_a_search_finds_what_was_said(visited: Visit, calls: dict[str, str]) -> None:
    visited.go("history")
    visited.page.get_by_label("Search what was said").fill("Bergen")
    rows = visited.page.locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    visited.see(calls["messages"])
    visited.page.go_back()
    expect(visited.page.get_by_label("Search what was said")).to_have_value("Bergen")
    expect(rows).to_have_count(1)


def test_filters_offer_what_is_on_record(visited: Visit) -> None:
    visited.go("history")
    provider = visited.page.get_by_label("Provider")
    expect(provider.locator("option")).not_to_have_count(1)
    provider.select_option("groq")
    rows = visited.page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("To a provider of one dialect")
    visited.page.get_by_role("button", name="Clear").click()
    visited.see("Asked by an alias")


@pytest.mark.parametrize(
    ("name", "model", "path", "answer"),
    [
        ("messages", "gpt-9", OPENAI, streamed(chat_events(("Another", " answer")))),
        ("responses", "fast", "", ()),
        ("local", "claude-9", "", ()),
    ],
)
def test_a_call_is_resent_to_another_model(
    visited: Visit, upstreams: Behind, calls: dict[str, str],
    name: str, model: str, path: str, answer: Answer,
) -> None:  # fmt: skip
    """In each dialect; across providers, too: Patchbay translates."""
    if path:
        upstreams.external.on(path, answer)
    visited.go(f"history/{calls[name]}")
    visited.page.get_by_label("Model to send it to").fill(model)
    visited.page.get_by_role("button", name="Resend").click()
    compared = visited.page.locator(".compared")
    expect(compared.locator(".side")).to_have_count(2)
    visited.see("Another answer" if path else SAID)
    link = compared.get_by_role("link", name="A link to these two answers")
    link.click()
    visited.see("Two answers")
    expect(visited.page.locator(".side")).to_have_count(2)
    upstreams.external.reset()


def test_a_resent_call_that_is_refused_says_why(visited: Visit, calls: dict[str, str]) -> None:
    visited.expected = ("503",)
    visited.go(f"history/{calls['local']}")
    visited.page.get_by_label("Model to send it to").fill("openrouter/some/model")
    visited.page.get_by_role("button", name="Resend").click()
    expect(visited.page.locator(".compared").get_by_role("alert")).to_contain_text("OPENROUTER_API_KEY")


def test_the_numbers_are_those_of_the_record(visited: Visit, gateway: Gateway) -> None:
    total = json.loads(get_page(gateway, "/patchbay/api/numbers?days=30").body)["total"]
    visited.go("numbers")
    tile = visited.page.locator(".tile", has_text="Calls").locator("dd").first
    expect(tile).to_have_text(f"{total['exchanges']:,}")
    figure = visited.page.locator("figure").first
    figure.locator("summary").click()
    cells = figure.locator("tbody tr").first.locator("td").all_inner_texts()
    assert sum(map(int, cells)) == total["exchanges"]


def get_page(gateway: Gateway, target: str) -> RawAnswer:
    """GET by a name that is this machine's: the page answers to no other."""
    return send_raw(gateway.port, request_bytes("GET", target, host=f"127.0.0.1:{gateway.port}"), method="GET")


def test_a_gateway_that_is_stopped_is_told(
    chromium: Browser, upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("short")
    with (
        run_gateway("mitmdump", upstreams, folder) as gateway,
        visit(chromium, f"{gateway.url}/patchbay/") as visited,
    ):
        visited.expected = ("ERR_",)
        visited.go("live")
        visited.see("No calls yet")
        gateway.program.stop()
        visited.see("reconnecting …")
