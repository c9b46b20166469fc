"""What is said of a provider, by what is known of it."""

import json
from collections.abc import Sequence

import pytest

from addons.provider_health import ProviderHealth, resting
from providers.addresses import parse_base_url
from providers.llamacpp import LlamaCpp
from providers.openai import OpenAI
from providers.places import NO_LIMIT
from providers.pool.breaker import Circuit, CircuitState
from providers.pool.bulkhead import Load
from providers.pool.trouble import State, Trouble
from providers.probing import FRESH, Found, Seen, Slots
from providers.provider import Provider, Replica
from providers.virtual import Demo

SECOND = 1_000_000
NOW = 1000 * SECOND
ONE, TWO = (Replica(parse_base_url(f"http://127.0.0.1:900{n}")) for n in (1, 2))
LONE = LlamaCpp(name="lone", base_url=ONE.name)
GPU = LlamaCpp(name="gpu", base_url=ONE.name, endpoints=(ONE, TWO))
KEYLESS = OpenAI(name="openai", base_url="https://openai.example/v1", problem="no key: set OPENAI_API_KEY")
W, L, A, F, S = Found.WELL, Found.LOADING, Found.AWAY, Found.FAILING, Found.SILENT


def opened(server: Replica, cause: str = "refused", state: State = State.OPEN) -> CircuitState:
    return CircuitState(Circuit("x", server.name, "ours"), state, cause, 1_500_000, 2, {"reset": 1})


def known(
    provider: Provider,
    *found: Found | None,
    breakers: Sequence[CircuitState] = (),
    unlisted: bool = False,
    age: int = SECOND,
) -> ProviderHealth:
    seen = {
        server.name: Seen(one, NOW - age, 1250)
        for server, one in zip(provider.replicas, found, strict=False)
        if one is not None
    }
    return ProviderHealth(provider=provider, unlisted=unlisted, breakers=breakers, now=NOW, seen=seen)


AWAY, LOADING = "gpu cannot be reached.", "gpu is loading its model."
UNWELL = "gpu does not answer well when it is asked how it is."
ONE_AWAY = "1 of 2 servers of gpu cannot be reached."


@pytest.mark.parametrize(
    ("health", "state", "reasons"),
    [
        (known(GPU), "ready", []),
        (known(GPU, W, W), "ready", []),
        (known(GPU, W), "ready", []),
        (known(GPU, L, L), "loading", [LOADING]),
        (known(GPU, L, W), "ready", []),
        (known(GPU, L, L, age=FRESH), "ready", []),
        (known(GPU, A, A), "unreachable", [AWAY]),
        (known(GPU, A, A, age=FRESH), "ready", []),
        (known(GPU, A, W), "ready", [ONE_AWAY]),
        (known(GPU, None, A), "ready", [ONE_AWAY]),
        (known(GPU, A, breakers=[opened(TWO)]), "unreachable", [AWAY]),
        (known(GPU, breakers=[opened(ONE), opened(TWO)]), "unreachable", [AWAY]),
        (known(GPU, breakers=[opened(ONE), opened(TWO, "overload")]), "ready", []),
        (known(GPU, breakers=[opened(ONE), opened(TWO, state=State.HALF_OPEN)]), "ready", []),
        (known(GPU, F, S), "ready", [UNWELL]),
        (known(GPU, A, F), "ready", [UNWELL]),
        (known(GPU, F, W), "ready", []),
        (known(GPU, unlisted=True), "unreachable", [AWAY]),
        (known(GPU, W, unlisted=True), "ready", []),  # it was asked since
        (known(GPU, A, unlisted=True), "unreachable", [AWAY]),
        (known(KEYLESS, unlisted=True), "no key", []),
        (known(KEYLESS, A), "no key", []),
        (known(Demo(name="demo")), "ready", []),
    ],
    ids=repr,
)
def test_how_a_provider_is(health: ProviderHealth, state: str, reasons: list[str]) -> None:
    assert (health.state(), list(health.reasons())) == (state, reasons)


def test_everything_is_shown_by_number_and_nothing_by_address() -> None:
    health = ProviderHealth(
        provider=GPU,
        unlisted=False,
        breakers=[opened(TWO), opened(Replica(parse_base_url("http://gone:1")))],
        now=NOW,
        seen={ONE.name: Seen(W, NOW - 2_340_000, 1250, Slots(4, 1))},
        loads={ONE.name: Load(1, 2, 3, 4, 5, 6, 7), TWO.name: Load(1, 0, NO_LIMIT, 0, 1, 0, 0)},
    )
    breaker = {"state": "open", "cause": "refused", "wait_seconds": 1.5, "openings": 2, "failures": {"reset": 1}}
    assert health.shown() == {
        "name": "gpu",
        "state": "ready",
        "servers": [
            {
                "server": 1,
                "probe": {
                    "found": "well",
                    "seconds_ago": 2.3,
                    "latency_ms": 1.2,
                    "slots": {"total": 4, "busy": 1},
                },
                "calls": {"in_flight": 1, "limit": 3, "queued": 2, "room": 4},
            },
            {"server": 2, "probe": None, "calls": {"in_flight": 1, "limit": None, "queued": 0, "room": 0}},
        ],
        "breakers": [{"server": 2, **breaker}, breaker],
    }
    assert "127.0.0.1" not in json.dumps(health.shown())


def test_an_only_server_needs_no_number() -> None:
    assert known(LONE, S).shown()["servers"] == [{"probe": {"found": "silent", "seconds_ago": 1.0, "latency_ms": 1.2}}]
    assert known(KEYLESS).shown()["servers"] == []


def waiting(name: str, server: Replica, cause: str, wait_us: int, state: State = State.OPEN) -> CircuitState:
    return CircuitState(Circuit(name, server.name), state, cause, wait_us, 1, {})


FAILED = "{} has failed of late and is left alone for a while."


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Trouble.AUTH, "a refuses its key; the log says which variable to look at."),
        (Trouble.SPEND_LIMIT, "a says that the money or the quota behind its key is spent."),
        (Trouble.RATE_LIMIT, "a limits our rate for 30 more seconds."),
        *((cause, FAILED.format("a")) for cause in Trouble if cause not in ("auth", "spend_limit", "rate_limit")),
    ],
)
def test_why_a_provider_is_left_alone(cause: Trouble, said: str) -> None:
    assert resting([waiting("a", ONE, cause, 29_100_000)]) == [said]


def test_it_is_said_once_for_each_provider_and_cause() -> None:
    assert resting(
        [
            waiting("b", ONE, "refused", 1),
            waiting("b", TWO, "reset", 1),
            waiting("a", ONE, "rate_limit", 2_000_000),
            waiting("a", TWO, "rate_limit", 1_000_000),
            waiting("a", TWO, "timeout", 1),
            waiting("c", ONE, "auth", 0, State.HALF_OPEN),
        ]
    ) == [FAILED.format("a"), "a limits our rate for 2 more seconds.", FAILED.format("b")]
