"""A primary fails in sixteen ways, and a healthy one stands behind it: what the official client of each dialect gets.

The table is `tests.sixteen_scenarios`. The clients repeat nothing by themselves. Waits are scaled by the registry's
deadlines: what passes is the same timer on the same path, only sooner. All cases are played at once, a few at a time;
each has a primary of its own, so that no other one has opened its breaker.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests.failing_primary import ANSWER, REFUSED, SAID, SECOND, WORDS, healthy, told
from tests.fake_answers import json_answer
from tests.fake_dialects import INPUT_TOKENS, error_body
from tests.fake_requests import Request
from tests.rig_client import Json, finished, query
from tests.rig_gateway import DIALECTS, SDK_ERRORS, Behind, Gateway, run_gateway
from tests.rig_translation import PATHS, chat_asks, openai_client, say
from tests.sixteen_scenarios import ROLES, SCENARIOS, Scenario

GENEROUS = {"connect": 5, "head": 20, "first_content": 20, "gap": 20, "total": 40}
AT_ONCE = 6
OTHER = """\
  {role}-{dialect}:
    kind: compatible
    base_url: {url}/{role}-{dialect}/v1
    dialects: [{dialect}]
    models: [m]
    quirks: {{accepts_prefill: {prefill}}}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table, for a client and a primary of these dialects; ``name`` is the primary's."""

    name: str
    scenario: Scenario
    client: str
    dialect: str
    stream: bool

    @property
    def id(self) -> str:
        """What the test is called."""
        return f"{self.scenario.name}-{self.name}"

    @property
    def behind(self) -> str:
        """What the others speak: where the primary is translated, the client's own dialect, else a different one."""
        if self.dialect != self.client:
            return self.client
        return DIALECTS[(DIALECTS.index(self.client) + 1) % len(DIALECTS)]

    @property
    def text(self) -> str:
        """What the client asks: providers are told whose call it is."""
        return f"Say hello to {self.name}."

    def provider(self, role: str) -> str:
        """Who plays a role of the table."""
        return self.name if role == "primary" else f"{role}-{self.behind}"

    def entries(self, url: str) -> tuple[str, str]:
        """The primary and the route, as lines of the registry."""
        deadlines = ", ".join(f"{name}: {seconds}" for name, seconds in {**GENEROUS, **self.scenario.deadlines}.items())
        provider = (
            f"  {self.name}: {{kind: compatible, base_url: {url}/{self.name}/v1, dialects: [{self.dialect}], "
            f"models: [m], deadlines: {{{deadlines}}}}}\n"
        )
        route = self.scenario.route
        if "targets" not in route:
            route = ", ".join(filter(None, ("targets: [PRIMARY, SECOND]", route)))
        for role in ("primary", *ROLES):
            route = route.replace(role.upper(), f"{self.provider(role)}/m")
        return provider, f"  of-{self.name}: {{{route}}}\n"


CASES = tuple(
    Case(f"{number}-{client}-{dialect}-{'stream' if stream else 'plain'}.", scenario, client, dialect, stream)
    for number, scenario in enumerate(SCENARIOS, 1)
    for client in DIALECTS
    for dialect in scenario.dialects
    for stream in scenario.forms
)


@dataclass(frozen=True, slots=True)
class Played:
    """How a case went: what the client got (text and end, or what it raised), who was asked, and the record."""

    got: tuple[str, str] | Exception
    asked: list[Request]
    row: Json
    tries: list[tuple[str, str]]


def registry(url: str, cases: list[Case]) -> str:
    """The primaries of these cases, and who stands behind them."""
    entries = [case.entries(url) for case in cases]
    others = [
        OTHER.format(role=role, dialect=dialect, url=url, prefill=str(role != "stubborn").lower())
        for role in ROLES
        for dialect in DIALECTS
    ]
    providers = "".join([*others, *(provider for provider, _ in entries)])
    return f"providers:\n{providers}models:\n{''.join(route for _, route in entries)}"


def script(upstreams: Behind, cases: list[Case]) -> None:
    """Have every provider play its part."""
    upstreams.external.reset()
    refusal = json_answer(error_body("This model does not support assistant message prefill."), 400)
    for dialect, path in PATHS.items():
        for role in ROLES:
            upstreams.external.on(f"/{role}-{dialect}/v1{path}", refusal if role == "refusing" else healthy(dialect))
    for case in cases:
        replies = (reply(case.dialect, case.stream) for reply in case.scenario.primary)
        upstreams.external.on(f"/{case.name}/v1{PATHS[case.dialect]}", *replies)


