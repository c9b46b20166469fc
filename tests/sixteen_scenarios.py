"""Sixteen ways in which a provider fails while a healthy one stands behind it: one table, a row for each right product.

Where the registry decides what is right (a rescue, a target that ``fallback_on`` names), a scenario has a row for each
of its answers. A row holds for every dialect of the client and of the provider, unless it says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.failing_primary import (
    ANSWER,
    REFUSED,
    WORDS,
    Reply,
    breaks,
    does,
    filtered,
    garbles,
    good,
    refuses,
    says_late,
    stalls,
    unfinished,
)
from tests.fake_steps import Reset, Sleep, Stall
from tests.rig_gateway import DIALECTS

RESET = (Sleep(0.1), Reset())  # at once, it would take back what has been sent
PLAIN, STREAM = (False,), (True,)
# Who stands behind the primary: the healthy one, the larger model, one of which the registry says that it takes no
# beginning of its answer, and one that refuses it when it is sent one.
ROLES = ("second", "large", "stubborn", "refusing")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A row.

    ``name``      begins with the number of the scenario
    ``primary``   what it does to its first call, its second one, …; the last repeats
    ``tries``     who is asked, and how that ends in the record (the roles are `ROLES`, and the primary)
    ``text``      what the client's SDK gets, "" where it must raise; then its error holds ``raises``
    ``finish``    the reason for the end that the SDK gives, by the client's dialect; {}: that of a good answer
    ``route``     what stands in the model's entry beside its targets
    ``deadlines`` of the primary, beside generous ones
    ``forms``     streamed, plain, or both; ``dialects`` of the primary
    ``rescued``   the answer of the one goes on with that of the other
    """

    name: str
    primary: tuple[Reply, ...]
    tries: tuple[tuple[str, str], ...]
    text: str = "".join(WORDS)
    raises: str = ""
    finish: Mapping[str, str] = field(default_factory=dict)
    route: str = ""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    forms: tuple[bool, ...] = (False, True)
    dialects: tuple[str, ...] = DIALECTS
    rescued: bool = False


TOO_LONG = refuses(
    400, "prompt is too long: 9000 tokens > 8000 maximum", "invalid_request_error", "context_length_exceeded"
)
FLAGGED = refuses(400, "Output blocked by content filtering policy", "invalid_request_error", "content_filter")
SILENT = {"head": 0.3, "first_content": 0.3}
LATE = 0.6  # seconds; the registry's deadlines are as much shorter than usual
STALL_GAP = {"gap": 0.3}
RESCUE = "rescue: prefill"
OK, HTTP, LIMITED = "ok", "upstream_http_error", "rate_limited"
CUT, IDLE, FIRST_BYTE = "upstream_truncated", "upstream_timeout_idle", "upstream_timeout_first_byte"
GARBLED = "upstream_protocol_error"


