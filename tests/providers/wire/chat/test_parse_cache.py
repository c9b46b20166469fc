"""Cache marks of both kinds."""

from typing import Any

import pytest

from providers.wire.chat.parse_cache import cache_of
from providers.wire.neutral import Cache


@pytest.mark.parametrize(
    ("value", "cache"),
    [
        ({}, None),
        ({"cache_control": {"type": "ephemeral"}}, Cache()),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, Cache("1h")),
        ({"cache_control": None}, None),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, Cache()),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}, Cache()),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, Cache("1h")),
        ({"prompt_cache_breakpoint": None}, None),
    ],
)
def test_marks(value: dict[str, Any], cache: Cache | None) -> None:
    assert cache_of(value) == cache
