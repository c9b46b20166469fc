"""The fault wall: statuses that a provider refuses with, and that are for the client or for another provider (F21–F24).

Every case has a provider of its own, and a route ``NAME-pair`` with a healthy one behind it. What `SECOND` answers is
translated for two of the three dialects, so that failing over goes through both kinds of answer.
"""

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from tests.fake_answers import echo_credentials, json_answer, speak
from tests.fake_dialects import Json, anthropic_error, error_body
from tests.fake_requests import Request
from tests.fake_steps import Head, Headers, Script
from tests.fake_upstream import Answer
from tests.rig_gateway import DIALECTS, KEYS, WAYS, Behind, Gateway, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_wall import (
    EVERY_WAY,
    FORM_NAMES,
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

LIMITED = Told(429, None, "rate_limited", retry_after=True)
UNTIMED = Told(429, None, "rate_limited")
KEY_REFUSED = Told(502, "upstream_auth", "upstream_http_error")
FAR = 30  # seconds: beyond the deadline of every case, so that nobody waits for it within the call


def in_an_hour(_: Request) -> Headers:
    return (("retry-after", formatdate(time.time() + 3600, usegmt=True)),)


def soon(_: Request) -> Headers:
    return (("retry-after", formatdate(time.time() + FAR, usegmt=True)),)


def always(*headers: tuple[str, str]) -> Callable[[Request], Headers]:
    return lambda _: headers


# how the wait is spelled → the headers, and between what the client's retry-after lies (None: it has none)
SPELLINGS: dict[str, tuple[Callable[[Request], Headers], tuple[int, int] | None]] = {
    "seconds": (always(("retry-after", str(FAR))), (FAR, FAR)),
    "date": (soon, (FAR - 5, FAR + 1)),
    "far-date": (in_an_hour, (120, 120)),
    "milliseconds": (always(("retry-after-ms", "30500"), ("retry-after", "99")), (31, 31)),
    "reset": (always(("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "45s")), (45, 45)),
    "garbage": (always(("retry-after", "as soon as we feel like it")), None),
    "years": (always(("retry-after", "1000000000")), (120, 120)),
}
CLIENTS_OWN = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
}
CASES = [
    *(f"f21-{spelling}" for spelling in SPELLINGS),
    *("f21-wait", "f22", "f23-401", "f23-403", "f24-long"),
    *(f"f24-{status}" for status in CLIENTS_OWN),
]


def name_of(case: str, dialect: str, stream: bool) -> str:
    """The provider that no other call has met."""
    return f"{case}-{dialect}-{FORM_NAMES[stream]}"


NAMES = [name_of(case, dialect, stream) for case in CASES for dialect, stream in EVERY_WAY]
TRANSLATED = [name_of(case, dialect, stream) for case in ("t21", "t22") for dialect, stream in EVERY_WAY]


@pytest.fixture(name="walled", scope="module", params=WAYS)
def fixture_walled(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    one_dialect = (entry(name, f"{all_upstreams.external.url}/{name}/v1", dialects=["chat"]) for name in TRANSLATED)
    registry = wall_registry(all_upstreams, NAMES, entries="".join(one_dialect))
    folder, env = tmp_path_factory.mktemp("answers"), {"PATCHBAY_ATTEMPTS": "3"}
    with run_gateway(str(request.param), all_upstreams, folder, registry=registry, env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output
        assert "crashed" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(walled: Gateway, upstreams: Behind) -> Gateway:
    assert walled.behind is upstreams
    return walled


def in_words(dialect: str, message: str, kind: str, code: str | None = None) -> Json:
    return anthropic_error(message, kind) if dialect == "messages" else error_body(message, type_=kind, code=code)


def limited(dialect: str, headers: Callable[[Request], Headers]) -> Answer:
    payload = in_words(dialect, "Slow down", "rate_limit_error", "rate_limit_exceeded")
    return lambda request: json_answer(payload, 429, headers(request))


def assert_passed_over(gateway: Gateway, name: str, dialect: str, *, stream: bool) -> None:
    """The next call does not ask that provider again."""
    before = len(gateway.behind.posts())
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    assert_healthy(heard, provider=SECOND, tries=1)
    assert f"{name} was passed over" in (heard.answer.get("x-patchbay-reason") or "")
    assert len(gateway.behind.posts()) == before + 1


def assert_taken_over(heard: Heard, name: str, outcome: str) -> None:
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, outcome), (SECOND, "ok")])


# ---------------------------------------------------------------------------------------------------- F21: rate limits


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_rate_limit_leads_elsewhere_or_is_told_with_its_wait(
    gateway: Gateway, spelling: str, dialect: str, stream: bool
) -> None:
    headers, between = SPELLINGS[spelling]
    name = name_of(f"f21-{spelling}", dialect, stream)
    gateway.external.on(path(name, dialect), limited(dialect, headers))
    alone = call(gateway, dialect, f"{name}/m", stream=stream)
    error = assert_refused(alone, LIMITED if between else UNTIMED, tries=1)
    assert error["message"] == "Slow down"
    assert error["type"] == "rate_limit_error"
    if between:
        assert between[0] <= int(alone.answer.get("retry-after") or 0) <= between[1]
    assert_kept(alone, "rate_limited", [(name, "rate_limited")], who="upstream")
    assert_passed_over(gateway, name, dialect, stream=stream)


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_rate_limited_provider_is_left_at_once_for_the_next(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("f21-wait", dialect, stream)
    gateway.external.on(path(name, dialect), limited(dialect, always(("retry-after", "1"))))
    began = time.monotonic()
    assert_taken_over(call(gateway, dialect, f"{name}-pair", stream=stream), name, "rate_limited")
    assert time.monotonic() - began < 1  # it did not wait first


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_a_short_wait_is_made_where_nobody_else_can_be_asked(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("f21-wait", dialect, stream)
    gateway.external.on(path(name, dialect), limited(dialect, always(("retry-after-ms", "200"))), speak)
    began = time.monotonic()
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert time.monotonic() - began >= 0.2
    assert_healthy(heard, provider=name, tries=2)
    assert_kept(heard, "ok", [(name, "rate_limited"), (name, "ok")])


@pytest.mark.parametrize(("dialect", "stream"), [way for way in EVERY_WAY if way[0] != "chat"])
def test_a_rate_limit_of_another_dialect_is_told_in_the_clients(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("t21", dialect, stream)
    gateway.external.on(path(name, "chat"), limited("chat", always(("retry-after", str(FAR)))))
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    told = Told(429, "rate_limit_exceeded", "rate_limited", retry_after=True)
    assert assert_refused(heard, told, tries=1)["message"] == "Slow down"
    assert heard.answer.get("retry-after") == str(FAR)
    assert_kept(heard, "rate_limited", [(name, "rate_limited")])


# ------------------------------------------------------------------------------------------------ F22: an empty account


def broke(dialect: str) -> Script:
    """No wait is told: none would help."""
    kind = "billing_error" if dialect == "messages" else "insufficient_quota"
    return json_answer(in_words(dialect, "You have no credit left", kind, "insufficient_quota"), 429)


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_an_empty_account_is_never_asked_again(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("f22", dialect, stream)
    gateway.external.on(path(name, dialect), broke(dialect))
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    assert_taken_over(heard, name, "rate_limited")
    assert_passed_over(gateway, name, dialect, stream=stream)
    alone = call(gateway, dialect, f"{name}/m", stream=stream)
    code = None if dialect == "messages" else "insufficient_quota"
    assert assert_refused(alone, Told(429, code, "rate_limited"), tries=1)["message"] == "You have no credit left"
    assert_kept(alone, "rate_limited", [(name, "rate_limited")])


@pytest.mark.parametrize(("dialect", "stream"), [way for way in EVERY_WAY if way[0] != "chat"])
def test_an_empty_account_has_its_code_in_every_dialect(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = name_of("t22", dialect, stream)
    gateway.external.on(path(name, "chat"), broke("chat"))
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert_refused(heard, Told(429, "insufficient_quota", "rate_limited"), tries=1)
    assert len(gateway.behind.posts()) == 1


# ------------------------------------------------------------------------------------------------ F23: our key is bad


def refused_key(status: int) -> Answer:
    def answer(request: Request) -> Script:
        head, *rest = echo_credentials(request)
        assert isinstance(head, Head)
        return Head(status, head.headers), *rest

    return answer


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_of_ours_is_never_the_clients_fault(
    gateway: Gateway, status: int, dialect: str, stream: bool
) -> None:
    name = name_of(f"f23-{status}", dialect, stream)
    gateway.external.on(path(name, dialect), refused_key(status))
    assert_taken_over(call(gateway, dialect, f"{name}-pair", stream=stream), name, "upstream_http_error")
    assert KEYS["HASTY_API_KEY"] in repr(gateway.behind.posts()[0].headers)
    assert_passed_over(gateway, name, dialect, stream=stream)
    alone = call(gateway, dialect, f"{name}/m", stream=stream)
    error = assert_refused(alone, KEY_REFUSED, tries=1)
    assert f"{name} refused the key" in error["message"]
    row = assert_kept(alone, "upstream_http_error", [(name, "upstream_http_error")])
    assert KEYS["HASTY_API_KEY"] not in repr((row, alone.attempts()))


# ------------------------------------------------------------------------------------------ F24: the client's own fault


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("status", CLIENTS_OWN)
def test_what_is_the_clients_own_fault_goes_nowhere_else(
    gateway: Gateway, status: int, dialect: str, stream: bool
) -> None:
    name = name_of(f"f24-{status}", dialect, stream)
    payload = in_words(dialect, "That cannot be asked", CLIENTS_OWN[status], "bad_number")
    gateway.external.on(path(name, dialect), json_answer(payload, status))
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    assert_refused(heard, Told(status, None, "upstream_http_error"), tries=1)
    assert heard.answer.json() == payload
    assert len(gateway.behind.posts()) == 1
    assert_kept(heard, "upstream_http_error", [(name, "upstream_http_error")], who="upstream")


@pytest.mark.parametrize("stream", FORM_NAMES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_prompt_that_is_too_long_keeps_the_words_that_clients_act_on(
    gateway: Gateway, dialect: str, stream: bool
) -> None:
    name = name_of("f24-long", dialect, stream)
    message = {"messages": "prompt is too long: 900 tokens > 500 maximum"}.get(dialect, "Too many tokens")
    payload = in_words(dialect, message, "invalid_request_error", "context_length_exceeded")
    gateway.external.on(path(name, dialect), json_answer(payload, 400))
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    code = None if dialect == "messages" else "context_length_exceeded"
    assert assert_refused(heard, Told(400, code, "upstream_http_error"), tries=1)["message"] == message
    assert len(gateway.behind.posts()) == 1
