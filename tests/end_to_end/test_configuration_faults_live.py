"""Good edits while calls go on: streams keep what they began with, new calls get what is new, and no call fails.

The providers of these tests share one fake upstream, and each has an address of its own there, with a key of its own.
Every request that arrives is held against that: a key at another's address would be a mix of two configurations.
"""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, speak
from tests.fake_dialects import chat_events, error_body, messages_events, responses_events
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Gate, Head, LastChunk, Raw, Reached, Script, WaitFor
from tests.fake_upstream import FakeUpstream
from tests.rig import run_command
from tests.rig_client import RawAnswer, dial, query, read_answer, request_bytes
from tests.rig_gateway import DIALECTS, Behind, Gateway, ask, run_gateway
from tests.steady_load import steady_load

ALLOWED = 4.0  # seconds; the promise is 2
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
# Which key belongs to which address.
PAIRS = {"one": "key-number-one-11111", "two": "key-number-two-22222", "gone": "key-number-three-3333"}


def registry(upstreams: Behind, providers: Mapping[str, str], settings: str = "") -> str:
    """A registry of the local server and ``providers``: name → what stands behind the name."""
    rows = "".join(f"  {name}: {said}\n" for name, said in providers.items())
    local = f"  local: {{kind: llamacpp, base_url: {upstreams.local.url}, dialects: [chat, messages, responses]}}\n"
    return f"default_provider: local\nproviders:\n{local}{rows}settings: {{{settings}}}\n"


def at(upstreams: Behind, place: str, more: str = "") -> str:
    """A compatible provider at ``place`` of the external upstream, with that place's own key."""
    url = f"{upstreams.external.url}/{place}/v1"
    key = f"${{{place.upper()}_KEY}}"
    return f"{{kind: compatible, base_url: {url}, api_key: {key}, dialects: [chat, messages, responses]{more}}}"


ENVIRONMENT = {f"{place.upper()}_KEY": key for place, key in PAIRS.items()}


def key_of(request: Request) -> str:
    return (request.get("authorization") or "").removeprefix("Bearer ")


def assert_paired(requests: list[Request]) -> None:
    """Each key at its own address, and nothing else."""
    for request in requests:
        place = request.path.split("/")[1]
        assert key_of(request) == PAIRS[place], request.path


def edit(gateway: Gateway, text: str) -> None:
    """Replace the registry as careful programs do."""
    fresh = gateway.folder / "registry.new"
    fresh.write_text(text)
    os.replace(fresh, gateway.folder / "registry.yaml")


