"""A stream that breaks off goes on at the next target: the official clients get one whole answer, or they raise."""

import json
from collections.abc import Callable, Iterator, Sequence

import pytest
from click.testing import CliRunner

from scripts.cli import cli
from tests.fake_answers import CHUNKED, SSE, json_answer, streamed
from tests.fake_dialects import Tool, chat_events, error_body, messages_events, responses_events
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Head, Reset, Script, Sleep, Stall, Step
from tests.rig_client import Json, finished, query
from tests.rig_gateway import DIALECTS, SDK_ERRORS, WAYS, Behind, Gateway, ask, run_gateway
from tests.rig_translation import say

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
WORDS = tuple(f" word{number}" for number in range(60))
SAID = WORDS[:40]
TOOL: Tool = ("get_weather", {"location": "Ulm"})
# Each test has a first provider of its own, so that no other test has opened its breaker.
CUTS = [f"{end}-{client}-{second}" for end in ("reset", "stall", "error") for client in DIALECTS for second in DIALECTS]
FIRSTS = (*CUTS, "tool", "denied", "stubborn", "show")
PROVIDER = """\
  {name}:
    kind: compatible
    base_url: {external}/{name}/v1
    api_key: ${{HASTY_API_KEY}}
    dialects: [{dialects}]
    models: [m]
    quirks: {{accepts_prefill: {prefill}}}
    deadlines: {{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 6}}
"""


def registry(upstreams: Behind) -> str:
    """``FIRST-DIALECT`` is a first provider, and one behind it that goes on in that dialect."""
    external = upstreams.external.url
    seconds = {f"on-{dialect}": dialect for dialect in DIALECTS}
    providers = [
        *(PROVIDER.format(name=n, external=external, dialects=", ".join(DIALECTS), prefill="false") for n in FIRSTS),
        *(PROVIDER.format(name=n, external=external, dialects=d, prefill="true") for n, d in seconds.items()),
        PROVIDER.format(name="not-on", external=external, dialects="chat", prefill="false"),
    ]
    models = [
        f"  {first}-{dialect}: {{targets: [{first}/m, on-{dialect}/m], rescue: prefill}}\n"
        for first in FIRSTS
        for dialect in DIALECTS
    ]
    models.append("  nobody: {targets: [stubborn/m, not-on/m], rescue: prefill}\n")
    return upstreams.registry().replace("models:\n", "".join(providers) + "models:\n", 1) + "".join(models)


def path(name: str, dialect: str) -> str:
    """Where a provider is asked."""
    return f"/{name}/v1{ask(dialect, '')[0].removeprefix('/v1')}"


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("rescue")
    env = {"PATCHBAY_ATTEMPTS": "3"}
    with run_gateway(str(request.param), all_upstreams, folder, registry=registry(all_upstreams), env=env) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


def breaking(dialect: str, end: Sequence[Step], *, tools: Sequence[Tool] = ()) -> Script:
    """A stream that breaks off after forty words, or where its tool call has begun."""
    events = EVENTS[dialect](SAID if tools else WORDS, tools=tools)
    last = b"get_weather" if tools else b'" word39"'
    stop = next(at for at, event in enumerate(events) if last in event)
    return (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events[: stop + 1]), *end)


ERROR = Chunk(b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"it broke"}}\n\n')
RESET = (Sleep(0.1), Reset())  # at once, it would take back what has been sent
ENDS: dict[str, tuple[Step, ...]] = {"reset": RESET, "stall": (Stall(),), "error": (ERROR, Stall())}


def row_of(gateway: Gateway, client: str, model: str) -> Json:
    """The one call of this model in this dialect, once it is recorded."""
    sql = "select * from exchanges where outcome is not null and dialect = ? and requested_model = ?"
    return finished(gateway.database, sql, client, model)[0]


def told(request: Request) -> str:
    """What a provider is told of the answer."""
    body = json.loads(request.body)
    last = (body.get("messages") or body["input"])[-1]
    assert last["role"] == "assistant"
    content = last["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def going_on(dialect: str) -> Callable[[Request], Script]:
    """Go on with an answer exactly where it is told to stand."""
    text = "".join(WORDS)

    def go_on(request: Request) -> Script:
        assert text.startswith(told(request))
        return streamed(EVENTS[dialect]([text[len(told(request)) :]]))

    return go_on


@pytest.mark.parametrize("second", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("end", ENDS)
def test_cut_at_40_of_60(gateway: Gateway, end: str, client: str, second: str) -> None:
    first = f"{end}-{client}-{second}"
    gateway.external.on(path(first, client), breaking(client, ENDS[end]))
    gateway.external.on(path(f"on-{second}", second), going_on(second))
    said = say(gateway.url, client, f"{first}-{second}", stream=True)
    assert said.text == "".join(WORDS)
    assert told(gateway.behind.posts()[-1]) == "".join(SAID)
    row = row_of(gateway, client, f"{first}-{second}")
    assert (row["outcome"], row["provider"], row["usage_source"]) == ("ok", f"on-{second}", "estimated")
    assert row["error"].startswith(f"rescued: on-{second} went on with {first}'s answer: ")
    assert (row["input_tokens"], row["output_tokens"]) == (said.usage[0], said.usage[2])
    assert row["output_tokens"] > len(SAID)
    tries = query(
        gateway.database, "select provider, outcome from attempts where exchange_id = ? order by number", row["id"]
    )
    assert [try_["provider"] for try_ in tries] == [first, f"on-{second}"]
    assert tries[1]["outcome"] == "ok"
    assert tries[0]["outcome"] != "ok"


@pytest.mark.parametrize("client", DIALECTS)
def test_a_tool_call_that_has_begun_is_not_gone_on_with(gateway: Gateway, client: str) -> None:
    gateway.external.on(path("tool", client), breaking(client, RESET, tools=[TOOL]))
    with pytest.raises(SDK_ERRORS):
        say(gateway.url, client, f"tool-{client}", stream=True)
    assert len(gateway.behind.posts()) == 1


@pytest.mark.parametrize("client", DIALECTS)
def test_one_that_refuses_the_prefill_leaves_the_first_error(gateway: Gateway, client: str) -> None:
    gateway.external.on(path("denied", client), breaking(client, RESET))
    gateway.external.on(path("on-messages", "messages"), json_answer(error_body("no prefill here"), 400))
    with pytest.raises(SDK_ERRORS, match="denied broke off"):
        say(gateway.url, client, "denied-messages", stream=True)
    assert len(gateway.behind.posts()) == 2


def test_nobody_takes_the_beginning(gateway: Gateway) -> None:
    gateway.external.on(path("stubborn", "chat"), breaking("chat", RESET))
    with pytest.raises(SDK_ERRORS, match="stubborn broke off"):
        say(gateway.url, "chat", "nobody", stream=True)
    assert len(gateway.behind.posts()) == 1


def test_show_tells_of_it(gateway: Gateway) -> None:
    gateway.external.on(path("show", "chat"), breaking("chat", RESET))
    gateway.external.on(path("on-chat", "chat"), going_on("chat"))
    say(gateway.url, "chat", "show-chat", stream=True)
    shown = CliRunner().invoke(cli, ["show", row_of(gateway, "chat", "show-chat")["id"], "--db", str(gateway.database)])
    assert "rescued: on-chat went on with show's answer" in shown.output, shown.output
    assert "upstream_truncated" in shown.output
