"""Redaction: no key survives, prose does."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.redaction import REDACTED, looks_like_key, redact, redact_bytes, redactor

SHAPES = [
    "sk-abcdefgh12345678",
    "sk-ant-api03-abc_DEF-123456789",
    "sk-or-v1-0123456789abcdef",
    "sk-proj-aaaaaaaaaaaaaaaaaaaa",
    "gsk_abcdefgh12345678",
    "xai-abcdefgh12345678",
    "AIzaSyA1234567890abcdef",
    "hf_abcdefgh12345678",
]


@pytest.mark.parametrize("key", SHAPES)
@pytest.mark.parametrize(
    "around", ["{}", "key={}&x=1", '{{"k": "{}"}}', "Authorization: Bearer {}\r\n", "({}).", '{{"m": "x\\n{}"}}']
)
def test_key_shapes_go(key: str, around: str) -> None:
    text = around.format(key)
    assert key not in redact(text)
    assert REDACTED in redact(text)
    assert redact_bytes(text.encode()) == redact(text).encode()


def test_a_bearer_token_behind_an_escaped_line_break_goes() -> None:
    assert "abc123" not in redact(r'{"m": "sent:\nBearer abc123"}')


@pytest.mark.parametrize("text", ["Bearer abc123", "bearer x.y.z", "BEARER%20abc/+=", "Bearer 1234"])
def test_bearer_tokens_go_and_the_word_stays(text: str) -> None:
    said = redact(text)
    assert said.lower().startswith("bearer")
    assert said.endswith(REDACTED)


@pytest.mark.parametrize(
    "text",
    [
        "Bearer authentication is required",
        "Bearer <OPENAI_API_KEY>",
        "the task-oriented desk-top",
        "ask-me-anything",
        "Patchbay",
        "sk-",
    ],
)
def test_prose_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_of_any_shape_go_in_every_spelling() -> None:
    secret = 'p/ss"w+rd'
    text = f"{secret} {quote(secret, safe='')} {quote(secret)} {json.dumps(secret)}"
    assert redact(text, [secret]) == f'{REDACTED} {REDACTED} {REDACTED} "{REDACTED}"'
    assert secret.encode() not in redact_bytes(text.encode(), [secret])


def test_longer_secret_first_and_tiny_ones_not_at_all() -> None:
    assert redact("abcdef", ["abcd", "abcdef"]) == REDACTED
    assert redact("a cat", ["a"]) == "a cat"


# Whatever surrounds it, a known secret is not in what comes out.
@given(st.text(), st.text(), st.from_regex(r"[!-~]{8,40}", fullmatch=True))
def test_no_secret_survives(before: str, after: str, secret: str) -> None:
    if secret not in before + after and secret not in REDACTED:
        said = redact(f"{before}{secret}{after}", [secret])
        assert secret not in said.replace(REDACTED, "\0")


def test_looks_like_key_wants_certainty() -> None:
    assert looks_like_key("x: sk-ant-1234567890abcdefghijkl")
    assert not looks_like_key("x: sk-xxxxxxxxxxxxxxxxxxxxxxx")
    assert not looks_like_key("x: sk-model-7b")


# A redactor does to each text what redact does to one.
@given(st.lists(st.text()), st.lists(st.text(min_size=4), max_size=3))
def test_a_redactor_is_redact_for_many_texts(texts: list[str], secrets: list[str]) -> None:
    clean = redactor(secrets)
    assert [clean(text) for text in texts] == [redact(text, secrets) for text in texts]
