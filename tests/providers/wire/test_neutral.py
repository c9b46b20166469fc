"""The neutral request: what the client left out is not said, and nothing is shared between requests."""

from dataclasses import MISSING, FrozenInstanceError, fields
from typing import Any, get_args

import pytest

from providers.wire import neutral
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Part, Request, Text, Turn

VALUES: list[Any] = [
    *get_args(Part),
    neutral.Cache,
    neutral.Turn,
    neutral.Tool,
    neutral.ToolChoice,
    neutral.OutputFormat,
    neutral.Reasoning,
    Request,
]
SAYS_NOTHING: tuple[Any, ...] = (None, "", (), {}, False)


def test_a_request_asks_for_nothing_that_the_client_did_not() -> None:
    asked = Request(Dialect.CHAT, "m", ())
    said = {field.name: getattr(asked, field.name) for field in fields(asked)}
    said = {name: value for name, value in said.items() if value not in SAYS_NOTHING}
    assert said == {"dialect": Dialect.CHAT, "model": "m", "system_role": "system"}


@pytest.mark.parametrize("kind", VALUES)
def test_defaults_say_nothing(kind: Any) -> None:
    """So a builder need not tell a default from a client's wish; the dialect and the leading role alone name one."""
    said = {field.name for field in fields(kind) if field.default not in (MISSING, *SAYS_NOTHING)}
    assert said <= {"dialect", "system_role"}


@pytest.mark.parametrize("kind", VALUES)
def test_nothing_can_be_changed_on_the_way_or_shared(kind: Any) -> None:
    needed = [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    one, other = (kind(**dict.fromkeys(needed, "x")) for _ in range(2))
    assert one == other
    for field in fields(kind):
        if isinstance(getattr(one, field.name), dict):
            assert getattr(one, field.name) is not getattr(other, field.name)
        with pytest.raises(FrozenInstanceError):
            setattr(one, field.name, "y")


def test_equal_turns_are_equal_requests() -> None:
    """What a client sends again is found again by its value."""
    first, second = (Request(Dialect.MESSAGES, "m", (Turn("user", (Text("Hi"),)),)) for _ in range(2))
    assert first == second
    assert first != Request(Dialect.MESSAGES, "m", (Turn("user", (Text("Ho"),)),))
