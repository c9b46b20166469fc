"""The fault wall: an exception in each hook and callback, in a user's own script and in ours (F47).

A script that fails has not done what it was there for: to check a request, or to take something out of it. So nothing
goes upstream, and nothing of an answer to the client. Once the answer is complete and paid for, it goes out whatever
fails. `tests.faulty_hooks` is the script; `serve` loads none.
"""

from collections.abc import Iterator

import pytest

from tests import faulty_hooks
from tests.fake_answers import CHUNKED, SSE, streamed
from tests.fake_dialects import WORDS, chat_events, data, messages_events, named, responses_events
from tests.fake_steps import Chunk, Head, Stall, WaitFor
from tests.faulty_hooks import BROKEN, FAULT
from tests.rig import ROOT
from tests.rig_gated import call_gated
from tests.rig_gateway import KEYS, Behind, Gateway, ask, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_wall import (
    EVERY_WAY,
    SECOND,
    Heard,
    Told,
    assert_broken_off,
    assert_healthy,
    assert_kept,
    assert_no_leak,
    assert_refused,
    path,
    wall_registry,
)

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
FAILED = Told(500, "internal_error", "internal_error")
BEFORE = ("requestheaders", "request", "request, later", "gate:requestheaders", "router:request", "recorder:request")
UNROUTED = ("gate:requestheaders", "router:request")  # no route was found, so there is no call to record
AFTER = ("response", "error", "update", "recorder:response", "router:response")


