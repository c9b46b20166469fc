"""The fault wall: answers of a provider that fails, is full, says 200 and means no, or is not ready (F25–F28).

`once` asks each provider one time, so that what it said is told at once; `thrice` may try again and elsewhere.
"""

import threading
import time
from collections.abc import Iterator

import openai
import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, speak, whole
from tests.fake_dialects import Json, anthropic_error, chat_events, error_body, messages_events, responses_events
from tests.fake_steps import Chunk, Head, LastChunk, Script
from tests.fake_upstream import Answer
from tests.rig_client import open_stream, receive_until
from tests.rig_gateway import DIALECTS, Behind, Gateway, ask, assert_told_in_dialect, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_sdk import sdk_hears
from tests.rig_wall import (
    EVERY_WAY,
    FORM_NAMES,
    LEAK,
    SECOND,
    Heard,
    Told,
    assert_healthy,
    assert_kept,
    assert_refused,
    call,
    entry,
    path,
    wall_registry,
)

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
PAGE = f"<html><head><title>Bad Gateway</title></head><body>nginx at {LEAK}</body></html>".encode()
FAILED = "upstream_http_error"
# status with a page for an answer → whether the next provider may be asked, and how often the first one was before
PAGES = {500: 2, 502: 2, 503: 1, 504: 0, 520: 2, 521: 2, 522: 2, 523: 2, 524: 0}
OVERLOADS = (503, 529)


def told(status: int) -> Told:
    """An overloaded provider's client is always told when to come back."""
    return Told(status, None, FAILED, retry_after=status == 503)


def overloaded(dialect: str, status: int) -> Script:
    payload: Json = (
        anthropic_error("Overloaded just now", "overloaded_error")
        if dialect == "messages"
        else error_body("Overloaded just now", type_="overloaded_error")
    )
    return json_answer(payload, status)


def error_object(dialect: str) -> Script:
    """A plain 200 that is an error."""
    return overloaded(dialect, 200)


def error_event(dialect: str) -> Script:
    """A stream whose first event is an error."""
    event = {
        "chat": b'data: {"error":{"message":"Overloaded just now","type":"overloaded_error","code":529}}\n\n',
        "messages": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded just now"}}\n\n',
        "responses": b'event: error\ndata: {"type":"error","code":"server_overloaded","message":"Overloaded just now",'
        b'"param":null,"sequence_number":0}\n\n',
    }[dialect]
    return Head(200, (*SSE, *CHUNKED)), Chunk(event), LastChunk()


def error_behind_the_opening(dialect: str) -> Script:
    """The same behind the event that opens a stream, which says nothing yet."""
    head, error, end = error_event(dialect)
    return head, Chunk(EVENTS[dialect]()[0]), error, end