def configuration(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()["configuration"]


def wait_for_generation(gateway: Gateway, number: int, seconds: float = ALLOWED) -> None:
    deadline = time.monotonic() + seconds
    while (told := configuration(gateway))["generation"] < number:
        assert not told["last_edit_refused"], gateway.program.output
        assert time.monotonic() < deadline, told
        time.sleep(0.005)


@pytest.fixture(name="own")
def fixture_own(upstreams: Behind, tmp_path: Path) -> Iterator[Gateway]:
    text = registry(
        upstreams, {"pair": at(upstreams, "one"), "gone": at(upstreams, "gone"), "free": at(upstreams, "one")}
    )
    env = {**ENVIRONMENT, "PATCHBAY_MAX_BODY_BYTES": ""}  # the registry says it
    with run_gateway("serve", upstreams, tmp_path, registry=text, env=env) as gateway:
        yield gateway
    assert "Traceback" not in gateway.program.output


class Held:
    """An upstream's streams that stop after three events until the gate is opened."""

    def __init__(self) -> None:
        self.gate = WaitFor()

    def __call__(self, request: Request) -> Script:
        if not json.loads(request.body or b"{}").get("stream"):
            return speak(request)
        dialect = next(name for name in DIALECTS if request.path.endswith(ask(name, "")[0].removeprefix("/v1")))
        events = EVENTS[dialect]()
        early, late = [Chunk(event) for event in events[:3]], [Chunk(event) for event in events[3:]]
        return (Head(200, (*SSE, *CHUNKED)), *early, self.gate, *late, LastChunk())


def wait_for_posts(upstream: FakeUpstream, count: int) -> None:
    deadline = time.monotonic() + 20
    while sum(request.method == "POST" for request in upstream.requests) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_hundred_streams_keep_what_they_began_with(own: Gateway, upstreams: Behind) -> None:
    held = Held()
    upstreams.external.default = held
    try:
        with ExitStack() as stack:
            calls = [(DIALECTS[n % 3], ("pair", "gone", "free")[n // 3 % 3]) for n in range(100)]
            clients = []
            for dialect, provider in calls:
                target, body = ask(dialect, f"{provider}/m", stream=True)
                client = stack.enter_context(dial(own.port, seconds=30))
                client.sendall(request_bytes("POST", target, json.dumps(body).encode()))
                clients.append(client)
            wait_for_posts(upstreams.external, 100)

            narrow = at(upstreams, "one", ", max_in_flight: 1")
            edit(own, registry(upstreams, {"pair": at(upstreams, "two"), "free": narrow}, "max_body_bytes: 2000"))
            wait_for_generation(own, 2)
            assert_new_calls_get_what_is_new(own)

            held.gate.gate.open()
            for client, (dialect, _) in zip(clients, calls, strict=True):
                answer = read_answer(client)
                assert (answer.status, answer.whole, answer.body) == (200, True, b"".join(EVENTS[dialect]()))
        for _ in range(3):  # the limit counts calls that have ended as ended
            assert own.post(*ask("chat", "free/m")).status == 200
        assert_paired(upstreams.external.requests)
    finally:
        upstreams.external.default = speak


def assert_new_calls_get_what_is_new(own: Gateway) -> None:
    for dialect in DIALECTS:
        moved = own.post(*ask(dialect, "pair/m"))
        assert (moved.status, moved.get("x-patchbay-provider")) == (200, "pair")
        assert key_of(own.external.requests[-1]) == PAIRS["two"]
        assert own.post(*ask(dialect, "gone/m")).get("x-patchbay-provider") == "local"
        large = own.post(*ask(dialect, "local/m", padding="x" * 3000))
        assert large.status == 413


# ----------------------------------------------------------------------------------------------------------------- keys


KEYED = (
    "{{kind: compatible, base_url: {url}/{place}/v1, api_key: ${{TURNING_KEY}}, dialects: [chat, messages, responses]}}"
)


def keyed(upstreams: Behind, more: str = "") -> str:
    text = registry(upstreams, {"turning": KEYED.format(url=upstreams.external.url, place="turning")})
    return text + more


def write_key(where: Path, key: str) -> None:
    text = f"TURNING_KEY={key}\n" if where.name == ".env" else f"{key}\n"
    fresh = where.with_name("fresh")
    fresh.write_text(text)
    os.replace(fresh, where)


def sent_keys(upstream: FakeUpstream) -> list[str]:
    return [key_of(request) for request in upstream.requests if request.method == "POST"]


@pytest.mark.parametrize(("way", "name"), [("serve", "secret"), ("mitmdump", ".env"), ("mitmdump", "secret")])
@pytest.mark.parametrize("signalled", [False, True], ids=["noticed", "signalled"])
def test_a_key_that_is_changed_is_used_and_no_call_fails(
    upstreams: Behind, tmp_path: Path, way: str, name: str, signalled: bool
) -> None:
    where = tmp_path / name
    write_key(where, "turning-key-old-1")
    env = {} if name == ".env" else {"TURNING_KEY_FILE": str(where)}
    with (
        run_gateway(way, upstreams, tmp_path, registry=keyed(upstreams), env=env) as gateway,
        steady_load(gateway, ("turning/m",)) as load,
    ):
        wait_for_posts(upstreams.external, 20)
        write_key(where, "turning-key-new-2")
        if signalled:
            gateway.program.process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        wait_for_generation(gateway, 2)
        assert time.monotonic() - began < ALLOWED / 2
        before = len(upstreams.external.requests) + 2 * 2  # two workers may be on their way with the old one
        wait_for_posts(upstreams.external, before + 20)
    load.assert_served(40)
    keys = sent_keys(upstreams.external)
    assert set(keys) == {"turning-key-old-1", "turning-key-new-2"}
    assert set(keys[before:]) == {"turning-key-new-2"}
    assert "turning-key" not in gateway.program.output


def judge_the_key(request: Request) -> Script:
    """401 for the old key, an answer for the new one."""
    if request.method == "POST" and key_of(request) != "turning-key-new-2":
        return json_answer(error_body("bad key", code="invalid_api_key"), 401)
    return speak(request)


def test_a_key_that_was_refused_is_no_reason_to_avoid_the_new_one(upstreams: Behind, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    write_key(secret, "turning-key-old-1")
    upstreams.external.on("/turning/v1/chat/completions", judge_the_key)
    text = keyed(upstreams, "models: {both: {targets: [turning/m, local/x]}}\n")
    env = {"TURNING_KEY_FILE": str(secret), "PATCHBAY_ATTEMPTS": "3"}
    with run_gateway("serve", upstreams, tmp_path, registry=text, env=env) as gateway:
        assert gateway.post(*ask("chat", "both")).get("x-patchbay-provider") == "local"
        passed_over = gateway.post(*ask("chat", "both"))
        assert "passed over" in (passed_over.get("x-patchbay-reason") or "")
        write_key(secret, "turning-key-new-2")
        wait_for_generation(gateway, 2)
        taken_up = gateway.post(*ask("chat", "both"))
        assert taken_up.get("x-patchbay-provider") == "turning", (taken_up, gateway.program.output)


def test_an_old_key_that_is_quoted_late_is_in_no_record(upstreams: Behind, tmp_path: Path) -> None:
    """The call began with the old key, and its provider quotes that after the key was changed."""
    secret = tmp_path / "secret"
    old = "turning-key-old-" + "1" * 8
    write_key(secret, old)
    arrived, gate = Gate(), WaitFor()
    body = json.dumps(error_body(f"what is {old}?")).encode()
    head = Head(400, (("content-type", "application/json"), ("content-length", str(len(body)))))
    upstreams.external.on("/turning/v1/chat/completions", (Reached(arrived), gate, head, Raw(body)))
    env = {"TURNING_KEY_FILE": str(secret), "PATCHBAY_BODIES": "all"}
    with run_gateway("serve", upstreams, tmp_path, registry=keyed(upstreams), env=env) as gateway:
        with dial(gateway.port) as client:
            target, asked = ask("chat", "turning/m")
            client.sendall(request_bytes("POST", target, json.dumps(asked).encode()))
            assert arrived.wait()
            write_key(secret, "turning-key-new-2")
            wait_for_generation(gateway, 2)
            gate.gate.open()
            assert_cut(read_answer(client), old)
    assert query(gateway.database, "select outcome from exchanges")[0]["outcome"] == "upstream_http_error"
    kept = run_command(["show", "last", "--body", "answer", "--db", str(gateway.database)], {}, tmp_path)
    assert "what is" in kept.stdout, kept
    assert old not in kept.stdout
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != secret]
    assert not [path for path in files if old.encode() in path.read_bytes()]


def assert_cut(answer: RawAnswer, old: str) -> None:
    assert answer.status == 400
    assert old.encode() not in answer.body
