"""The fault wall: what is asserted of every call that meets a fault, whatever the fault was.

A case has a provider of its own (`entry`, `wall_registry`), so that no other case has opened its breaker; `call` makes
the call, and one of `assert_refused`, `assert_broken_off` and `assert_healthy` judges everything the client got, with
the official SDK's models, and with the SDK itself: it is shown the very bytes that the client was sent.
`assert_kept` judges what the product keeps of the call.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from anthropic.types import ErrorResponse
from openai.types.responses import ResponseErrorEvent
from openai.types.shared import ErrorObject

from tests.fake_dialects import WORDS
from tests.rig_client import Json, RawAnswer, exchange, query
from tests.rig_gateway import DIALECTS, KEYS, Behind, Gateway, ask, assert_error_shape, assert_told_in_dialect
from tests.rig_sdk import sdk_class, sdk_hears

FORMS = (False, True)
FORM_NAMES = {False: "plain", True: "stream"}
# Every dialect and form: `@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)`.
EVERY_WAY = [(dialect, stream) for dialect in DIALECTS for stream in FORMS]
# Stands in whatever a broken upstream writes that is for nobody: no client may ever read it.
LEAK = "upstream-host.internal"
SHORT = "{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}"  # deadlines of a case's provider, seconds
SECOND = "groq"  # who stands behind every case's provider: it is healthy, and speaks chat alone


# ------------------------------------------------------------------------------------------------------- the registry


def entry(name: str, base_url: str, *, deadlines: str = SHORT, dialects: Sequence[str] = DIALECTS) -> str:
    """A provider with one model ``m``, as lines of registry.yaml; its key is `HASTY_API_KEY`."""
    return (
        f"  {name}:\n    kind: compatible\n    base_url: {base_url}\n    api_key: ${{HASTY_API_KEY}}\n"
        f"    dialects: [{', '.join(dialects)}]\n    models: [m]\n    deadlines: {deadlines}\n"
    )


def wall_registry(upstreams: Behind, names: Iterable[str], *, entries: str = "", models: str = "") -> str:
    """The standard registry with a provider for each name, at the external upstream under ``/NAME/v1``.

    ``entries`` are more providers, ``models`` more routes, both as lines of YAML. Each name has a route ``NAME-pair``:
    that provider, then `SECOND`.
    """
    names = list(names)
    own = "".join(entry(name, f"{upstreams.external.url}/{name}/v1") for name in names)
    pairs = "".join(f"  {name}-pair: {{targets: [{name}/m, {SECOND}/some-model]}}\n" for name in names)
    return upstreams.registry().replace("models:\n", own + entries + "models:\n", 1) + pairs + models


def own_name(fault: str, dialect: str, stream: bool, kind: str = "alone") -> str:
    """The provider of one case, which no other case shares: neither its breaker nor its retry budget has a past."""
    return f"{fault.replace(' ', '_')}-{dialect}-{FORM_NAMES[stream]}-{kind}"


def own_names(faults: Iterable[str], kind: str = "alone") -> list[str]:
    """The providers of these faults, in every dialect and form."""
    return [own_name(fault, *way, kind) for fault in faults for way in EVERY_WAY]


def path(name: str, dialect: str) -> str:
    """Where the provider of a case is asked."""
    return f"/{name}/v1{ask(dialect, '')[0].removeprefix('/v1')}"


# -------------------------------------------------------------------------------------------------------- the client


@dataclass(frozen=True, slots=True)
class Told:
    """What a failed call comes to.

    ``status`` is what an OpenAI client gets (an Anthropic client's is 529 where that is 503), ``code`` the stable word
    for it (None: the provider's own affair), ``outcome`` what is recorded. ``retry_after``: a sane wait is told.
    """

    status: int
    code: str | None
    outcome: str
    retry_after: bool = False

    def status_in(self, dialect: str) -> int:
        """The status that a client of this dialect gets."""
        return 529 if dialect == "messages" and self.status == 503 else self.status


@dataclass(frozen=True, slots=True)
class Heard:
    """One call, and its answer as the client got it."""

    gateway: Gateway
    dialect: str
    stream: bool
    answer: RawAnswer

    @property
    def id(self) -> str:
        """The exchange's id."""
        return self.answer.get("x-patchbay-id") or ""

    def sdk(self) -> str | Exception:
        """What the dialect's SDK makes of it: the text it reads, or what it raises."""
        return sdk_hears(self.answer, self.dialect, stream=self.stream)

    def row(self) -> Json:
        """What is recorded of the call, once it is complete."""
        return exchange(self.gateway.database, self.id)

    def attempts(self) -> list[Json]:
        """What is recorded of its tries, in order."""
        self.row()
        return query(self.gateway.database, "select * from attempts where exchange_id = ? order by number", self.id)


def call(gateway: Gateway, dialect: str, model: str, *, stream: bool, **more: Any) -> Heard:
    """Ask in a dialect; ``more`` are further parameters of the body."""
    return Heard(gateway, dialect, stream, gateway.post(*ask(dialect, model, stream=stream, **more)))


def assert_refused(heard: Heard, told: Told, *, tries: int | None = None) -> Json:
    """Nothing but an error was sent: a real status, a body of the dialect, and the dialect's SDK raises.

    ``tries`` is how often a provider was asked; after more than once, no client may try again by itself. Returns the
    error object.
    """
    answer = heard.answer
    assert answer.whole
    error = assert_told_in_dialect(answer, heard.dialect, heard.gateway.behind, told.status_in(heard.dialect))
    _assert_error_model(answer.json(), heard.dialect)
    assert_no_leak(heard)
    assert code_of(error) == told.code or told.code is None, error
    _assert_head(heard, told, tries)
    raised = heard.sdk()
    assert isinstance(raised, openai.APIStatusError | anthropic.APIStatusError), raised
    assert isinstance(raised, sdk_class(heard.dialect, answer.status)), raised
    assert raised.status_code == answer.status
    return error


def assert_broken_off(heard: Heard, told: Told, *, sent: Sequence[bytes] = ()) -> Json:
    """The stream had begun with the events ``sent`` and ends with an error event: never cleanly, never silently."""
    answer = heard.answer
    assert answer.status == 200
    assert answer.body.startswith(b"".join(sent)), answer.body
    rest = answer.body[len(b"".join(sent)) :]
    assert not any(end in rest for end in (b"[DONE]", b"message_stop", b"response.completed")), rest
    last = [json.loads(line[5:]) for line in rest.splitlines() if line.startswith(b"data:")][-1]
    _assert_error_model(last, heard.dialect, in_stream=True)
    # The event of the responses dialect has a type on top, which an error body has not.
    error = assert_error_shape({"error": last["error"]} if heard.dialect == "responses" else last, heard.dialect)
    assert code_of(error) == told.code or told.code is None, error
    assert_no_leak(heard)
    _assert_id(heard)
    assert isinstance(heard.sdk(), openai.APIError | anthropic.APIError)
    return error


def assert_healthy(heard: Heard, *, provider: str | None = None, tries: int | None = None) -> None:
    """The whole answer of the fake upstream, in the client's dialect and form; the SDK reads every word of it."""
    answer = heard.answer
    assert answer.status == 200, answer.body
    assert answer.whole
    assert_no_leak(heard)
    assert heard.sdk() == "".join(WORDS)
    _assert_id(heard)
    assert provider is None or answer.get("x-patchbay-provider") == provider
    assert tries is None or answer.get("x-patchbay-attempts") == str(tries)


def assert_no_leak(heard: Heard) -> None:
    """Nothing of the house, and nothing that a broken upstream wrote, is in the answer."""
    seen = repr((heard.answer.headers, heard.answer.body)).lower()
    for secret in (LEAK, "mitmproxy", "<html", "traceback", *heard.gateway.behind.addresses(), *KEYS.values()):
        assert secret.lower() not in seen, (secret, heard.answer)


def code_of(error: Json) -> str | None:
    """The stable word of an error, wherever its dialect keeps such."""
    found = error["code"] if "code" in error else error.get("details", {}).get("error_code")
    return None if found is None else str(found)


# -------------------------------------------------------------------------------------------- what the product keeps


def assert_kept(heard: Heard, outcome: str, attempts: Sequence[tuple[str, str]], *, who: str | None = None) -> Json:
    """What is kept of a call: its row, and a row for each try, ``(provider, outcome)``. Returns the call's row.

    The one place for everything that a call leaves behind: what is counted of it is to be asserted here, too.
    """
    row = heard.row()
    kept = [(attempt["provider"], attempt["outcome"]) for attempt in heard.attempts()]
    assert (row["outcome"], kept) == (outcome, list(attempts)), (row, heard.attempts())
    assert row["status"] == heard.answer.status
    assert (row["dialect"], bool(row["stream"])) == (heard.dialect, heard.stream)
    assert row["bytes_out"] == len(heard.answer.body)
    assert row["provider"] == attempts[-1][0] if attempts else row["provider"]
    assert who is None or row["who_ended"] == who
    if outcome != "ok":
        assert row["error"], row
    return row


# ----------------------------------------------------------------------------------------------------------- details


def _assert_error_model(payload: Json, dialect: str, *, in_stream: bool = False) -> None:
    """The payload is what the SDK's own types say an error is."""
    if dialect == "messages":
        assert ErrorResponse.model_validate(payload, strict=True).request_id
        return
    ErrorObject.model_validate(payload["error"], strict=True)
    if in_stream and dialect == "responses" and "sequence_number" in payload:
        ResponseErrorEvent.model_validate(payload, strict=True)


def _assert_head(heard: Heard, told: Told, tries: int | None) -> None:
    _assert_id(heard)
    answer = heard.answer
    wait = answer.get("retry-after")
    assert (wait is not None) is told.retry_after, answer.headers
    assert wait is None or 1 <= int(wait) <= 120
    if tries is not None:
        assert answer.get("x-patchbay-attempts") == str(tries)
        hopeless = tries > 1 or told.code == "upstream_auth"
        assert answer.get("x-should-retry") == ("false" if hopeless else None)


def _assert_id(heard: Heard) -> None:
    assert heard.id
    assert heard.answer.get("x-request-id")