GOOD_HEADS = {
    "object": error_object,
    "event": error_event,
    "late-event": error_behind_the_opening,
}
LOADING = json_answer({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503)


def name_of(case: str, dialect: str, stream: bool) -> str:
    """The provider that no other call has met."""
    return f"{case}-{dialect}-{FORM_NAMES[stream]}"


CASES = (
    *(f"f25-{status}" for status in PAGES),
    *(f"f26-{status}" for status in OVERLOADS),
    *(f"f27-{kind}" for kind in GOOD_HEADS),
    "f28",
)
NAMES = [name_of(case, dialect, stream) for case in CASES for dialect, stream in EVERY_WAY]
# A model that takes its time, and a client that is patient.
SLOW = "{connect: 1, head: 20, first_content: 20, gap: 20, total: 40}"


def run(way: str, attempts: int, upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    slow = entry("f28-slow", f"{upstreams.external.url}/f28-slow/v1", deadlines=SLOW)
    registry, env = wall_registry(upstreams, NAMES, entries=slow), {"PATCHBAY_ATTEMPTS": str(attempts)}
    folder = tmp_path_factory.mktemp(way)
    with run_gateway(way, upstreams, folder, registry=registry, env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output
        assert "crashed" not in gateway.program.output


@pytest.fixture(name="once_running", scope="module")
def fixture_once_running(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from run("mitmdump", 1, all_upstreams, tmp_path_factory)


@pytest.fixture(name="thrice_running", scope="module")
def fixture_thrice_running(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from run("serve", 3, all_upstreams, tmp_path_factory)


@pytest.fixture(name="once")
def fixture_once(once_running: Gateway, upstreams: Behind) -> Gateway:
    assert once_running.behind is upstreams
    return once_running


@pytest.fixture(name="thrice")
def fixture_thrice(thrice_running: Gateway, upstreams: Behind) -> Gateway:
    assert thrice_running.behind is upstreams
    return thrice_running


# ----------------------------------------------------------------------------------------------------- F25, F26: 5xx


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("status", PAGES)
def test_a_page_is_never_passed_on(once: Gateway, status: int, dialect: str, stream: bool) -> None:
    name = name_of(f"f25-{status}", dialect, stream)
    once.external.on(path(name, dialect), whole(PAGE, "text/html; charset=utf-8", status))
    heard = call(once, dialect, f"{name}/m", stream=stream)
    error = assert_refused(heard, told(status), tries=1)
    assert error["message"] == f"{name} answered with status {status}."
    row = assert_kept(heard, FAILED, [(name, FAILED)], who="upstream")
    assert LEAK not in repr((row, heard.attempts()))


@pytest.mark.parametrize(("status", "asked"), PAGES.items())
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_another_provider_answers_for_a_page(thrice: Gateway, status: int, asked: int, stream: bool) -> None:
    """At 504 and its like the model may have been at work: nobody else is asked without the operator's word."""
    name = name_of(f"f25-{status}", "chat", stream)
    thrice.external.on(path(name, "chat"), whole(PAGE, "text/html", status))
    heard = call(thrice, "chat", f"{name}-pair", stream=stream)
    if asked:
        assert_healthy(heard, provider=SECOND, tries=asked + 1)
        assert_kept(heard, "ok", [*[(name, FAILED)] * asked, (SECOND, "ok")])
    else:
        assert_refused(heard, told(status), tries=1)
        assert_kept(heard, FAILED, [(name, FAILED)])


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("status", OVERLOADS)
def test_an_overload_is_told_in_the_dialects_own_number(once: Gateway, status: int, dialect: str, stream: bool) -> None:
    name = name_of(f"f26-{status}", dialect, stream)
    once.external.on(path(name, dialect), overloaded(dialect, status))
    heard = call(once, dialect, f"{name}/m", stream=stream)
    error = assert_refused(heard, told(503), tries=1)
    assert error["message"] == "Overloaded just now"
    assert dialect != "messages" or error["type"] == "overloaded_error"
    assert_kept(heard, FAILED, [(name, FAILED)], who="upstream")


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("status", OVERLOADS)
def test_another_provider_answers_for_an_overloaded_one(
    thrice: Gateway, status: int, dialect: str, stream: bool
) -> None:
    name = name_of(f"f26-{status}", dialect, stream)
    thrice.external.on(path(name, dialect), overloaded(dialect, status))
    heard = call(thrice, dialect, f"{name}-pair", stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, FAILED), (SECOND, "ok")])


# ---------------------------------------------------------------------------------------------- F27: 200, and an error

FORMED = [(kind, dialect, stream) for kind in GOOD_HEADS for dialect, stream in EVERY_WAY if stream or kind == "object"]


@pytest.mark.parametrize(("kind", "dialect", "stream"), FORMED)
def test_a_200_that_is_an_error_is_a_real_one(once: Gateway, kind: str, dialect: str, stream: bool) -> None:
    name = name_of(f"f27-{kind}", dialect, stream)
    once.external.on(path(name, dialect), GOOD_HEADS[kind](dialect))
    heard = call(once, dialect, f"{name}/m", stream=stream)
    assert assert_refused(heard, told(503), tries=1)["message"] == "Overloaded just now"
    assert_kept(heard, FAILED, [(name, FAILED)], who="upstream")


@pytest.mark.parametrize(("kind", "dialect", "stream"), FORMED)
def test_another_provider_answers_for_it(thrice: Gateway, kind: str, dialect: str, stream: bool) -> None:
    name = name_of(f"f27-{kind}", dialect, stream)
    thrice.external.on(path(name, dialect), GOOD_HEADS[kind](dialect))
    heard = call(thrice, dialect, f"{name}-pair", stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, FAILED), (SECOND, "ok")])


# ------------------------------------------------------------------------------------------ F28: the model is loading


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_server_that_loads_its_model_is_waited_for_or_left(thrice: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("f28", dialect, stream)
    thrice.external.on(path(name, dialect), LOADING)
    heard = call(thrice, dialect, f"{name}-pair", stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, FAILED), (SECOND, "ok")])
    thrice.external.on(path(name, dialect), LOADING, speak)
    heard = call(thrice, dialect, f"{name}/m", stream=stream)
    assert_healthy(heard, provider=name, tries=2)
    assert_kept(heard, "ok", [(name, FAILED), (name, "ok")])


