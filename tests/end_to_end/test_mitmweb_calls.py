"""Calls in a real mitmweb: what their flows say, what can be done with them, and how many are kept."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import flowfilter

from tests.end_to_end.test_saved_flows import flows_in
from tests.fake_answers import json_answer
from tests.fake_dialects import error_body
from tests.rig_client import Json
from tests.rig_gateway import CLIENT_SECRET, KEYS, Behind, Gateway, ask, run_gateway
from tests.rig_mitmweb import WebPage, run_web_gateway

KEEP = 20
MODELS = {"gpt-9": "openai", "claude-9": "anthropic", "openrouter/a/b": "openrouter", "fake-model": "local"}
DIALECTS = {"gpt-9": "chat", "claude-9": "messages", "openrouter/a/b": "chat", "fake-model": "chat"}
SECRET = (("authorization", f"Bearer {CLIENT_SECRET}"),)


@pytest.fixture(name="web", scope="module")
def fixture_web(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, WebPage]]:
    with run_web_gateway(
        all_upstreams, tmp_path_factory.mktemp("web"), args=("--set", f"patchbay_keep_flows={KEEP}")
    ) as both:
        yield both
        assert "Traceback" not in both[0].program.output


@pytest.fixture(name="clean")
def fixture_clean(web: tuple[Gateway, WebPage], upstreams: Behind) -> tuple[Gateway, WebPage]:
    """The running one, with nothing in its list."""
    assert web[0].behind is upstreams
    web[1].ask("POST", "/clear")
    return web


def call(gateway: Gateway, model: str, *, stream: bool = False, text: str = "Say hello") -> bytes:
    path, body = ask(DIALECTS[model], model, stream=stream)
    body["messages"] = [{"role": "user", "content": text}]
    return gateway.post(path, body, SECRET).body


def all_told(page: WebPage, count: int) -> list[Json]:
    """The flows, once ``count`` have ended and say what they were."""
    return page.wait_for(lambda flows: sum("tok" in flow["comment"] for flow in flows) >= count)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_each_flow_says_what_it_was(clean: tuple[Gateway, WebPage], stream: bool) -> None:
    gateway, page = clean
    for model in MODELS:
        call(gateway, model, stream=stream)
    flows = all_told(page, len(MODELS))
    assert len({flow["marked"] for flow in flows}) == len(MODELS)
    for flow, (model, provider) in zip(flows, MODELS.items(), strict=True):
        bare = model.removeprefix(f"{provider}/")
        assert re.fullmatch(rf"{provider}/{bare} · [\d,]+→[\d,]+ tok( \(.*\))? · .*ok", flow["comment"])
        assert ("TTFT" in flow["comment"]) is stream


def test_a_failed_call_says_so(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    gateway.external.on("/openai/v1/chat/completions", json_answer(error_body("slow down"), 429))
    call(gateway, "gpt-9")
    (flow,) = page.wait_for(lambda flows: len(flows) == 1 and flows[0]["comment"] != "")
    assert flow["comment"].endswith(" · rate_limited 429")
    assert "tok" not in flow["comment"]
    assert "$" not in flow["comment"]


def test_the_flow_list_is_filtered_by_provider_and_model(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    for model in MODELS:
        call(gateway, model)
    all_told(page, len(MODELS))
    ids = {flow["comment"].partition("/")[0]: flow["id"] for flow in page.flows()}
    for provider in MODELS.values():
        page.ask("PUT", "/options", {"view_filter": f'~meta "patchbay.provider: {provider}"'})
        assert [flow["id"] for flow in page.flows()] == [ids[provider]]
    page.ask("PUT", "/options", {"view_filter": "~comment claude-9"})
    assert [flow["id"] for flow in page.flows()] == [ids["anthropic"]]
    page.ask("PUT", "/options", {"view_filter": None})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_call_is_sent_again_to_another(clean: tuple[Gateway, WebPage], stream: bool) -> None:
    gateway, page = clean
    first = call(gateway, "gpt-9", stream=stream, text="Say it again")
    (flow,) = all_told(page, 1)
    assert "error" not in page.run("patchbay.resend", f"@{flow['id']}", "openrouter/x/y")
    old, new = all_told(page, 2)
    assert (old["id"], old["comment"]) == (flow["id"], flow["comment"])
    assert new["comment"].startswith("openrouter/x/y · ")
    again = gateway.external.requests[-1]
    body = json.loads(again.body)
    assert (body["model"], body.get("stream", False)) == ("x/y", stream)
    assert body["messages"] == [{"role": "user", "content": "Say it again"}]
    assert any(KEYS["OPENROUTER_API_KEY"] in value for value in again.all("authorization"))
    assert CLIENT_SECRET.encode() not in again.head
    assert first


def test_another_dialect_is_spoken_where_it_must_be(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    call(gateway, "gpt-9", stream=True)
    (flow,) = all_told(page, 1)
    page.run("patchbay.resend", f"@{flow['id']}", "anthropic/claude-9")
    assert all_told(page, 2)[1]["comment"].startswith("anthropic/claude-9")
    assert gateway.external.requests[-1].path == "/anthropic/v1/messages"


def test_a_name_that_leads_nowhere_is_an_error(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    call(gateway, "gpt-9")
    (flow,) = all_told(page, 1)
    assert "Nothing is called 'opneai/gpt-9'" in page.run("patchbay.resend", f"@{flow['id']}", "opneai/gpt-9")["error"]


def test_two_answers_are_compared(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    call(gateway, "gpt-9", stream=True)
    call(gateway, "claude-9")
    all_told(page, 2)
    text = page.run("patchbay.compare", "~meta patchbay")["value"]
    assert "openai/gpt-9" in text
    assert "anthropic/claude-9" in text.splitlines()[0]
    page.wait_for_event(text)
    assert "hold 1" in page.run("patchbay.compare", "~comment claude-9")["error"]


def test_a_call_becomes_a_script_that_makes_it_again(clean: tuple[Gateway, WebPage], tmp_path: Path) -> None:
    gateway, page = clean
    call(gateway, "claude-9", text="It's `me`")
    (flow,) = all_told(page, 1)
    script = tmp_path / "call.sh"
    assert "value" in page.run("patchbay.export.curl", f"@{flow['id']}", str(script))
    text = script.read_text()
    assert not [secret for secret in (*KEYS.values(), CLIENT_SECRET) if secret in text]
    first = gateway.external.requests[-1]
    done = subprocess.run(["sh", str(script)], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert gateway.external.requests[-1] is not first
    assert gateway.external.requests[-1].body == first.body
    assert json.loads(done.stdout)["role"] == "assistant"


def test_the_newest_are_kept_and_those_that_somebody_marked(clean: tuple[Gateway, WebPage]) -> None:
    gateway, page = clean
    call(gateway, "gpt-9", text="first")
    (first,) = all_told(page, 1)
    page.change(first, marked=":red_circle:")
    call(gateway, "gpt-9", text="second")
    second = all_told(page, 2)[1]
    page.change(second, comment="look at this")
    for _ in range(50):
        call(gateway, "gpt-9")
    kept = page.wait_for(lambda flows: len(flows) <= KEEP and all(flow["comment"] for flow in flows))
    assert KEEP - 2 <= len(kept) <= KEEP
    ids = [flow["id"] for flow in kept]
    assert ids[:2] == [first["id"], second["id"]]
    assert (kept[0]["marked"], kept[1]["comment"]) == ("🔴", "look at this")


def test_saved_flows_say_it_too(upstreams: Behind, tmp_path: Path) -> None:
    flows = tmp_path / "flows.mitm"
    with run_gateway("serve", upstreams, tmp_path, args=("--set", f"save_stream_file={flows}")) as gateway:
        for model in MODELS:
            call(gateway, model)
        assert gateway.program.stop() == 0
    saved = flows_in(flows)
    assert [flow.comment.partition("/")[0] for flow in saved] == list(MODELS.values())
    assert saved[0].marked == ":green_circle:"
    found = [flowfilter.match('~meta "patchbay.model: claude-9"', flow) for flow in saved]
    assert list(map(bool, found)) == [False, True, False, False]
