"""The page and its API: every path, every no, and what is shown of a record with everything in it."""

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from addons import clock
from addons.configuration import Configuration
from addons.web.exchange_view import bounded, dropped
from providers.exchange.account import AttemptAccount, Outcome
from providers.model_entry import ModelEntry
from tests.addons.conftest import ACME_KEY
from tests.addons.telemetry.accounts import answered, begun, ended, record, request, settled
from tests.addons.web.desk import HOST, Desk
from tests.providers.exchange.playbook import exchange
from tests.scripts.recorded import weather

REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:9"}
  acme: {kind: compatible, base_url: "http://127.0.0.1:9/v1", api_key: "${ACME_API_KEY}", models: [big-1]}
  nameless: {kind: openai, base_url: "http://127.0.0.1:9/v1"}
  locked: {kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: "${LOCKED_API_KEY}", models: [gpt-9]}
models:
  big: acme/big-1
  later: locked/gpt-9
"""
SCRIPT = "<script>alert(1)</script>"
pytestmark = pytest.mark.anyio


async def test_a_page_that_never_ran_is_through_with_nothing(configure: Callable[..., Configuration]) -> None:
    desk = Desk(configure())
    desk.page.done()
    assert desk.live.is_closed


@pytest.fixture(name="desk")
async def fixture_desk(configure: Callable[..., Configuration], tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(configure(REGISTRY, PATCHBAY_DB=str(tmp_path / "rows.db"), LOCKED_API_KEY=""))
    desk.page.running()
    yield desk
    desk.page.done()
    for task in desk.configuration.catalog._running.values():
        task.cancel()


async def test_the_page_its_files_and_the_way_to_it(desk: Desk) -> None:
    index = await desk.ask("/patchbay/")
    assert (index.status_code, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ):
        assert index.headers[name] == value
    policy = index.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; ")
    assert policy.endswith("connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    moved = await desk.ask("/patchbay?x=1")
    assert (moved.status_code, moved.headers["location"]) == (308, "/patchbay/")
    assert (await desk.ask("/patchbay/static/main.js")).status_code == 200
    for none in ("/patchbay/static/", "/patchbay/static/../page.py", "/patchbay/static/%2e%2e/page.py"):
        assert (await desk.ask(none)).status_code == 404


@pytest.mark.parametrize("path", ["/", "/patchbay/health", "/patchbay/metrics", "/patchbay/else", "/patchbayx/api"])
async def test_other_pages_are_not_its_own(desk: Desk, path: str) -> None:
    assert (await desk.flow(path)).response is None


async def test_what_was_not_admitted_is_not_answered(desk: Desk) -> None:
    assert (await desk.flow("/patchbay/", admitted=False)).response is None


@pytest.mark.parametrize(
    "path", ["/patchbay/", "/patchbay/static/main.js", "/patchbay/api/models", "/patchbay/api/live"]
)
async def test_only_our_own_page_may_ask_and_only_read(desk: Desk, path: str) -> None:
    for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}):
        response = await desk.ask(path, **headers)
        assert response.status_code == 403
        assert response.json()["error"].endswith(".")
        assert "access-control-allow-origin" not in response.headers
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        response = await desk.ask(path, method)
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_what_there_is_not_to_ask_for(desk: Desk) -> None:
    for path in ("", "nothing", "exchanges", "exchanges/a/b", "live/a/b", "history/else"):
        assert "no such thing" in (await desk.told(path, 404))["error"]
    for path in ("history?limit=0", "history?day=x", "numbers?by=day", "numbers?days=0", "exchanges/a/request"):
        assert (await desk.told(path, 400))["error"]
    assert "does not run" in (await desk.told("live/none", 404))["error"]


async def test_before_anything_was_recorded(desk: Desk, configure: Callable[..., Configuration]) -> None:
    for path in ("history", "history/facets", "exchanges/a", "numbers"):
        assert "Nothing has been recorded" in (await desk.told(path, 503))["error"]
    assert "is starting" in (await Desk(configure()).told("history", 503))["error"]


async def test_models_are_one_list(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addons.web.model_table._TURN", -1.0)
    catalog = desk.configuration.catalog
    await catalog.refresh()
    listed = catalog._listings["local"].models
    listed += [ModelEntry("qwen", "local", "qwen", 4096, ("text", "image"), status=status) for status in ("loading",)]
    listed.append(ModelEntry("idle", "local", "idle", status="unloaded"))
    models = {model["name"]: model for model in (await desk.told("models"))["models"]}
    names = list(models)
    assert names[:2] == ["idle", "qwen"]
    assert models["qwen"] == {
        "name": "qwen",
        "provider": "local",
        "kind": "llamacpp",
        "state": "unreachable",
        "context": 4096,
        "modalities": ["text", "image"],
        "price": None,
        "alias_of": None,
        "local": True,
    }
    monkeypatch.setattr(catalog, "unreachable", lambda: frozenset[str]())
    states = {model["name"]: model["state"] for model in (await desk.told("models"))["models"]}
    assert (states["qwen"], states["idle"], states["demo"]) == ("loading", "available", "available")
    assert (states["locked/gpt-9"], states["later"]) == ("no_key", "no_key")
    assert models["big"]["alias_of"] == "acme/big-1"
    assert models["later"]["alias_of"] == "locked/gpt-9"


async def test_a_price_is_shown_as_it_is_known(configure: Callable[..., Configuration], tmp_path: Path) -> None:
    priced = REGISTRY.replace("models: [big-1]}", "models: [big-1], price: {input: 1, output: 2}}")
    desk = Desk(configure(priced, PATCHBAY_DB=str(tmp_path / "rows.db"), LOCKED_API_KEY=""))
    desk.page.running()
    models = {model["name"]: model for model in (await desk.told("models"))["models"]}
    price = models["big"]["price"]
    assert (price["input"], price["output"], price["source"]) == (1, 2, "registry")
    desk.page.done()


async def test_providers_say_what_is_missing(desk: Desk) -> None:
    in_hand = desk.exchanges.admit(await desk.flow("/patchbay/none"))
    in_hand.exchange = exchange()
    told = await desk.told("providers")
    providers = {provider["name"]: provider for provider in told["providers"]}
    assert [providers[name]["in_flight"] for name in ("acme", "local")] == [1, 0]
    assert (providers["acme"]["key"], providers["acme"]["variable"]) == ("configured", "ACME_API_KEY")
    assert (providers["local"]["key"], providers["demo"]["key"]) == ("not_needed", "not_needed")
    locked, nameless = providers["locked"], providers["nameless"]
    assert (locked["state"], locked["key"], locked["variable"]) == ("no_key", "missing", "LOCKED_API_KEY")
    assert "LOCKED_API_KEY" in locked["hint"]
    assert "api_key" in nameless["hint"]
    assert nameless["variable"] is None
    assert providers["acme"]["dialects"] == ["chat"]
    await desk.configuration.catalog.refresh()
    providers = {provider["name"]: provider for provider in (await desk.told("providers"))["providers"]}
    assert "llama-server" in providers["local"]["hint"]
    assert "does not answer" in providers["acme"]["hint"]
    lines = [line for client in told["clients"] for line in client["lines"]]
    assert f"export ANTHROPIC_BASE_URL=http://{HOST}" in lines
    assert f"export OPENAI_BASE_URL=http://{HOST}/v1" in lines
    assert not [line for line in lines if "{" in line]
    assert ACME_KEY not in json.dumps(told)


async def test_everything_about_a_call(desk: Desk) -> None:
    store = desk.store()
    account = begun("call-1", provider="acme", model="big-1", requested_model="big", client="curl")
    account.translation = "dropped=top_k,n; approximated=seed"
    account.attempts.append(AttemptAccount("local", "m", None, Outcome.UPSTREAM_REFUSED, f"refused {ACME_KEY}"))
    asked = request(f"weather? {SCRIPT} {ACME_KEY}", system="be brief")
    store.complete(ended(account, cost=0.25, input_tokens=7, output_tokens=9), asked, None, weather(), None)
    record(store, asked, "another", "call-2")
    failed = ended(begun("call-3"), Outcome.UPSTREAM_TRUNCATED)
    store.complete(failed, None, b'{"model":"m","messages":[{"role":"user","content":"kept"}]}', None, b"x")
    settled(store)
    text = json.dumps([whole := await desk.told("exchanges/call-1"), await desk.told("history")])
    assert ACME_KEY not in text
    shown = whole["exchange"]
    assert [attempt["provider"] for attempt in shown["attempts"]] == ["local", "acme"]
    assert shown["dropped"] == ["Left out: top_k", "Left out: n", "Said in other words: seed"]
    assert SCRIPT in shown["messages"][1]["parts"][0]["text"]
    assert [part["part"] for part in shown["answer"]["parts"]] == ["reasoning", "text", "tool_call"]
    assert (shown["cost"], shown["siblings"], shown["snippet"][:8]) == (0.25, ["call-2"], "weather?")
    assert shown["resend"] == {"possible": True, "complete": False, "missing": ["settings", "tools"]}
    assert (await desk.told("exchanges/call-3"))["exchange"]["resend"]["complete"]
    assert (await desk.told("exchanges/call-3"))["exchange"]["answer"] is None
    again = await desk.told("exchanges/call-3/request?model=other")
    assert again["body"]["messages"][0]["content"] == "kept"
    assert (await desk.told("history/facets"))["models"]
    rows = (await desk.told("history?search=weather&limit=1"))["exchanges"]
    assert [row["id"] for row in rows] == ["call-2"]
    assert "No call of this id" in (await desk.told("exchanges/none", 404))["error"]
    assert "No call of this id" in (await desk.told("exchanges/none/request?model=m", 404))["error"]
    store.close(5)


async def test_what_cannot_be_sent_again_is_said(desk: Desk) -> None:
    store = desk.store()
    record(store, None, "", "none-1", operation="embeddings")
    settled(store)
    assert "embeddings" in (await desk.told("exchanges/none-1/request?model=m", 400))["error"]
    store.close(5)


@pytest.mark.parametrize("by", ["provider", "model"])
async def test_numbers_by_day(desk: Desk, by: str) -> None:
    store = desk.store()
    nothing = desk.told(f"numbers?by={by}")
    for outcome, cost in ((Outcome.OK, 0.5), (Outcome.OK, None), (Outcome.RATE_LIMITED, None)):
        account = begun(provider="acme", model="big-1")
        store.complete(ended(account, outcome, cost=cost, input_tokens=10), request("x"), None, answered("y"), None)
    settled(store)
    await nothing
    told = await desk.told(f"numbers?by={by}&days=1")
    (day,) = told["days"]
    assert (day["day"], day["key"]) == (time.strftime("%Y-%m-%d"), "acme" if by == "provider" else "big-1")
    assert {name: day[name] for name in ("exchanges", "ok", "failed", "input_tokens", "cost", "unpriced")} == {
        "exchanges": 3,
        "ok": 2,
        "failed": 1,
        "input_tokens": 30,
        "cost": 0.5,
        "unpriced": 2,
    }
    assert told["total"]["exchanges"] == 3
    (first,) = told["spreads"]["ttft"]
    assert (first["key"], first["count"]) == ("acme", 3)
    assert 950 < first["p50"] < 1050
    store.close(5)


async def test_feeds(desk: Desk) -> None:
    flow = await desk.flow("/patchbay/api/live")
    in_hand = desk.exchanges.of(flow)
    assert in_hand is not None
    assert in_hand.feed is not None
    assert flow.response is not None
    assert flow.response.headers["content-type"] == "text/event-stream"
    assert in_hand.feed.take() == b'event: calls\ndata: {"calls":[]}\n\n'
    call = desk.exchanges.admit(await desk.flow("/patchbay/none"))
    call.exchange = exchange()
    call.exchange.begin(clock.now_us())
    hello: dict[str, object] = {"messages": [{"role": "user", "content": f"hi {ACME_KEY}"}]}
    for request_body, said in ((None, 0), (hello, 1)):
        call.request = request_body
        watching = await desk.flow("/patchbay/api/live/pb-1")
        held = desk.exchanges.of(watching)
        assert held is not None
        assert held.feed is not None
        data = held.feed.take().decode()
        assert data.count('"role":"user"') == said
        assert ACME_KEY not in data
    call.exchange.account.dialect = "unknown"  # a conversation that cannot be made out
    unreadable = desk.exchanges.of(await desk.flow("/patchbay/api/live/pb-1"))
    assert unreadable is not None
    assert unreadable.feed is not None
    assert b'"messages":[]' in unreadable.feed.take()
    desk.page.done()
    assert in_hand.feed.is_over
    assert (await desk.ask("/patchbay/api/live")).status_code == 503
    assert (await desk.ask("/patchbay/api/live/pb-1")).status_code == 404


def test_a_conversation_is_bounded() -> None:
    long: dict[str, object] = {"role": "user", "parts": [{"part": "text", "text": "x" * 250_000, "n": 1}]}
    (cut,) = bounded([long], "id-1")
    assert "50,000 more characters; `patchbay show id-1`" in str(cut)[-120:]
    many = bounded([long] * 30, "id-1")
    assert len(many) < 20
    assert "earlier messages are left out" in str(many[0])
    assert len(json.dumps(many)) < 3_300_000
    assert bounded([], "id-1") == []


def test_notes_of_a_translation() -> None:
    assert dropped(None) == dropped("") == []
    assert dropped("dropped=a; new=b") == ["Left out: a"]