def play(gateway: Gateway, case: Case) -> Played:
    """Make the call of a case, and wait for its record."""
    try:
        got: tuple[str, str] | Exception = hear(gateway, case)
    except (*SDK_ERRORS, ValueError) as error:  # what cannot be read passes as it came: the SDK's own parser raises
        got = error
    sql = "select * from exchanges where outcome is not null and requested_model = ?"
    row = finished(gateway.database, sql, f"of-{case.name}", seconds=20)[0]
    sql = "select provider, outcome from attempts where exchange_id = ? order by number"
    tries = [(try_["provider"], try_["outcome"]) for try_ in query(gateway.database, sql, row["id"])]
    asked = [request for request in gateway.behind.posts() if case.text.encode() in request.body]
    return Played(got, asked, row, tries)


def hear(gateway: Gateway, case: Case) -> tuple[str, str]:
    """The text and the end that the client's SDK gives; raises what it raises."""
    if case.scenario.finish and case.stream and case.client != "messages":
        return streamed_by_hand(gateway, case)
    said = say(gateway.url, case.client, f"of-{case.name}", case.text, stream=case.stream)
    return said.text, said.finish


def streamed_by_hand(gateway: Gateway, case: Case) -> tuple[str, str]:
    """The same of a stream: the helpers of the openai SDK raise at an answer that a filter has ended."""
    model = f"of-{case.name}"
    with openai_client(gateway.url) as client:
        if case.client == "chat":
            chunks = list(client.chat.completions.create(model=model, messages=chat_asks(case.text), stream=True))
            choices = [choice for chunk in chunks for choice in chunk.choices]
            ends = [choice.finish_reason for choice in choices if choice.finish_reason]
            return "".join(choice.delta.content or "" for choice in choices), "".join(ends)
        *_, last = client.responses.create(model=model, input=case.text, stream=True)
    assert last.type == "response.incomplete"
    return last.response.output_text, last.response.status or ""


@pytest.fixture(name="played", scope="module")
def fixture_played(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Played]]:
    """How the cases went that are asked for."""
    ours = (item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function))
    names = {item.callspec.id for item in ours}
    cases = [case for case in CASES if case.id in names]
    script(all_upstreams, cases)
    text, folder = registry(all_upstreams.external.url, cases), tmp_path_factory.mktemp("sixteen")
    with (
        run_gateway("serve", all_upstreams, folder, registry=text, env={"PATCHBAY_ATTEMPTS": "3"}) as gateway,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        yield dict(zip((case.name for case in cases), pool.map(partial(play, gateway), cases), strict=True))
        assert "Traceback" not in gateway.program.output


GOOD = {"chat": "stop", "messages": "end_turn", "responses": "completed"}
LENGTHS = {REFUSED: 1, ANSWER: len(SECOND), "".join(WORDS): len(WORDS)}  # in tokens, as providers count here


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_scenario(played: dict[str, Played], case: Case) -> None:
    went, scenario = played[case.name], case.scenario
    tries = [(case.provider(role), outcome) for role, outcome in scenario.tries]
    if scenario.text:
        assert went.got == (scenario.text, (scenario.finish or GOOD)[case.client])
        assert_counted(case, went)
    else:
        # Whatever it has got of the answer, the client is told: nothing short looks whole.
        assert isinstance(went.got, Exception)
        assert scenario.raises in str(went.got)
        assert went.row["outcome"] == tries[0][1]
        assert went.row["error"]
    # Each try is one call, in this order.
    assert [request.path.split("/")[1] for request in went.asked] == [provider for provider, _ in tries]
    assert went.tries == tries


def assert_counted(case: Case, went: Played) -> None:
    """The record says who answered, and counts what was used."""
    row = went.row
    assert (row["outcome"], row["status"], row["provider"]) == ("ok", 200, went.tries[-1][0])
    if case.scenario.rescued:
        # The broken one did not live to tell: what it used is estimated, and added to what the other one told.
        assert told(went.asked[-1]) == "".join(SAID)
        assert row["usage_source"] == "estimated"
        assert row["input_tokens"] > INPUT_TOKENS
        assert row["output_tokens"] > len(SAID)
    else:
        counted = (row["usage_source"], row["input_tokens"], row["output_tokens"])
        assert counted == ("upstream", INPUT_TOKENS, LENGTHS[case.scenario.text])
