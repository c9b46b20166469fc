"""Times as people write them."""

from datetime import datetime

import pytest

from addons.telemetry.spans import moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1.5h", 5400), (" 7D ", 7 * 86400), ("2w", 14 * 86400), ("0s", 0)],
)
def test_a_span_ago(text: str, seconds: float) -> None:
    assert moment(text, 1e9) == 1e9 - seconds


def test_a_date() -> None:
    assert moment("2030-01-31", 0) == datetime(2030, 1, 31).timestamp()
    assert moment("2030-01-31T12:00:00+00:00", 0) == 1896091200


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1y", "tomorrow"])
def test_anything_else_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 30m, 12h, 7d, 2w or a date"):
        moment(text, 0)