def _then_second(outcome: str) -> tuple[tuple[str, str], ...]:
    return ("primary", outcome), ("second", OK)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "1 429 with Retry-After: the next one answers at once",
        (refuses(429, type_="rate_limit_error", retry_after="20"),),
        _then_second(LIMITED),
        ANSWER,
    ),
    Scenario(
        "1 429 with a short Retry-After: it is waited for",
        (refuses(429, type_="rate_limit_error", retry_after_ms="50"), good),
        (("primary", LIMITED), ("primary", OK)),
    ),
    Scenario("2 429 for good", (refuses(429, type_="rate_limit_error"),), _then_second(LIMITED), ANSWER),
    Scenario("3 one 500", (refuses(500), good), (("primary", HTTP), ("primary", OK))),
    Scenario("4 503 for good", (refuses(503),), _then_second(HTTP), ANSWER),
    Scenario(
        "5 TCP reset: a named target answers",
        (does(Reset()),),
        _then_second("upstream_reset"),
        ANSWER,
        route="fallback_on: {cut: SECOND}",
    ),
    Scenario(
        "5 TCP reset: the model may have been at work",
        (does(Reset()),),
        (("primary", "upstream_reset"),),
        "",
        raises="closed the connection",
    ),
    Scenario(
        "6 no answer: a named target answers",
        (does(Stall()),),
        _then_second(FIRST_BYTE),
        ANSWER,
        route="fallback_on: {stall: SECOND}",
        deadlines=SILENT,
    ),
    Scenario(
        "6 no answer: the model may have been at work",
        (does(Stall()),),
        (("primary", FIRST_BYTE),),
        "",
        raises="did not begin to answer in time",
        deadlines=SILENT,
    ),
    Scenario("7 late first token: within its deadline", (says_late(LATE),), (("primary", OK),)),
    Scenario(
        "7 late first token: a named target answers",
        (says_late(LATE),),
        _then_second(FIRST_BYTE),
        ANSWER,
        route="fallback_on: {stall: SECOND}",
        deadlines=SILENT,
        forms=STREAM,
    ),
    Scenario(
        "8 cut at 40 of 60: rescued",
        (breaks(*RESET),),
        _then_second(CUT),
        route=RESCUE,
        forms=STREAM,
        rescued=True,
    ),
    Scenario("8 cut at 40 of 60: an error", (breaks(*RESET),), (("primary", CUT),), "", raises="broke off"),
    Scenario(
        "8 cut at 40 of 60: a plain answer of a named target",
        (breaks(*RESET),),
        _then_second(CUT),
        ANSWER,
        route="fallback_on: {cut: SECOND}",
        forms=PLAIN,
    ),
    Scenario(
        "9 stall mid-stream: rescued",
        (breaks(Stall()),),
        _then_second(IDLE),
        route=RESCUE,
        deadlines=STALL_GAP,
        forms=STREAM,
        rescued=True,
    ),
    Scenario(
        "9 stall mid-stream: an error",
        (breaks(Stall()),),
        (("primary", IDLE),),
        "",
        raises="stopped in the middle",
        deadlines=STALL_GAP,
        forms=STREAM,
    ),
    Scenario(
        "9 stall mid-stream: within its deadline",
        (lambda dialect, stream: stalls(dialect, LATE),),
        (("primary", OK),),
        forms=STREAM,
    ),
    Scenario(
        "10 a malformed chunk: rescued",
        (garbles(Sleep(0.25)),),
        _then_second(GARBLED),
        route=RESCUE,
        forms=STREAM,
        rescued=True,
    ),
    Scenario("10 a malformed chunk: an error", (garbles(Sleep(0.25)),), (("primary", GARBLED),), "", forms=STREAM),
    # In one piece: it is seen before anything has gone out.
    Scenario("10 a malformed answer: the next one answers", (garbles(),), _then_second(GARBLED), ANSWER),
    Scenario("11 missing [DONE]", (unfinished,), (("primary", OK),), forms=STREAM, dialects=("chat",)),
    Scenario(
        "11 missing last event",
        (unfinished,),
        (("primary", CUT),),
        "",
        raises="broke off",
        forms=STREAM,
        dialects=("messages", "responses"),
    ),
    Scenario(
        "12 context length",
        (TOO_LONG,),
        (("primary", HTTP), ("large", OK)),
        ANSWER,
        route="fallback_on: {context_length: LARGE}",
    ),
    Scenario("13 content filter: the prompt", (FLAGGED,), (("primary", HTTP),), "", raises="content filtering policy"),
    Scenario(
        "13 content filter: the answer",
        (filtered,),
        (("primary", OK),),
        REFUSED,
        finish={"chat": "content_filter", "messages": "refusal", "responses": "incomplete"},
    ),
    Scenario(
        "14 the fallback refuses prefill: the first error",
        (breaks(*RESET),),
        (("primary", CUT), ("refusing", HTTP)),
        "",
        raises="broke off",
        route=f"{RESCUE}, targets: [PRIMARY, REFUSING]",
        forms=STREAM,
    ),
    Scenario(
        "14 the fallback refuses prefill: it is said in the registry",
        (breaks(*RESET),),
        (("primary", CUT),),
        "",
        raises="broke off",
        route=f"{RESCUE}, targets: [PRIMARY, STUBBORN]",
        forms=STREAM,
    ),
    Scenario(
        "14 the fallback refuses prefill: it is no matter before the first word",
        (refuses(503),),
        _then_second(HTTP),
        ANSWER,
        route=RESCUE,
    ),
)
