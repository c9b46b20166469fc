"""The answer's shape (specs: translation, section 8)."""

from typing import Any

import pytest

from providers.wire.neutral import OutputFormat, Reasoning, Text
from tests.providers.wire.messages.building_play import OLD, body_of, noted

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
FORMAT = "response_format"


def output(**more: Any) -> OutputFormat:
    return OutputFormat("json_schema", SCHEMA, **more)


def test_text_is_nothing() -> None:
    assert body_of(output=OutputFormat("text")).keys() == body_of().keys()


def test_a_schema() -> None:
    body = body_of(output=output(), reasoning=Reasoning("low"))
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert noted(output=output()) == ""


@pytest.mark.parametrize(
    ("format_", "words"),
    [
        (output(name="x", strict=True), [".name"]),
        (output(strict=False), [".strict"]),
        (OutputFormat("json_schema", {**SCHEMA, "description": "d"}, description="e"), [".description"]),
        (OutputFormat("json_schema", {"type": "object"}), [".schema"]),
    ],
)
def test_what_a_schema_loses(format_: OutputFormat, words: list[str]) -> None:
    header = noted(output=format_)
    assert all(word in header for word in words)
    assert header.count(",") == 0


def test_a_description_goes_into_the_schema() -> None:
    assert body_of(output=output(description="d"))["output_config"]["format"]["schema"]["description"] == "d"
    assert noted(output=output(description="d")) == ""


def test_any_object_is_an_instruction() -> None:
    body = body_of(output=OutputFormat("json_object"), system=(Text("be nice"),))
    assert [block["text"][:15] for block in body["system"]] == ["be nice", "Answer with one"]
    assert noted(output=OutputFormat("json_object")) == f"approximated={FORMAT}"
    assert "output_config" not in body


def test_a_model_without_formats() -> None:
    body = body_of(output=output(), target=OLD)
    assert body["system"][0]["text"].endswith('"additionalProperties":false}')
    assert noted(output=output(), target=OLD) == f"approximated={FORMAT}"
