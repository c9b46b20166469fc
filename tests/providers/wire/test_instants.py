"""Moments and waits, read and written."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.instants import as_duration, as_rfc3339, duration, http_date, number, rfc3339, until

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("2m59.56s", 179.56),
        ("1h0m0.5s", 3600.5),
        ("1d2h", 93600),
        (".5s", 0.5),
        ("15us", 15e-6),
        ("15µs", 15e-6),
        ("3ns", 3e-9),
        (" 7.66s ", 7.66),
        ("0", 0),
        ("12", 12),
        ("33011.382867097855", 33011.382867097855),
        ("999999999", 999999999),
        ("1700000030", 30),
        ("1700000030000", 30),
        ("1699999999", 0),
        ("1699999999000", 0),
        ("2023-11-14T22:13:50Z", 30),
        ("2023-11-14t22:13:50.25z", 30.25),
        ("2023-11-15T00:13:50+02:00", 30),
        ("2023-11-14T16:43:50-05:30", 30),
        ("2023-11-14T22:13:00Z", 0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30),
        ("Tue Nov 14 22:13:50 2023", 30),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
    ],
)
def test_every_form_of_a_reset(text: str, wait: float) -> None:
    said = until(text, NOW)
    assert said is not None
    assert said == pytest.approx(wait, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-1",
            "-3s",
            "nan",
            "inf",
            "1e3",
            "1_000",
            "٣",
            "soon",
            "s",
            "1x",
            "1s1",
            "1 s",
            "0x10",
            "1,5s",
            ".",
        ),
        *("9" * 15, "9" * 400, "9" * 80 + "s", "99999999999s", "99999999999999d"),
        *("2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z"),
        *("2023-01-01T00:00:61Z", "2023-01-00T00:00:00Z", "0000-01-01T00:00:00Z", "2023-01-01T00:00:00", "2023-01-01"),
        *("Tue, 99 Nov 2023 22:13:50 GMT", "Tue, 14 Nov 99999 22:13:50 GMT", "Tue, 14 Nov 2023 99:13:50 GMT"),
        *("Tue, 14 Nov 2023", "x" * 100_000, "2023-01-01T00:00:00." + "0" * 100_000 + "Z"),
    ],
)
def test_nonsense_is_not_said(text: str) -> None:
    assert until(text, NOW) is None


def test_a_number_may_be_too_large_for_a_float() -> None:
    assert number("9" * 400) == float("inf")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (1, "1s"),
        (0.12, "120ms"),
        (0.0001, "1ms"),
        (360, "6m0s"),
        (179.56, "2m59.56s"),
        (3600, "1h0m0s"),
        (90061.5, "25h1m1.5s"),
        (59.9999, "1m0s"),
    ],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, said: str) -> None:
    assert as_duration(seconds) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NOW, "2023-11-14T22:13:20Z"),
        (NOW + 0.2, "2023-11-14T22:13:21Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
        (253402300800, None),
        (-1, None),
    ],
)
def test_moments_are_written_as_anthropic_writes_them(moment: float, said: str | None) -> None:
    assert as_rfc3339(moment) == said


# Whatever the text, reading it gives a wait from 0 on or nothing; it never raises.
@given(st.text() | st.text("0123456789.smhdnu:TZ+-GMTtueNov, ", max_size=40), st.floats(0, 4e9))
def test_any_text(text: str, now: float) -> None:
    said = until(text, now)
    assert said is None or 0 <= said < 1e12


# A duration that is written and read again is never shorter, and less than 1 ms longer.
@given(st.floats(0, 1e8))
def test_durations_round_trip(seconds: float) -> None:
    read = duration(as_duration(seconds))
    assert read is not None
    assert -1e-6 <= read - seconds < 1.001e-3


# A moment that is written and read again is never earlier, and less than 1 s later; both readers agree with datetime.
@given(st.floats(0, 2e11))
def test_moments_round_trip(moment: float) -> None:
    said = as_rfc3339(moment)
    assert said is not None
    read = rfc3339(said)
    assert read is not None
    assert -1e-3 <= read - moment < 1.001
    judge = datetime.fromisoformat(said)
    assert judge.timestamp() == read
    assert http_date(format_datetime(judge.astimezone(UTC), usegmt=True)) == read
