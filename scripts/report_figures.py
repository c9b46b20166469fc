"""What `patchbay report` counts: exact, from the rows of the calls that have ended.

A percentile is the nearest rank: of n values in order, the one at place ⌈p · n⌉. Spans are microseconds, costs US
dollars; what is not known is None and never counts as zero.
"""

import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from addons.telemetry.counting import TOKENS_PER_SECOND, UNPRICED
from addons.telemetry.figures import PERCENTILES, rank

Figures = dict[str, object]

# What calls are put together by → the text of its name. Days are those of this machine's clock.
KEYS = {
    "provider": "provider",
    "model": "provider || '/' || model",
    "day": "date(started_at, 'unixepoch', 'localtime')",
    "client": "CASE client WHEN '' THEN '(none)' ELSE client END",
}
_SUMS = ("requests", "ok", "failed", "input_tokens", "cache_read_tokens", "output_tokens", "cost", "unpriced")
# Spans of which percentiles are told, beside tokens per second: prompt and decode are llama-server's own measure.
MEASURES = {
    "ttft_us": "ttft_us",
    "duration_us": "duration_us",
    "tokens_per_second": TOKENS_PER_SECOND,
    "prompt_us": "prompt_us",
    "decode_us": "decode_us",
}
_WHERE = "outcome IS NOT NULL AND started_at >= ? AND started_at < ?"
_TOTALS = (
    "SELECT {key} AS key, count(*), count(*) FILTER (WHERE outcome = 'ok'),"
    " count(*) FILTER (WHERE outcome NOT IN ('ok', 'client_disconnected')),"
    " sum(input_tokens), sum(cache_read_tokens), sum(output_tokens), sum(cost),"
    f" count(*) FILTER (WHERE {UNPRICED}) FROM exchanges WHERE {_WHERE} GROUP BY key ORDER BY key"
)
_VALUES = f"SELECT {{key}} AS key, {', '.join(MEASURES.values())} FROM exchanges WHERE {_WHERE}"


@dataclass(slots=True)
class Line:
    """The figures of all calls with one key: sums by name, and every value of each measure."""

    key: str
    sums: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(_SUMS))
    values: dict[str, "array[float]"] = field(default_factory=lambda: {name: array("d") for name in MEASURES})

    def figures(self) -> Figures:
        """Return everything that is told of them, as JSON values."""
        requests, failed = self.sums["requests"] or 0, self.sums["failed"] or 0
        found: Figures = {"key": self.key, **self.sums, "error_rate": failed / requests if requests else None}
        return found | {name: percentiles(values) for name, values in self.values.items()}


def percentiles(values: "array[float]") -> dict[str, float | int | None]:
    """Return p50, p95 and p99 of the values, and how many there are; None of none."""
    ordered, count = sorted(values), len(values)
    found = {name: ordered[rank(part, count) - 1] if count else None for name, part in PERCENTILES.items()}
    return {**found, "count": count}


def lines(connection: sqlite3.Connection, since: float, until: float, by: str) -> tuple[list[Line], Line]:
    """Return a line for each key, in order, and one for all calls. Raises sqlite3.Error."""
    connection.execute("BEGIN")  # both queries see the same calls, while a proxy writes
    found = {line.key: line for line in _summed(connection, since, until, by)}
    total = Line("total")
    for line in found.values():
        for name, value in line.sums.items():
            if value is not None:
                total.sums[name] = (total.sums[name] or 0) + value
    for key, *values in connection.execute(_VALUES.format(key=KEYS[by]), (since, until)):
        _add(found[str(key)], total, values)
    connection.execute("COMMIT")
    return list(found.values()), total


def _summed(connection: sqlite3.Connection, since: float, until: float, by: str) -> Iterator[Line]:
    for key, *sums in connection.execute(_TOTALS.format(key=KEYS[by]), (since, until)):
        yield Line(str(key), dict(zip(_SUMS, sums, strict=True)))


def _add(line: Line, total: Line, values: list[float | None]) -> None:
    for name, value in zip(MEASURES, values, strict=True):
        if value is not None:
            line.values[name].append(value)
            total.values[name].append(value)