def assert_loading(heard: Heard, tries: int) -> None:
    """llama-server's own words pass to clients of its own dialects, in its own shape: it never sends ``param``.

    It does not say how long it will take: clients are told to come back in a moment.
    """
    assert heard.answer.get("retry-after") == "5"
    if heard.dialect == "messages":
        error = assert_refused(heard, Told(503, None, FAILED, retry_after=True), tries=tries)
        assert error["message"] == "Loading model"
        return
    answer = heard.answer
    error = assert_told_in_dialect(answer, heard.dialect, heard.gateway.behind, 503, passed_on=True)
    assert error["message"] == "Loading model"
    assert isinstance(sdk_hears(heard.answer, heard.dialect, stream=heard.stream), openai.InternalServerError)


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_loading_is_told_where_nobody_waits(once: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("f28", dialect, stream)
    once.external.on(path(name, dialect), LOADING)
    heard = call(once, dialect, f"{name}/m", stream=stream)
    assert_loading(heard, tries=1)
    assert_kept(heard, FAILED, [(name, FAILED)], who="upstream")


def test_loading_beyond_the_deadline_is_told_within_it(thrice: Gateway) -> None:
    """Tries at a server that loads its model are not counted: four seconds are more than three of them."""
    name = name_of("f28", "messages", False)
    thrice.external.on(path(name, "messages"), LOADING)
    began = time.monotonic()
    heard = call(thrice, "messages", f"{name}/m", stream=False)
    assert time.monotonic() - began < 10  # not the ten minutes that a model may take; the machine may be busy
    tries = len(heard.attempts())
    assert tries > 3
    assert_loading(heard, tries)
    assert_kept(heard, FAILED, [(name, FAILED)] * tries)


SIGNS = {"chat": b": keep-alive", "responses": b": keep-alive", "messages": b"event: ping"}


@pytest.mark.slow
def test_a_client_that_waits_for_a_loading_model_is_kept_alive(thrice: Gateway) -> None:
    """Its head and a sign of life come after ten seconds, and the answer follows in the same stream."""
    loaded = threading.Event()
    answer: Answer = lambda request: speak(request) if loaded.is_set() else LOADING  # noqa: E731 - one line says it
    for dialect in DIALECTS:
        thrice.external.on(path("f28-slow", dialect), answer)
    seen: dict[str, bytes] = {}

    def listen(dialect: str) -> None:
        with open_stream(thrice.port, *ask(dialect, "f28-slow/m", stream=True)) as client:
            client.settimeout(30)
            early = receive_until(client, SIGNS[dialect])
            loaded.set()
            seen[dialect] = early + receive_until(client, END[dialect])

    threads = [threading.Thread(target=listen, args=(dialect,)) for dialect in DIALECTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    for dialect in DIALECTS:
        assert seen[dialect].startswith(b"HTTP/1.1 200")
        assert b'"error":{' not in seen[dialect]


END = {"chat": b"data: [DONE]", "messages": b"event: message_stop", "responses": b"event: response.completed"}
