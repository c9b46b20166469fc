from dataclasses import replace

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, OutputFormat
from providers.wire.notes import Rejected
from tests.providers.wire.responses.building import OPENAI, built, request

SCHEMA: Json = {"type": "object"}
FORMAT = {"type": "json_schema", "name": "output", "schema": SCHEMA}
ASKED = "Answer with one JSON object and nothing else."


@pytest.mark.parametrize(
    ("output", "structured", "text", "asked"),
    [
        (OutputFormat("text"), "json_schema", None, ""),
        (OutputFormat("json_object"), "json_schema", {"format": {"type": "json_object"}}, ""),
        (OutputFormat("json_object"), "", None, ASKED),
        (OutputFormat("json_schema", SCHEMA), "json_schema", {"format": FORMAT}, ""),
        (
            OutputFormat("json_schema", SCHEMA, "n", "d", False),
            "json_schema",
            {"format": {**FORMAT, "name": "n", "description": "d", "strict": False}},
            "",
        ),
        (OutputFormat("json_schema"), "json_schema", {"format": {**FORMAT, "schema": {}}}, ""),
        (
            OutputFormat("json_schema", SCHEMA),
            "json_object",
            {"format": {"type": "json_object"}},
            f'{ASKED} It must be valid against this JSON schema: {{"type":"object"}}',
        ),
    ],
)
def test_the_shape_of_the_answer(output: OutputFormat, structured: str, text: Json | None, asked: str) -> None:
    body, notes = built(request(output=output), replace(OPENAI, structured=structured))
    assert body.get("text") == text
    last = body["input"][-1]
    assert (last["content"] if last["role"] == "system" else "") == asked
    assert notes == ("approximated=output_config.format" if asked else "")


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(Rejected, match="grammar") as refused:
        built(request(Dialect.CHAT, output=OutputFormat("grammar")))
    assert refused.value.field == "response_format"
