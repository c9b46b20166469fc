import pytest

from providers.wire.endpoints import Dialect
from providers.wire.field_names import field_name


@pytest.mark.parametrize(
    ("neutral", "names"),
    [
        ("turns", ("messages", "messages", "input")),
        ("system", ("messages", "system", "instructions")),
        ("stop", ("stop", "stop_sequences", "stop")),
        ("temperature", ("temperature", "temperature", "temperature")),
    ],
)
def test_each_dialect_has_its_own_words(neutral: str, names: tuple[str, ...]) -> None:
    assert tuple(field_name(dialect, neutral) for dialect in Dialect) == names
