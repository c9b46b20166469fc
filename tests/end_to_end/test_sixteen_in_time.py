"""The scenarios that last: a primary that flaps, and the real waits, unscaled; what the official clients get of it.

Short runs are bound to calls instead of to the clock. The long one is marked slow; its scenarios run side by side.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest
from click.testing import CliRunner

from scripts.cli import cli
from tests.failing_primary import ANSWER, SECOND, WORDS, asked_to_stream, good, healthy, refuses, says_late, stalls
from tests.fake_dialects import INPUT_TOKENS
from tests.fake_requests import Request
from tests.fake_steps import Reset, Script
from tests.rig_client import Json, finished, query
from tests.rig_gateway import DIALECTS, Behind, Gateway, run_gateway
from tests.rig_translation import PATHS, Said, say

WHOLE = "".join(WORDS)
PROVIDER = """\
  {name}:
    kind: compatible
    base_url: {url}/{name}/v1
    dialects: [{dialect}]
    models: [m]
    deadlines: {{{deadlines}}}
"""
SECOND_ONE = """\
  second-{dialect}:
    kind: compatible
    base_url: {url}/second-{dialect}/v1
    dialects: [{dialect}]
    models: [m]
    quirks: {{accepts_prefill: true}}
"""
# Each with the deadlines of its primary ("" are the defaults), and with what its route says beside the targets.
PRIMARIES = {
    "flaps": ("", "fallback_on: {{cut: second-{dialect}/m}}"),
    "flaps-long": ("", "fallback_on: {{cut: second-{dialect}/m}}"),
    "late": ("", ""),
    "late-named": ("first_content: 5", "fallback_on: {{stall: second-{dialect}/m}}"),
    "stalls": ("", ""),
    "stalls-rescued": ("gap: 20", "rescue: prefill"),
    "counted": ("", ""),
}


def registry(url: str) -> str:
    """``NAME-DIALECT`` is each of these in each dialect, as a provider and as a route."""
    providers, models = [], []
    for dialect in DIALECTS:
        providers.append(SECOND_ONE.format(dialect=dialect, url=url))
        for name, (deadlines, route) in PRIMARIES.items():
            own = f"{name}-{dialect}"
            providers.append(PROVIDER.format(name=own, url=url, dialect=dialect, deadlines=deadlines))
            more = ", ".join(filter(None, (f"targets: [{own}/m, second-{dialect}/m]", route.format(dialect=dialect))))
            models.append(f"  of-{own}: {{{more}}}\n")
    return f"providers:\n{''.join(providers)}models:\n{''.join(models)}"


@pytest.fixture(name="own", scope="module")
def fixture_own(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    text, env = registry(all_upstreams.external.url), {"PATCHBAY_ATTEMPTS": "3"}
    folder = tmp_path_factory.mktemp("in-time")
    with run_gateway("serve", all_upstreams, folder, registry=text, env=env) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    for dialect in DIALECTS:
        own.external.on(f"/second-{dialect}/v1{PATHS[dialect]}", healthy(dialect))
    return own


def primary(gateway: Gateway, name: str, dialect: str, answer: Callable[[Request], Script] | Script) -> str:
    """Have a primary play its part; the model to ask for."""
    gateway.external.on(f"/{name}-{dialect}/v1{PATHS[dialect]}", answer)
    return f"of-{name}-{dialect}"


def rows_of(gateway: Gateway, model: str, count: int) -> Sequence[Json]:
    """The records of so many calls."""
    sql = "select * from exchanges where outcome is not null and requested_model = ?"
    return finished(gateway.database, sql, model, count=count, seconds=20)


def calls_of(gateway: Gateway, name: str, dialect: str) -> int:
    """How often a primary was asked."""
    return sum(request.path.startswith(f"/{name}-{dialect}/") for request in gateway.behind.posts())


BAD = (refuses(500), lambda _dialect, _stream: (Reset(),), refuses(503), refuses(429, retry_after="1"))


def flaps(dialect: str, is_down: Callable[[], bool]) -> Callable[[Request], Script]:
    """A provider that fails in one way after the other while it is down."""
    turns = count()

    def answer(request: Request) -> Script:
        stream = asked_to_stream(request)
        if not is_down():
            return good(dialect, stream)
        script = BAD[next(turns) % len(BAD)](dialect, stream)
        assert isinstance(script, tuple)
        return script

    return answer


# Scaled: three calls up, three calls down.
@pytest.mark.parametrize("dialect", DIALECTS)
def test_15_a_primary_that_flaps_is_never_felt(gateway: Gateway, dialect: str) -> None:
    asked = count()
    model = primary(gateway, "flaps", dialect, flaps(dialect, lambda: next(asked) % 6 > 2))
    texts = [say(gateway.url, dialect, model, stream=bool(turn % 2)).text for turn in range(24)]
    assert set(texts) == {WHOLE, ANSWER}
    rows = rows_of(gateway, model, len(texts))
    assert {row["outcome"] for row in rows} == {"ok"}
    assert sum(row["output_tokens"] for row in rows) == sum(60 if text == WHOLE else len(SECOND) for text in texts)
    # Where it was down it was left alone soon: no call asked it three times.
    assert calls_of(gateway, "flaps", dialect) < 2 * len(texts)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_16_a_failover_is_counted_once(gateway: Gateway, dialect: str, stream: bool) -> None:
    model = primary(gateway, "counted", dialect, refuses(503)(dialect, stream))
    began = len(query(gateway.database, "select id from exchanges where requested_model = ?", model))
    said = say(gateway.url, dialect, model, stream=stream)
    row = rows_of(gateway, model, began + 1)[-1]
    assert (row["outcome"], row["provider"], row["model"]) == ("ok", f"second-{dialect}", "m")
    assert (row["input_tokens"], row["output_tokens"]) == (said.usage[0], said.usage[2]) == (INPUT_TOKENS, len(SECOND))
    tries = query(gateway.database, "select * from attempts where exchange_id = ? order by number", row["id"])
    assert [(try_["number"], try_["provider"], try_["status"], try_["outcome"]) for try_ in tries] == [
        (1, f"counted-{dialect}", 503, "upstream_http_error"),
        (2, f"second-{dialect}", 200, "ok"),
    ]
    assert all(0 < try_["duration_us"] <= row["duration_us"] for try_ in tries)
    assert tries[1]["bytes_in"] > 0
    shown = CliRunner().invoke(cli, ["show", row["id"], "--db", str(gateway.database)])
    assert f"counted-{dialect}" in shown.output, shown.output
    assert f"second-{dialect}" in shown.output


# Unscaled. The SDK gives up after 20 s without a byte: what it hears in between are signs of life.
def waits(gateway: Gateway, name: str, dialect: str, answer: Script) -> str:
    """What the SDK gets of a stream."""
    model = primary(gateway, name, dialect, answer)
    return say(gateway.url, dialect, model, stream=True).text


def flaps_for(gateway: Gateway, dialect: str, seconds: float, period: float) -> list[Said]:
    """Ask a primary that is up for a while and down for as long."""
    began = time.monotonic()
    is_down = flaps(dialect, lambda: int((time.monotonic() - began) / period) % 2 == 1)
    model = primary(gateway, "flaps-long", dialect, is_down)
    answers: list[Said] = []
    while time.monotonic() - began < seconds:
        answers.append(say(gateway.url, dialect, model, stream=bool(len(answers) % 2)))
        time.sleep(0.1)  # a user, not a load
    return answers


@pytest.mark.slow
def test_the_real_waits(gateway: Gateway) -> None:
    stories: dict[str, tuple[Callable[[str], Script], str]] = {
        "late": (partial(_late, 20.0), WHOLE),
        "late-named": (partial(_late, 20.0), ANSWER),
        "stalls": (partial(stalls, seconds=30.0), WHOLE),
        "stalls-rescued": (partial(stalls, seconds=30.0), WHOLE),
    }
    with ThreadPoolExecutor(len(DIALECTS) * (len(stories) + 1)) as pool:
        told = {
            (name, dialect): pool.submit(waits, gateway, name, dialect, script(dialect))
            for name, (script, _) in stories.items()
            for dialect in DIALECTS
        }
        flapping = {dialect: pool.submit(flaps_for, gateway, dialect, 60.0, 4.0) for dialect in DIALECTS}
    for (name, dialect), answer in told.items():
        assert answer.result() == stories[name][1], (name, dialect)
    for dialect, answers in flapping.items():
        assert {said.text for said in answers.result()} == {WHOLE, ANSWER}
        rows = rows_of(gateway, f"of-flaps-long-{dialect}", len(answers.result()))
        assert {row["outcome"] for row in rows} == {"ok"}


def _late(seconds: float, dialect: str) -> Script:
    script = says_late(seconds)(dialect, True)
    assert isinstance(script, tuple)
    return script
