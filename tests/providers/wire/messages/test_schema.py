"""Schemas as Anthropic's structured output takes them, beside what the official SDK makes of them."""

import copy
from typing import Any

import pytest
from anthropic import transform_schema

from providers.wire.messages.schema import closed_schema

CLOSED = {"additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 3}}, **CLOSED},
        {
            "type": "object",
            "properties": {"a": {"type": "string", "pattern": "x", "description": "d"}},
            "required": ["a"],
        },
        {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1},
        {"type": "array", "items": {"type": "string", "format": "color"}, "maxItems": 3, "minItems": 2},
        {"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}]},
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
        {"allOf": [{"type": "object", "properties": {}, **CLOSED}]},
        {"$ref": "#/$defs/A", "$defs": {"A": {"enum": ["a", None]}}},
        {"const": 1, "title": "t"},
    ],
)
def test_the_sdk_does_the_same(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    assert closed_schema(schema)[0] == transform_schema(copy.deepcopy(schema))
    assert schema == before


@pytest.mark.parametrize(
    ("schema", "wanted", "says_less"),
    [
        ({"type": "object", "properties": {}, **CLOSED}, {"type": "object", "properties": {}, **CLOSED}, False),
        ({"type": "object"}, {"type": "object", "properties": {}, **CLOSED}, True),
        (
            {"type": ["object", "null"], **CLOSED},
            {"type": ["object", "null"], "properties": {}, **CLOSED},
            False,
        ),
        (
            {"$schema": "x", "properties": {"a": True}, **CLOSED},
            {"properties": {"a": {}}, **CLOSED},
            False,
        ),
        ({"type": "array", "items": True}, {"type": "array", "description": "{items: True}"}, True),
        (
            {"anyOf": 1, "properties": 2, **CLOSED},
            {"description": "{anyOf: 1, properties: 2}", "properties": {}, **CLOSED},
            True,
        ),
        (
            {"definitions": {"A": {"type": "string", "minLength": 1}}, "$ref": "#/definitions/A"},
            {"definitions": {"A": {"type": "string", "description": "{minLength: 1}"}}, "$ref": "#/definitions/A"},
            True,
        ),
    ],
)
def test_beyond_the_sdk(schema: dict[str, Any], wanted: dict[str, Any], says_less: bool) -> None:
    assert closed_schema(schema) == (wanted, says_less)
