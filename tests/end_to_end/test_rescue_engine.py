"""A stream breaks off within a text, and a real llama.cpp goes on with it, in every dialect that it speaks."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.failing_primary import EVENTS
from tests.fake_answers import CHUNKED, SSE
from tests.fake_steps import Chunk, Head, Reset, Script, Sleep
from tests.rig_client import Json, finished, post
from tests.rig_gateway import DIALECTS, Behind, Gateway, run_gateway
from tests.rig_translation import PATHS, say
from tests.tiny_machine import REPLY

pytestmark = pytest.mark.engine

BEGUN = "Hello from the tiny test model. This text is fixed, it was "  # its last word is one that only goes on this way
PRIMARY = """\
  {name}:
    kind: compatible
    base_url: {external}/{name}/v1
    dialects: [{dialect}]
    models: [m]
"""
ENGINE = "  engine-{dialect}: {{kind: llamacpp, base_url: {engine}, dialects: [{dialect}]}}\n"


def registry(external: str, engine: str) -> str:
    """``of-CLIENT-FIRST-SECOND``: a primary of its own, and the engine behind it, each with its dialect."""
    providers = [ENGINE.format(dialect=dialect, engine=engine) for dialect in DIALECTS]
    models = []
    for client, first, second in product(DIALECTS, repeat=3):
        name = f"{client}-{first}-{second}"
        providers.append(PRIMARY.format(name=name, dialect=first, external=external))
        models.append(f"  of-{name}: {{targets: [{name}/m, engine-{second}/tiny], rescue: prefill}}\n")
    return f"providers:\n{''.join(providers)}models:\n{''.join(models)}"


@pytest.fixture(name="gateway", scope="module")
def fixture_gateway(all_upstreams: Behind, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    text, env = registry(all_upstreams.external.url, engine), {"PATCHBAY_ATTEMPTS": "3"}
    folder = tmp_path_factory.mktemp("rescue-engine")
    with run_gateway("serve", all_upstreams, folder, registry=text, env=env) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


def begins(dialect: str) -> Script:
    """The beginning of the text, word for word, then the connection is gone."""
    words = [f"{word} " for word in BEGUN.split()]
    events = EVENTS[dialect](words)
    last = next(at for at, event in enumerate(events) if b'"was "' in event)
    return (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events[: last + 1]), Sleep(0.1), Reset())


@pytest.mark.parametrize("second", DIALECTS)
@pytest.mark.parametrize("first", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_it_goes_on_at_the_real_engine(gateway: Gateway, client: str, first: str, second: str) -> None:
    name = f"{client}-{first}-{second}"
    gateway.external.on(f"/{name}/v1{PATHS[first]}", begins(first))
    assert say(gateway.url, client, f"of-{name}", stream=True).text == REPLY
    sql = "select * from exchanges where outcome is not null and requested_model = ?"
    row = finished(gateway.database, sql, f"of-{name}")[0]
    assert (row["outcome"], row["provider"], row["usage_source"]) == ("ok", f"engine-{second}", "estimated")
    assert row["error"].startswith(f"rescued: engine-{second} went on with {name}'s answer")


TURN = {"role": "user", "content": "Hello"}
PREFILL = [TURN, {"role": "assistant", "content": BEGUN.rstrip()}]
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": BEGUN.rstrip()}]}
ASKS: dict[str, Json] = {
    "chat": {"messages": PREFILL},
    "messages": {"messages": PREFILL, "max_tokens": 50},
    "responses": {"input": [TURN, ITEM]},
}


# What providers/llamacpp.py builds upon: the pieces of a stream are the rest alone, whether it is told not to think
# or not; a plain answer repeats what it was told.
@pytest.mark.parametrize("switch", [{}, {"chat_template_kwargs": {"enable_thinking": False}}], ids=["as is", "told"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_the_engine_does_with_the_beginning_of_its_answer(engine: str, dialect: str, switch: Json) -> None:
    port, path = int(engine.rpartition(":")[2]), f"/v1{PATHS[dialect]}"
    asked = {"model": "tiny", **ASKS[dialect], **switch}
    streamed = post(port, path, {**asked, "stream": True})
    plain = post(port, path, asked)
    assert (streamed.status, plain.status) == (200, 200)
    deltas = b"".join(line for line in streamed.body.splitlines() if b"delta" in line)
    assert b"written" in deltas
    assert b"Hello" not in deltas
    assert BEGUN.encode() in plain.body


def test_the_engine_refuses_two_beginnings(engine: str) -> None:
    asked = {"model": "tiny", "messages": [*PREFILL, {"role": "assistant", "content": "more"}]}
    answer = post(int(engine.rpartition(":")[2]), "/v1/chat/completions", asked)
    assert answer.status == 400
    assert "2 or more assistant messages" in answer.json()["error"]["message"]
