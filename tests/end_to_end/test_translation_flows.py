"""A translated call's flow shows the provider's side, keeps the client's beside it, replays, and can be edited."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mitmproxy import io as mitm_io
from mitmproxy.http import HTTPFlow

from tests.fake_dialects import WORDS
from tests.rig_client import RawAnswer
from tests.rig_gateway import CLIENT_SECRET, KEYS, Behind, Gateway, ask, run_gateway
from tests.rig_translation import PAIRS, fake_registry, say, upstream_path

CREDENTIALS = (("authorization", f"Bearer {CLIENT_SECRET}"), ("x-api-key", CLIENT_SECRET))
CALLS = [(client, provider, stream) for client, provider in PAIRS for stream in (False, True)]
REPLAY = ("--set", "server_replay_extra=kill", "--set", "server_replay_ignore_port=true")
EDIT = """\
def response(flow):
    flow.response.text = flow.response.text.replace("Patchbay", "An edited answer")
"""


@contextmanager
def mitmdump(upstreams: Behind, folder: Path, *args: str, registry: str | None = None) -> Iterator[Gateway]:
    """The product by mitmdump, in front of providers of one dialect each."""
    with run_gateway(
        "mitmdump", upstreams, folder, registry=registry or fake_registry(upstreams), args=args
    ) as gateway:
        yield gateway


def call(gateway: Gateway, client: str, provider: str, stream: bool) -> RawAnswer:
    return gateway.post(*ask(client, f"only-{provider}/m", stream=stream), CREDENTIALS)


def record(upstreams: Behind, folder: Path) -> tuple[list[HTTPFlow], list[RawAnswer]]:
    """Every call once, saved; what the file holds, and what the clients got."""
    saved = folder / "flows.mitm"
    with mitmdump(upstreams, folder / "record", "-w", str(saved)) as gateway:
        answers = [call(gateway, *which) for which in CALLS]
        assert gateway.program.stop() == 0, gateway.program.output
    with saved.open("rb") as file:
        flows = [flow for flow in mitm_io.FlowReader(file).stream() if isinstance(flow, HTTPFlow)]
    return flows, answers


def still(answer: RawAnswer) -> bytes:
    """A body without what is made anew in each call: our id and the time."""
    body = answer.body.replace((answer.get("x-patchbay-id") or "no id").encode(), b"ID")
    return re.sub(rb'"(created|created_at)":\d+', rb'"\1":0', body)


def test_a_flow_shows_the_wire_and_keeps_what_the_client_said(upstreams: Behind, tmp_path: Path) -> None:
    flows, answers = record(upstreams, tmp_path)
    for flow, answer, sent, which in zip(flows, answers, upstreams.posts(), CALLS, strict=True):
        client, provider, stream = which
        assert (answer.status, flow.error) == (200, None)
        assert (flow.request.path, flow.request.port) == (upstream_path(provider), upstreams.external.port)
        assert flow.request.raw_content == sent.body
        assert flow.response is not None
        assert WORDS[0].encode() in (flow.response.raw_content or b"")
        assert flow.response.raw_content != answer.body
        path, asked = ask(client, f"only-{provider}/m", stream=stream)
        assert flow.metadata["patchbay.client_request"] == f"POST {path}"
        assert json.loads(str(flow.metadata["patchbay.client_request_body"])) == asked
    raw = (tmp_path / "flows.mitm").read_bytes()
    assert not [secret for secret in (*KEYS.values(), CLIENT_SECRET) if secret.encode() in raw]


def test_a_flow_keeps_what_the_client_saw(upstreams: Behind, tmp_path: Path) -> None:
    flows, answers = record(upstreams, tmp_path)
    saw = [flow.metadata.get("patchbay.client_body") for flow in flows]
    assert dict(zip(CALLS, saw, strict=True)) == {
        which: answer.body.decode() for which, answer in zip(CALLS, answers, strict=True)
    }


def test_a_recording_replays_with_the_same_answers_and_no_network(upstreams: Behind, tmp_path: Path) -> None:
    _, answers = record(upstreams, tmp_path)
    upstreams.external.requests.clear()
    nobody = fake_registry(upstreams).replace(f":{upstreams.external.port}/", f":{upstreams.refused}/")
    args = ("-S", str(tmp_path / "flows.mitm"), *REPLAY)
    with mitmdump(upstreams, tmp_path / "replay", *args, registry=nobody) as gateway:
        again = [call(gateway, *which) for which in CALLS]
    assert [still(answer) for answer in again] == [still(answer) for answer in answers]
    assert not upstreams.posts()


def test_an_edited_answer_reaches_the_client_in_its_dialect(upstreams: Behind, tmp_path: Path) -> None:
    """What a person or an addon edits is the provider's answer, as the flow shows it."""
    (tmp_path / "edit.py").write_text(EDIT)
    with mitmdump(upstreams, tmp_path / "edited", "-s", str(tmp_path / "edit.py")) as gateway:
        for client, provider in PAIRS:
            said = say(gateway.url, client, f"only-{provider}/m", stream=False)
            assert said.text == "".join(WORDS).replace("Patchbay", "An edited answer"), (client, provider)
