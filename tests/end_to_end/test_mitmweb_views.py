"""The views in a real mitmweb: what they show of calls as they were, and an edit of a paused one."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_dialects import WORDS, chat_body, chat_events, error_body, messages_events, responses_events
from tests.fake_steps import Chunk, Close, Head
from tests.rig_client import Json, RawAnswer
from tests.rig_gateway import CLIENT_SECRET, DIALECTS, KEYS, Behind, Gateway, ask
from tests.rig_mitmweb import WebPage, run_web_gateway

SAID = "".join(WORDS)
MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
PATHS = {
    "chat": "/openai/v1/chat/completions",
    "messages": "/anthropic/v1/messages",
    "responses": "/openai/v1/responses",
}
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
SECRET = (("authorization", f"Bearer {CLIENT_SECRET}"),)
Web = tuple[Gateway, WebPage]


@pytest.fixture(name="running_web", scope="module")
def fixture_running_web(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with run_web_gateway(all_upstreams, tmp_path_factory.mktemp("views")) as both:
        yield both
        assert "Traceback" not in both[0].program.output


@pytest.fixture(name="web")
def fixture_web(running_web: Web, upstreams: Behind) -> Web:
    """The running one, with nothing in its list and nothing paused."""
    assert running_web[0].behind is upstreams
    running_web[1].ask("PUT", "/options", {"intercept": None})
    running_web[1].ask("POST", "/clear")
    return running_web


def show(page: WebPage, flow: Json, part: str, view: str = "auto") -> Json:
    said: Json = page.ask("GET", f"/flows/{flow['id']}/{part}/content/{quote(view)}.json")
    for secret in (CLIENT_SECRET, *KEYS.values()):
        assert secret not in said["text"]
    return said


def ended(page: WebPage, count: int = 1) -> Json:
    """The last flow, once ``count`` have ended."""
    return page.wait_for(lambda flows: sum(bool(flow["comment"]) for flow in flows) >= count)[-1]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_call_is_shown(web: Web, dialect: str, stream: bool) -> None:
    gateway, page = web
    assert gateway.post(*ask(dialect, MODELS[dialect], stream=stream), SECRET).status == 200
    flow = ended(page)
    asked = show(page, flow, "request")
    assert asked["view_name"] == "Conversation"
    assert "Say hello" in asked["text"]
    answered = show(page, flow, "response")
    assert answered["view_name"] == ("Stream" if stream else "Conversation")
    assert SAID in answered["text"]
    if stream:
        count = len(EVENTS[dialect]())
        assert f"# {count} events, from " in answered["text"]
        assert f"\n{count:>6}  " in answered["text"]
    assert "body: the same, byte for byte" in show(page, flow, "request", "wire vs client")["text"]
    assert "body: the same, byte for byte" in show(page, flow, "response", "wire vs client")["text"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("dialect", ["messages", "responses"])
def test_a_translated_call_is_compared(web: Web, dialect: str, stream: bool) -> None:
    gateway, page = web
    path, body = ask(dialect, "groq/some-model", stream=stream)
    assert gateway.post(path, {**body, "top_k": 3, "truncation": "auto"}, SECRET).status == 200
    flow = ended(page)
    asked = show(page, flow, "request", "wire vs client")["text"]
    assert f"client sent:   POST {path}\n" in asked
    assert "/groq/openai/v1/chat/completions\n" in asked
    assert "translated: dropped=" in asked
    assert '-  "model": "groq/some-model",' in asked
    answered = show(page, flow, "response", "wire vs client")["text"]
    assert "translated: dropped=" in answered
    assert '"object": "chat.completion' in answered
    assert SAID in show(page, flow, "response")["text"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_stream_is_shown_as_far_as_it_came(web: Web, dialect: str) -> None:
    gateway, page = web
    events = EVENTS[dialect]()
    at = next(number for number, event in enumerate(events) if b" every" in event) + 1
    head = Head(200, (*SSE, *CHUNKED))
    gateway.external.on(PATHS[dialect], (head, *map(Chunk, events[:at]), Close()))
    gateway.post(*ask(dialect, MODELS[dialect], stream=True))
    flow = ended(page)
    text = show(page, flow, "response")["text"]
    assert "# It failed: upstream_" in text
    assert "Patchbay passes every" in text
    assert " word" not in text.partition("# events")[0]
    assert f"# {at} events, from " in text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_failed_call_is_shown(web: Web, dialect: str) -> None:
    gateway, page = web
    gateway.external.on(PATHS[dialect], json_answer(error_body("slow down"), 429))
    gateway.post(*ask(dialect, MODELS[dialect], stream=True))
    answered = show(page, ended(page), "response")
    assert answered["view_name"] == "Conversation"
    assert "message: slow down" in answered["text"]
    assert ", 429\n" in answered["text"]


@contextmanager
def paused(web: Web, dialect: str, body: Json, where: str = "~q") -> Iterator[tuple[Json, "Future[RawAnswer]"]]:
    """A call that mitmweb holds, and its answer to come; it is let go at the end."""
    gateway, page = web
    page.ask("PUT", "/options", {"intercept": f"{where} & ~m POST"})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(gateway.post, ask(dialect, "")[0], body, SECRET)
        (flow,) = page.wait_for(lambda flows: len(flows) == 1 and flows[0]["intercepted"])
        try:
            yield flow, answer
        finally:
            page.ask("POST", f"/flows/{flow['id']}/resume")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_paused_request_is_edited_and_goes_on(web: Web, dialect: str, stream: bool) -> None:
    gateway, page = web
    _, body = ask(dialect, MODELS[dialect], stream=stream)
    body["x_unknown"] = {"kept": [1.50, None]}
    with paused(web, dialect, body) as (flow, answer):
        text = show(page, flow, "request")["text"]
        assert not gateway.external.requests
        refused = page.run(
            "patchbay.conversation.put", f"@{flow['id']}", "request", text.replace("model: ", "model: 7 #")
        )
        assert "model: must be a text. Nothing was changed." in refused["error"]
        edited = text.replace("Say hello", "Say goodbye")
        assert "error" not in page.run("patchbay.conversation.put", f"@{flow['id']}", "request", edited)
        assert "Say goodbye" in show(page, flow, "request")["text"]
    said = answer.result(10)
    assert (said.status, said.whole) == (200, True)
    assert b" word" in said.body or SAID.encode() in said.body
    (sent,) = gateway.external.requests
    assert sent.body == json.dumps(body).replace("Say hello", "Say goodbye").encode()
    ended(page)


def test_a_paused_translated_request_is_edited_as_it_is_sent(web: Web) -> None:
    gateway, page = web
    _, body = ask("messages", "groq/some-model")
    with paused(web, "messages", body) as (flow, answer):
        text = show(page, flow, "request")["text"]
        page.run("patchbay.conversation.put", f"@{flow['id']}", "request", text.replace("hello", "goodbye"))
    assert answer.result(10).json()["content"][0]["text"] == SAID
    (sent,) = gateway.external.requests
    assert json.loads(sent.body)["messages"] == [{"role": "user", "content": "Say goodbye"}]


def test_a_paused_answer_is_edited(web: Web) -> None:
    gateway, page = web
    _, body = ask("chat", "gpt-9")
    with paused(web, "chat", body, "~s") as (flow, answer):
        text = show(page, flow, "response")["text"]
        edited = text.replace(SAID, "Something else.")
        assert "error" not in page.run("patchbay.conversation.put", f"@{flow['id']}", "response", edited)
    expected = chat_body(model="gpt-9")
    expected["choices"][0]["message"]["content"] = "Something else."
    assert answer.result(10).json() == expected
    assert len(gateway.external.requests) == 1