@pytest.fixture(name="scripted", scope="module")
def fixture_scripted(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder, script = tmp_path_factory.mktemp("hooks"), ROOT / "tests" / "faulty_hooks.py"
    registry = wall_registry(all_upstreams, ["hooked", "inject", "broken"])
    with run_gateway("mitmdump", all_upstreams, folder, registry=registry, args=("-s", str(script))) as gateway:
        gateway.program.wait_for_output("The faults are in place.")
        yield gateway
        assert_counted(gateway)
        output = gateway.program.output
        assert "crashed" not in output
        assert FAULT in output
        assert "OnDemand" in output  # the traceback is there …
        assert not any(key in output for key in KEYS.values())  # … and shows no values
        assert gateway.program.process.poll() is None


@pytest.fixture(name="gateway")
def fixture_gateway(scripted: Gateway, upstreams: Behind) -> Gateway:
    assert scripted.behind is upstreams
    return scripted


def call(gateway: Gateway, dialect: str, model: str, *, stream: bool, fail: str = "") -> Heard:
    headers = (("x-fail", fail),) if fail else ()
    return Heard(gateway, dialect, stream, gateway.post(*ask(dialect, model, stream=stream), headers))


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("hook", BEFORE)
def test_a_request_that_a_hook_failed_at_goes_nowhere(gateway: Gateway, hook: str, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "hooked/m", stream=stream, fail=hook)
    assert_told(heard, recorded=hook not in UNROUTED)
    assert not gateway.behind.posts()
    assert_healthy(call(gateway, dialect, "hooked/m", stream=stream), provider="hooked", tries=1)


def assert_told(heard: Heard, *, recorded: bool) -> None:
    if recorded:
        assert_refused(heard, FAILED, tries=0)
        assert_kept(heard, "internal_error", [], who="gateway")
        return
    assert heard.answer.status == 500
    assert heard.answer.get("x-request-id")
    assert_no_leak(heard)


@pytest.mark.parametrize("hook", [*BEFORE, "responseheaders"])
def test_what_is_no_llm_call_is_refused_as_well(gateway: Gateway, hook: str) -> None:
    answer = gateway.get("/props", (("x-fail", hook),))
    if hook == "recorder:request":  # it has nothing to record there, but it is asked
        assert answer.status == 500
    assert (answer.status, answer.json()["error"]["code"]) == (500, "internal_error")
    asked = [request for request in gateway.local.requests if request.path == "/props"]
    assert len(asked) == (hook == "responseheaders")
    assert gateway.get("/props").status == 200


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_an_answer_whose_head_a_hook_failed_at_is_kept_back(gateway: Gateway, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "hooked/m", stream=stream, fail="responseheaders")
    assert_refused(heard, FAILED, tries=1)
    assert_kept(heard, "internal_error", [("hooked", "internal_error")], who="gateway")


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("hook", AFTER)
def test_a_complete_answer_goes_out_whatever_fails_then(
    gateway: Gateway, hook: str, dialect: str, stream: bool
) -> None:
    assert_healthy(call(gateway, dialect, "hooked/m", stream=stream, fail=hook), provider="hooked", tries=1)


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_an_error_is_told_whatever_fails_then(gateway: Gateway, dialect: str, stream: bool) -> None:
    heard = call(gateway, dialect, "refused/m", stream=stream, fail="error")
    assert heard.answer.status == (529 if dialect == "messages" else 503)
    assert_kept(heard, "upstream_refused", [("refused", "upstream_refused")])


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_key_that_cannot_be_put_in_ends_the_call(gateway: Gateway, dialect: str, stream: bool) -> None:
    """At that moment the connection stands, and nothing was said on it."""
    heard = call(gateway, dialect, "inject/m", stream=stream)
    assert_refused(heard, FAILED, tries=1)
    assert_kept(heard, "internal_error", [("inject", "internal_error")], who="gateway")
    assert not gateway.behind.posts()


def broken_event(dialect: str) -> bytes:
    """An event that passes for one, and at which our reader fails."""
    if dialect == "chat":
        return data({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "note": BROKEN.decode()})
    return named({"type": "ping", "note": BROKEN.decode()})


@pytest.mark.parametrize(("client", "provider"), [(c, p) for c in EVENTS for p in ("hooked", SECOND)])
def test_a_fault_of_ours_within_a_stream_is_told_in_it(gateway: Gateway, client: str, provider: str) -> None:
    """`hooked` speaks every dialect: its bytes pass. `SECOND` speaks chat alone: its events are written anew."""
    speaks = client if provider == "hooked" else "chat"
    where = path("hooked", client) if provider == "hooked" else "/groq/openai/v1/chat/completions"
    model = "hooked/m" if provider == "hooked" else "groq/some-model"
    begun, gate = EVENTS[speaks]()[:6], WaitFor()
    head = Head(200, (*SSE, *CHUNKED))
    gateway.external.on(where, (head, *map(Chunk, begun), gate, Chunk(broken_event(speaks)), Stall()))
    heard = call_gated(gateway, client, model, WORDS[0].encode(), gate.gate)
    assert_broken_off(heard, FAILED, sent=begun if provider == "hooked" else ())
    assert_kept(heard, "internal_error", [(provider, "internal_error")], who="gateway")
    assert gateway.behind.posts()[0].connection.closed.wait(2)


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_fault_of_ours_ahead_of_all_content_is_a_real_error(gateway: Gateway, dialect: str, stream: bool) -> None:
    script = streamed([broken_event(dialect), *EVENTS[dialect]()])
    gateway.external.on(path("broken", dialect), script)
    heard = call(gateway, dialect, "broken/m", stream=stream)
    assert_refused(heard, FAILED, tries=1)
    assert_kept(heard, "internal_error", [("broken", "internal_error")], who="gateway")


def test_a_page_of_ours_that_fails_says_so_and_calls_go_on(gateway: Gateway) -> None:
    answer = gateway.get("/patchbay/health", (("x-fail", "health:request"),))
    assert (answer.status, answer.json()["error"]["code"]) == (500, "internal_error")
    assert gateway.get("/patchbay/health").status == 200
    assert_healthy(call(gateway, "chat", "hooked/m", stream=False))


def test_the_script_fails_in_every_hook_of_a_call() -> None:
    """Nothing is left out: each hook that the relay calls has its fault."""
    hooks = {hook.partition(",")[0] for hook in (*BEFORE, *AFTER, "responseheaders") if ":" not in hook}
    assert hooks == {"requestheaders", "request", "responseheaders", "response", "error", "update"}
    assert {hook for hook in (*BEFORE, *AFTER) if ":" in hook} == set(faulty_hooks.OURS)
