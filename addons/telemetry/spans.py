"""Spans of time as people write them: ``90s``, ``30m``, ``12h``, ``7d``, ``2w``, or a date."""

import re
from datetime import datetime

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE)


def moment(text: str, now: float) -> float:
    """Return the moment a span before ``now``, or the date itself (ISO 8601, local), in seconds of wall time.

    Raises ValueError with a message for the person who wrote it.
    """
    if found := _SPAN.fullmatch(text.strip()):
        return now - float(found[1]) * _UNITS[found[2].lower()]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 90s, 30m, 12h, 7d, 2w or a date like 2030-01-31") from None
