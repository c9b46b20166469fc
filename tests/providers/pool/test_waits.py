"""How long a provider asks to be left alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pool.waits import MOST, asked_wait, told_wait

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "2"}, 2),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1000000000"}, MOST),
        ({"retry-after": "9" * 400}, MOST),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0),
        ({"retry-after": "Tue, 14 Nov 2033 22:13:00 GMT"}, MOST),
        ({"retry-after": "1m10s"}, MOST),
        ({"retry-after": "300ms"}, 0.3),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "garbage", "retry-after": "2"}, 2),
        ({"retry-after": "garbage", "x-ratelimit-reset-requests": "6s"}, 6),
        ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "2m59.56s"}, MOST),
        # Only what is used up has to be filled again.
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "8.64s",
                "x-ratelimit-remaining-tokens": "17",
                "x-ratelimit-reset-tokens": "50s",
            },
            8.64,
        ),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030000"}, 30),
        ({"x-ratelimit-remaining-tokens-minute": "0.0", "x-ratelimit-reset-tokens-minute": "11.5"}, 11.5),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "7"}, 7),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:25Z",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:27Z",
                "anthropic-ratelimit-output-tokens-remaining": "4000",
                "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:59Z",
            },
            7,
        ),
    ],
)
def test_every_form(headers: dict[str, str], wait: float) -> None:
    asked = asked_wait(headers.items(), NOW)
    assert asked is not None
    assert asked == pytest.approx(wait, abs=1e-6)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/html"},
        *({"retry-after": value} for value in ("", "garbage", "-5", "nan", "inf", "1e9")),
        {"retry-after-ms": "soon"},
        {"retry-after-ms": "1s"},
        {"x-ratelimit-reset-requests": "garbage"},
        {"x-ratelimit-remaining-requests": "0"},
        {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6s"},
        {"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"},  # Azure, where it has no limit
        # Anthropic tells of every limit with every answer.
        {"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:25Z"},
        {"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:25Z", "anthropic-ratelimit-requests-remaining": "9"},
        {"anthropic-ratelimit-unified-reset": "1700000030"},
    ],
)
def test_nothing_asked(headers: dict[str, str]) -> None:
    assert asked_wait(headers.items(), NOW) is None


def test_the_caller_says_what_is_most_and_the_first_of_two_counts() -> None:
    assert asked_wait([("retry-after", "100"), ("Retry-After", "1")], NOW, most=90) == 90
    assert asked_wait([("x-ratelimit-reset", "100")], NOW, most=5) == 5


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0"), (0.1, "1"), (2, "2"), (2.01, "3"), (1e9, "120"), (math.inf, "120"), (-1, "0")],
)
def test_a_client_is_told_whole_seconds(seconds: float, told: str) -> None:
    assert told_wait(seconds) == ("retry-after", told)


NAMES = st.sampled_from(
    [
        *("retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-remaining", "X-RateLimit-Reset-Tokens"),
        *("anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit--reset"),
    ]
)
VALUES = st.text(max_size=30) | st.integers().map(str) | st.floats().map(str) | st.just("0")


# Whatever a provider sends, the wait lies from 0 to the most that the caller allows, or there is none.
@given(st.lists(st.tuples(NAMES, VALUES)), st.floats(0, 600))
def test_a_wait_is_clamped(headers: list[tuple[str, str]], most: float) -> None:
    asked = asked_wait(headers, NOW, most=most)
    assert asked is None or 0 <= asked <= most
