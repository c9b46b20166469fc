"""Moments and waits as providers write them in headers, read and written without a clock: the caller says what now is.

Forms seen in the wild: OpenAI and Groq write durations as Go does (``1s``, ``6m0s``, ``120ms``, ``2m59.56s``),
Cerebras, Together and Azure plain seconds, OpenRouter milliseconds since 1970, others seconds since 1970, Anthropic
RFC 3339; HTTP itself has its date (RFC 9110, 5.6.7). All times are seconds, those since 1970 in UTC.
"""

import re
from calendar import monthrange, timegm
from collections.abc import Sequence
from email.utils import formatdate, parsedate, parsedate_tz
from math import ceil

_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_STEP = r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|d|h|m|s)"
_DURATION, _STEPS = re.compile(rf"(?:{_STEP})+", re.ASCII), re.compile(_STEP, re.ASCII)
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
# A plain number is a duration while it is shorter than thirty years; then it counts from 1970, at last in milliseconds.
_SINCE_1970, _IN_MILLISECONDS, _NONSENSE = 1e9, 1e11, 1e14
_LONGEST = 64  # characters of any form; what is longer is none of them
_LATEST = 253402300799  # the last second of the year 9999


def number(text: str) -> float | None:
    """A plain number that is not negative, or None; too many digits make it infinite."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def duration(text: str) -> float | None:
    """The seconds of a duration as Go writes it, or None."""
    text = text.strip()
    if len(text) > _LONGEST or not _DURATION.fullmatch(text):
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _STEPS.findall(text))


def rfc3339(text: str) -> float | None:
    """The moment that RFC 3339 says, or None."""
    found = _RFC3339.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    moment = _utc([int(part) for part in found.groups()[:6]]) if found else None
    if found is None or moment is None:
        return None
    fraction, sign, hours, minutes = found.groups()[6:]
    ahead = (int(hours) * 60 + int(minutes)) * 60 if sign else 0  # of UTC
    return moment + float(fraction or 0) + (ahead if sign == "-" else -ahead)


def http_date(text: str) -> float | None:
    """The moment that an HTTP date says, in any of the three forms of RFC 9110, or None."""
    found = parsedate_tz(text) if len(text) <= _LONGEST else None
    moment = _utc(found[:6]) if found else None
    return None if found is None or moment is None else moment - (found[9] or 0)


def _utc(fields: Sequence[int]) -> float | None:
    """Year, month, day, hour, minute and second, or None if no calendar or clock shows them."""
    year, month, day, hour, minute, second = fields
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):  # 60: a leap second
        return None
    return float(timegm((year, month, day, hour, minute, second)))


def until(text: str, now: float) -> float | None:
    """The seconds from ``now`` that a limit's reset says, in any of the forms above; 0.0 if past, None if nonsense."""
    value = number(text)
    if value is not None:
        return _until_number(value, now)
    span = duration(text)
    if span is not None:
        return span if span < _SINCE_1970 else None
    moment = rfc3339(text)
    if moment is None:
        moment = http_date(text)
    return None if moment is None else max(0.0, moment - now)


def _until_number(value: float, now: float) -> float | None:
    if value < _SINCE_1970:
        return value
    if value >= _NONSENSE:
        return None
    moment = value if value < _IN_MILLISECONDS else value / 1000
    return max(0.0, moment - now)


def as_duration(seconds: float) -> str:
    """Seconds as OpenAI writes them, in whole milliseconds, rounded up so that nobody comes too early."""
    # What floating point adds (6.000000001 s) is no millisecond.
    milliseconds = ceil(round(seconds * 1000, 3))
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    said = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{said}"
    return f"{minutes}m{said}" if minutes else said


def as_rfc3339(moment: float) -> str | None:
    """A moment as Anthropic writes it, in whole seconds, rounded up; None for what no calendar has."""
    second = ceil(round(moment, 3))
    fields = parsedate(formatdate(second, usegmt=True)) if 0 <= second <= _LATEST else None
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
