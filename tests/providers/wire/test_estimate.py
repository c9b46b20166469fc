"""The stated rule, part by part."""

import pytest

from providers.wire import neutral
from providers.wire.endpoints import Dialect
from providers.wire.estimate import estimate_tokens


def of(*parts: neutral.Part, **more: object) -> int:
    turns = (neutral.Turn("user", parts),) if parts else ()
    return estimate_tokens(neutral.Request(Dialect.CHAT, "m", turns, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (neutral.Text("a" * 400), 100),
        (neutral.Text("ž" * 400), 200),
        (neutral.Text("\ud83d"), 1),
        (neutral.Refusal("abcde"), 2),
        (neutral.Image(url="https://x/"), 1600),
        (neutral.Document(data="A" * 400_000, media_type="application/pdf"), 7500),
        (neutral.Document(url="https://x/"), 1500),
        (neutral.Document(text="a" * 40, title="b" * 8, context="c" * 8), 14),
        (neutral.Document(parts=(neutral.Text("a" * 40), neutral.Image(data="x"))), 1610),
        (neutral.Audio(data="A" * 64_000), 15),
        (neutral.Audio(id="audio_1"), 1),
        (neutral.ToolUse("id", "name", '{"x": 1}'), 7),
        (neutral.ToolResult("id", (neutral.Text("a" * 40),)), 14),
        (neutral.SearchResult("abcd", "efgh", (neutral.Text("ijkl"),)), 3),
        (neutral.Opaque(Dialect.MESSAGES, "odd", {"a": 1}), 2),
        (neutral.Thinking("abcd", summary=("efgh",)), 2),
    ],
)
def test_a_part(part: neutral.Part, tokens: int) -> None:
    assert of(part) == 4 + tokens


def test_system_tools_and_format_count() -> None:
    """Without them a coding agent's prompt would be told a tenth of its size."""
    schema: neutral.Json = {"type": "object"}  # 17 bytes
    tool = neutral.Tool("function", "name", "a" * 40, schema)
    server = neutral.Tool("server", "web_search", raw={"type": "web_search"})  # 21 bytes
    assert of(system=(neutral.Text("a" * 40),)) == 14
    assert of(tools=(tool,)) == 8 + 1 + 10 + 5
    assert of(tools=(neutral.Tool("function", "name"),)) == 9
    assert of(tools=(server,)) == 8 + 6
    assert of(output=neutral.OutputFormat("json_schema", schema)) == 5


def test_nothing_is_one() -> None:
    assert of() == 1
