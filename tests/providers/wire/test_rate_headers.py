"""Rate limits in the words of the other vendor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect
from providers.wire.instants import until
from providers.wire.rate_headers import FACTS, retold_headers

CHAT, MESSAGES, RESPONSES = Dialect.CHAT, Dialect.MESSAGES, Dialect.RESPONSES
NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
ANTHROPIC = [
    ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ("anthropic-ratelimit-requests-limit", "50"),
    ("Anthropic-Ratelimit-Requests-Remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"),
    ("anthropic-ratelimit-tokens-limit", "80000"),
    ("anthropic-ratelimit-tokens-remaining", "0"),
    ("anthropic-ratelimit-tokens-reset", "2023-11-14T22:19:20Z"),
    ("anthropic-ratelimit-input-tokens-remaining", "7"),
    ("anthropic-ratelimit-unified-status", "allowed"),
    ("request-id", "req_1"),
    ("retry-after", "2"),
    ("retry-after-ms", "1500"),
    ("x-should-retry", "true"),
]
OPENAI = [
    ("x-ratelimit-limit-requests", "50"),
    ("x-ratelimit-remaining-requests", "49"),
    ("x-ratelimit-reset-requests", "1s"),
    ("x-ratelimit-limit-tokens", "80000"),
    ("x-ratelimit-remaining-tokens", "0"),
    ("x-ratelimit-reset-tokens", "6m0s"),
]


def to_messages(headers: list[tuple[str, str]]) -> dict[str, str]:
    return dict(retold_headers(headers, CHAT, MESSAGES, NOW))


def to_chat(headers: list[tuple[str, str]]) -> dict[str, str]:
    return dict(retold_headers(headers, MESSAGES, CHAT, NOW))


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
def test_anthropics_headers_for_an_openai_client(client: Dialect) -> None:
    told = retold_headers(ANTHROPIC, MESSAGES, client, NOW)
    assert sorted(told) == sorted(
        [
            *OPENAI,
            ("x-ratelimit-remaining-input-tokens", "7"),
            ("x-request-id", "req_1"),
            *[pair for pair in ANTHROPIC if "-ratelimit-" not in pair[0].lower()],
            ("anthropic-ratelimit-unified-status", "allowed"),
        ]
    )


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
def test_openais_headers_for_an_anthropic_client(provider: Dialect) -> None:
    others = [("x-request-id", "req_2"), ("Retry-After", "2"), ("x-ratelimit-limit-images", "5")]
    told = retold_headers([*OPENAI, *others], provider, MESSAGES, NOW)
    limits = [pair for pair in ANTHROPIC if "requests-" in pair[0].lower() or "-tokens-" in pair[0]]
    expected = [(name.lower(), value) for name, value in limits if "input" not in name]
    assert sorted(told) == sorted([*expected, *others, ("request-id", "req_2")])


@pytest.mark.parametrize(("provider", "client"), [(CHAT, RESPONSES), (RESPONSES, CHAT), (MESSAGES, MESSAGES)])
def test_one_vocabulary_is_left_alone(provider: Dialect, client: Dialect) -> None:
    headers = [*ANTHROPIC, *OPENAI, ("x-ratelimit-reset-images", "odd")]
    assert retold_headers(headers, provider, client, NOW) == headers


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        # OpenRouter
        (
            [("X-RateLimit-Limit", "5"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000030000")],
            "requests",
        ),
        # Cerebras
        (
            [
                ("x-ratelimit-limit-requests-day", "5"),
                ("x-ratelimit-remaining-requests-day", "0"),
                ("x-ratelimit-reset-requests-day", "29.382867097855"),
            ],
            "requests",
        ),
        # Fireworks
        (
            [
                ("x-ratelimit-limit-tokens-prompt", "5"),
                ("x-ratelimit-remaining-tokens-prompt", "0"),
                ("x-ratelimit-reset-tokens-prompt", "1700000030"),
            ],
            "input-tokens",
        ),
    ],
)
def test_what_other_servers_call_a_kind(headers: list[tuple[str, str]], kind: str) -> None:
    assert to_messages(headers) == {
        f"anthropic-ratelimit-{kind}-limit": "5",
        f"anthropic-ratelimit-{kind}-remaining": "0",
        f"anthropic-ratelimit-{kind}-reset": "2023-11-14T22:13:50Z",
    }


def test_the_first_name_of_a_kind_counts_and_the_others_stay() -> None:
    headers = [("x-ratelimit-limit", "1"), ("x-ratelimit-limit-requests", "2"), ("X-RateLimit-Limit-Requests", "3")]
    told = {"anthropic-ratelimit-requests-limit": "2", "x-ratelimit-limit": "1"}
    assert to_messages(headers) == told


def test_what_already_stands_in_the_clients_words_wins() -> None:
    headers = [("Anthropic-RateLimit-Requests-Limit", "9"), ("x-ratelimit-limit-requests", "5"), ("request-id", "a")]
    assert retold_headers([*headers, ("x-request-id", "b")], CHAT, MESSAGES, NOW) == [
        headers[0],
        headers[2],
        ("x-request-id", "b"),
    ]


@pytest.mark.parametrize(("half", "other"), [("input", "output"), ("output", "input")])
def test_the_narrower_half_is_the_limit_of_tokens(half: str, other: str) -> None:
    told = to_chat(
        [
            (f"anthropic-ratelimit-{other}-tokens-remaining", "odd"),
            (f"anthropic-ratelimit-{other}-tokens-limit", "8"),
            (f"anthropic-ratelimit-{half}-tokens-limit", "5"),
            (f"anthropic-ratelimit-{half}-tokens-remaining", "3"),
        ]
    )
    assert told == {
        f"x-ratelimit-limit-{other}-tokens": "8",
        f"x-ratelimit-limit-{half}-tokens": "5",
        f"x-ratelimit-remaining-{half}-tokens": "3",
        "x-ratelimit-limit-tokens": "5",
        "x-ratelimit-remaining-tokens": "3",
    }


@pytest.mark.parametrize("value", ["", "-1", "many", "1.5", "1e3", "٣", "9" * 19, "1, 2"])
def test_a_number_that_is_none_is_left_out(value: str) -> None:
    assert to_chat([("anthropic-ratelimit-requests-limit", value)]) == {}
    assert to_messages([("x-ratelimit-remaining-tokens", value)]) == {}


def test_a_reset_that_is_none_is_left_out() -> None:
    assert to_chat([("anthropic-ratelimit-requests-reset", "soon")]) == {}
    assert to_messages([("x-ratelimit-reset-requests", "soon")]) == {}
    # After the year 9999 no calendar has a date for it.
    late = [("x-ratelimit-reset-requests", "1s")]
    assert retold_headers(late, CHAT, MESSAGES, 253402300799.0) == []


@pytest.mark.parametrize("name", ["request-id", "x-request-id"])
def test_the_providers_id_is_told_under_both_names(name: str) -> None:
    both = {"request-id": "r", "x-request-id": "r"}
    assert to_chat([(name, "r")]) == to_messages([(name, "r")]) == both
    assert to_chat([(name, "")]) == {name: ""}


LIMITS = st.dictionaries(
    st.sampled_from([(kind, fact) for kind in KINDS for fact in FACTS]),
    st.integers(0, 10**9 - 1),
    min_size=1,
)


# What is told to the other side and back says the same, and a reset never comes earlier.
@given(LIMITS)
def test_there_and_back(limits: dict[tuple[str, str], int]) -> None:
    said = [
        (f"x-ratelimit-{fact}-{kind}", f"{value}s" if fact == "reset" else str(value))
        for (kind, fact), value in limits.items()
    ]
    there = retold_headers(said, CHAT, MESSAGES, NOW)
    assert len(there) == len(said)
    back = dict(retold_headers(there, MESSAGES, CHAT, NOW))
    for name, value in said:
        assert until(back[name], NOW) == until(value, NOW)


NAMES = st.sampled_from([name for name, _ in [*ANTHROPIC, *OPENAI]]) | st.text(max_size=20)


# Any headers: nothing raises, every other header stays, and nothing is told twice.
@given(st.lists(st.tuples(NAMES, st.text(max_size=30))), st.sampled_from(list(Dialect)), st.sampled_from(list(Dialect)))
def test_any_headers(headers: list[tuple[str, str]], said_in: Dialect, told_in: Dialect) -> None:
    told = retold_headers(headers, said_in, told_in, NOW)
    assert [pair for pair in told if pair in headers] == [pair for pair in headers if pair in told]
    added = [name for name, value in told if (name, value) not in headers]
    assert len(added) == len(set(added))
    for pair in headers:
        assert "ratelimit" in pair[0].lower() or pair in told
