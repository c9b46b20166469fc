"""A provider that does not speak the client's dialect: 501, in that dialect, naming the pair."""

import pytest

from tests.rig_gateway import SDK_ERRORS, Gateway, ask, assert_told_in_dialect, stream_of

PAIRS = [
    ("chat", "claude-9", "anthropic"),
    ("responses", "claude-9", "anthropic"),
    ("messages", "gpt-9", "openai"),
    ("messages", "groq/some-model", "groq"),
    ("responses", "groq/some-model", "groq"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("dialect", "model", "provider"), PAIRS)
def test_the_pair_is_named(gateway: Gateway, dialect: str, model: str, provider: str, stream: bool) -> None:
    answer = gateway.post(*ask(dialect, model, stream=stream))
    error = assert_told_in_dialect(answer, dialect, gateway.behind, 501)
    assert provider in error["message"]
    assert dialect in error["message"]
    assert not gateway.behind.posts()


@pytest.mark.parametrize(("dialect", "model", "provider"), PAIRS)
def test_the_sdk_raises(gateway: Gateway, dialect: str, model: str, provider: str) -> None:
    with pytest.raises(SDK_ERRORS, match=provider):
        stream_of(gateway, dialect, model)
