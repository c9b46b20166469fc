"""Session ids as known clients send them."""

import pytest

from providers.wire.session import session_of

UUID = "3f2b1c9e-8a7d-4b6f-9c1e-2d3a4b5c6d7e"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, None),
        ({"metadata": {"user_id": f"user_{'ab' * 32}_account__session_{UUID}"}}, UUID),
        ({"metadata": {"user_id": f'{{"device_id":"d","account_uuid":"","session_id":"{UUID}"}}'}}, UUID),
        ({"metadata": {"user_id": "{broken"}}, None),
        ({"metadata": {"user_id": "{}"}}, None),
        ({"metadata": {"user_id": "just-a-user"}}, None),
        ({"metadata": {"session_id": "s1", "user_id": "x_session_s2"}}, "s1"),
        ({"metadata": ["odd"], "prompt_cache_key": "k"}, "k"),
        ({"session_id": "s", "prompt_cache_key": "k"}, "s"),
        ({"prompt_cache_key": 7}, None),
    ],
)
def test_session_of(body: dict[str, object], expected: str | None) -> None:
    assert session_of(body) == expected
