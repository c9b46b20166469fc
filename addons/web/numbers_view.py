"""Numbers as the page draws them: sums by day, and how times are spread by provider."""

import sqlite3
from typing import Literal

from addons.telemetry import figures
from addons.web.replies import Json

By = Literal["provider", "model"]

BY: tuple[By, ...] = ("provider", "model")
MEASURES = ("ttft", "duration", "tokens_per_second")
_SUMS = ("exchanges", "ok", "failed", "input_tokens", "output_tokens", "cache_read_tokens", "cost", "unpriced")


def numbers_view(connection: sqlite3.Connection, since: float, until: float, by: By) -> Json:
    """Return sums and spreads from ``since`` to ``until``, in seconds since the epoch. Raises sqlite3.Error."""
    days = figures.usage(connection, since, until, ("day", by))
    total = figures.usage(connection, since, until, ())
    return {
        "days": [{"day": row["day"], "key": row[by], **_sums(row)} for row in days],
        "spreads": {measure: _spread(connection, since, until, measure) for measure in MEASURES},
        "total": _sums(total[0] if total else {}),
    }


def _sums(row: figures.Record) -> Json:
    """Return what a chart adds up: costs are those that are known, of how many calls they are not says ``unpriced``."""
    return {name: row.get(name) or 0 for name in _SUMS}


def _spread(connection: sqlite3.Connection, since: float, until: float, measure: str) -> list[Json]:
    found = figures.spread(connection, since, until, measure, "provider")
    return [{"key": key, **values} for key, values in sorted(found.items())]
