"""Reading the sums and spreads that `counting` keeps: milliseconds, however many calls they count.

Moments are wall time in seconds, ``since`` included and ``until`` not. Sums come by whole hours, so the hour in which
``since`` lies is counted whole; spreads come by whole days of UTC.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import accumulate
from math import ceil
from typing import TypedDict

from addons.telemetry.counting import MEASURES, SUMS

Record = dict[str, object]
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_KEYS = ("day", "provider", "model", "outcome")

_TOTALS = ("ok", "failed", *SUMS)
_SUMMED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
# Hour by hour first: the table stands in that order, so nearly nothing has to be sorted.
_USAGE = (
    "WITH days (day, first, last) AS (VALUES {days}), hours AS (SELECT hour, {hourly}"
    " coalesce(sum(exchanges) FILTER (WHERE outcome = 'ok'), 0) AS ok,"
    " coalesce(sum(exchanges) FILTER (WHERE outcome NOT IN ('ok', 'client_disconnected')), 0) AS failed,"
    f" {_SUMMED} FROM usage WHERE hour >= ? AND hour < ? GROUP BY hour{{by_hour}})"
    f" SELECT {{keys}} {', '.join(f'sum({name}) AS {name}' for name in _TOTALS)}"
    " FROM hours JOIN days ON hour >= first AND hour < last {group}"
)


class Spread(TypedDict):
    """Percentiles of a measure, and of how many values: microseconds, or tokens per second."""

    p50: float
    p95: float
    p99: float
    count: int


def usage(connection: sqlite3.Connection, since: float, until: float, by: Sequence[str]) -> list[Record]:
    """Return sums of what has ended, by any of ``day`` (local, YYYY-MM-DD), ``provider``, ``model``, ``outcome``.

    A record has the keys, ``ok``, ``failed``, and the columns of ``usage``; a sum of which nothing is known is None.
    Raises ValueError for an unknown key, sqlite3.Error.
    """
    if wrong := [name for name in by if name not in _KEYS]:
        raise ValueError(f"numbers come by {', '.join(_KEYS)}, not by {wrong[0]}")
    days = _days(connection, since, until)
    if not days:
        return []
    query = _USAGE.format(
        days=", ".join(["(?, ?, ?)"] * len(days)),
        hourly="".join(f"{name}, " for name in by if name != "day"),
        by_hour="".join(f", {name}" for name in by if name != "day"),
        keys="".join(f"{name}, " for name in by),
        group=f"GROUP BY {', '.join(by)} ORDER BY {', '.join(by)}" if by else "HAVING count(*)",
    )
    span = (days[0][1], days[-1][2])
    cursor = connection.execute(query, [*(value for day in days for value in day), *span])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def spread(connection: sqlite3.Connection, since: float, until: float, measure: str, by: str = "") -> dict[str, Spread]:
    """Return percentiles of a measure by ``provider`` or ``day`` (UTC, YYYY-MM-DD); "" for all in one, under "".

    Each is off by less than 5 % (`counting.ERROR`). Raises ValueError for an unknown measure or key, sqlite3.Error.
    """
    if measure not in MEASURES:
        raise ValueError(f"there is no measure {measure}: {', '.join(MEASURES)}")
    keys = {"": "''", "provider": "provider", "day": "date(day * 86400, 'unixepoch')"}
    if by not in keys:
        raise ValueError(f"spreads come by provider or day, not by {by}")
    query = (
        f"SELECT {keys[by]} AS key, bucket, sum(count) FROM spreads"
        " WHERE day >= ? AND day < ? AND measure = ? GROUP BY key, bucket ORDER BY key, bucket"
    )
    middles = dict(connection.execute("SELECT bucket, middle FROM buckets"))
    found: dict[str, list[tuple[float, int]]] = {}
    for key, bucket, count in connection.execute(query, (since // 86400, ceil(until / 86400), measure)):
        found.setdefault(str(key), []).append((float(middles[bucket]), int(count)))
    return {key: _percentiles(counts) for key, counts in found.items()}


def rank(part: float, count: int) -> int:
    """Say which of ``count`` values in order, from 1, is the percentile: the nearest-rank definition."""
    return max(1, ceil(part * count))


def _percentiles(counts: Sequence[tuple[float, int]]) -> Spread:
    total = sum(count for _, count in counts)
    p50, p95, p99 = (_at(counts, rank(part, total)) for part in PERCENTILES.values())
    return Spread(p50=p50, p95=p95, p99=p99, count=total)


def _at(counts: Sequence[tuple[float, int]], place: int) -> float:
    """Return the value at a place, counted from 1, of values that come with how often each is there."""
    below = accumulate(count for _, count in counts)
    return next(value for (value, _), sofar in zip(counts, below, strict=True) if sofar >= place)


def _days(connection: sqlite3.Connection, since: float, until: float) -> list[tuple[str, int, int]]:
    """Return the local days between as (YYYY-MM-DD, first hour, hour after the last); hours count from the epoch.

    An hour of UTC belongs to the day in which it begins.
    """
    first, last = connection.execute("SELECT min(hour), max(hour) FROM usage").fetchone()
    if first is None:
        return []
    start, end = max(int(since // 3600), first), min(ceil(until / 3600), last + 1)
    days: list[tuple[str, int, int]] = []
    while start < end:
        day = datetime.fromtimestamp(start * 3600).date()
        midnight = datetime.combine(day + timedelta(days=1), time.min).timestamp()
        after = min(max(ceil(midnight / 3600), start + 1), end)
        days.append((day.isoformat(), start, after))
        start = after
    return days
