"""How long a provider that refuses asks to be left alone, in every form that providers have for it.

Strategy: what is asked for outright counts first (``retry-after-ms``, ``retry-after``), because it is the provider's
word on this very call. Else a limit that is used up says when it is filled again; of several, the last one. Limits of
which something is left say nothing about the wait, so the caller's own growing waits apply (None).
"""

import re
from collections.abc import Callable, Iterable
from math import ceil

from providers.wire.instants import number, until

MOST = 60.0  # seconds: a longer wait is not a wait within a call
MOST_TOLD = 120  # seconds that a client may be asked to wait: official clients give up above (specs: faults, section 0)

# x-ratelimit-reset-requests (OpenAI and most), x-ratelimit-reset (OpenRouter, Together), ratelimit-reset (the IETF's
# draft), anthropic-ratelimit-requests-reset.
_OPENAI = re.compile(r"(?:x-)?ratelimit-(?P<fact>remaining|reset)(?:-(?P<kind>.+))?")
_ANTHROPIC = re.compile(r"anthropic-ratelimit-(?P<kind>.+)-(?P<fact>remaining|reset)")
_ZERO = re.compile(r"0+(?:\.0*)?")


def asked_wait(headers: Iterable[tuple[str, str]], now_unix: float, *, most: float = MOST) -> float | None:
    """The seconds to wait that the headers of a refusal (429, 503, 529) ask for, from 0.0 to ``most``; None if none.

    ``now_unix`` is seconds since 1970. A moment in the past is 0.0, a wait of years is ``most``, nonsense counts as
    not said.
    """
    said: dict[str, str] = {}
    for name, value in headers:
        said.setdefault(name.lower(), value)
    for name, read in _OUTRIGHT.items():
        wait = read(said[name], now_unix) if name in said else None
        if wait is not None:
            return min(wait, most)
    waits = _used_up(said, now_unix)
    return min(max(waits), most) if waits else None


def told_wait(seconds: float) -> tuple[str, str]:
    """The header that asks a client to wait: whole seconds, rounded up so that nobody comes too early."""
    return "retry-after", str(ceil(min(max(seconds, 0.0), MOST_TOLD)))


def _milliseconds(text: str, now: float) -> float | None:
    value = number(text)
    return None if value is None else value / 1000


def _seconds_or_date(text: str, now: float) -> float | None:
    """A plain number is always seconds here, however large; dates, and the durations some servers write."""
    value = number(text)
    return until(text, now) if value is None else value


_OUTRIGHT: dict[str, Callable[[str, float], float | None]] = {
    "retry-after-ms": _milliseconds,
    "retry-after": _seconds_or_date,
}


def _used_up(said: dict[str, str], now: float) -> list[float]:
    """When each limit that is used up will be filled again.

    Anthropic sends the reset of every limit with every answer: only one with nothing remaining counts. Other servers
    may send a reset alone, and only when they refuse: that counts too.
    """
    waits = []
    for name, value in said.items():
        found = _ANTHROPIC.fullmatch(name) or _OPENAI.fullmatch(name)
        if found is None or found["fact"] != "reset":
            continue
        start, end = found.span("fact")
        remaining = said.get(name[:start] + "remaining" + name[end:])
        alone = remaining is None and found.re is _OPENAI
        wait = until(value, now) if alone or _ZERO.fullmatch((remaining or "").strip()) else None
        waits += [] if wait is None else [wait]
    return waits
