"""JSON schemas as Anthropic's structured output takes them.

It refuses what it cannot enforce, and wants every object closed. The rules are those of the transformer in the official
SDK (``anthropic/lib/_parse/_transform.py`` of 2.11.0): what is not supported goes into the description, where the model
may still heed it; ``oneOf`` becomes ``anyOf``.
"""

from collections.abc import Callable

from providers.wire.neutral import Json

_KEPT = frozenset(("$ref", "type", "enum", "const", "title", "description", "required"))
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
)
_SILENT = frozenset(("$schema", "$id", "$comment"))  # say nothing about the value


def closed_schema(schema: Json) -> tuple[Json, bool]:
    """The schema as it can be sent, and whether that says less than the client's."""
    lost: list[str] = []
    return _closed(schema, lost), bool(lost)


def _closed(schema: object, lost: list[str]) -> Json:
    if not isinstance(schema, dict):  # true: anything goes
        return {}
    kept: Json = {}
    moved: Json = {}
    for name, value in schema.items():
        if name in _KEPT:
            kept[name] = value
        elif rewrite := _REWRITTEN.get(name):
            rewrite(kept, moved, value, lost)
        elif name not in _SILENT:
            moved[name] = value
    if _is_object(schema):
        if schema.get("additionalProperties") is not False:
            lost.append("additionalProperties")
        kept.setdefault("properties", {})
        kept["additionalProperties"] = False
    if moved:
        lost.extend(moved)
        said = "{" + ", ".join(f"{name}: {value}" for name, value in moved.items()) + "}"
        before = kept.get("description")
        kept["description"] = f"{before}\n\n{said}" if before else said
    return kept


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def _named(name: str) -> Callable[[Json, Json, object, list[str]], None]:
    def rewrite(kept: Json, moved: Json, value: object, lost: list[str]) -> None:
        if isinstance(value, dict):
            kept[name] = {key: _closed(inner, lost) for key, inner in value.items()}
        else:
            moved[name] = value

    return rewrite


def _listed(name: str) -> Callable[[Json, Json, object, list[str]], None]:
    def rewrite(kept: Json, moved: Json, value: object, lost: list[str]) -> None:
        if isinstance(value, list):
            kept[name] = [_closed(inner, lost) for inner in value]
        else:
            moved[name] = value

    return rewrite


def _items(kept: Json, moved: Json, value: object, lost: list[str]) -> None:
    if isinstance(value, dict):
        kept["items"] = _closed(value, lost)
    else:
        moved["items"] = value


def _format(kept: Json, moved: Json, value: object, _lost: list[str]) -> None:
    (kept if value in _FORMATS else moved)["format"] = value


def _min_items(kept: Json, moved: Json, value: object, _lost: list[str]) -> None:
    (kept if value in (0, 1) else moved)["minItems"] = value


def _nothing(_kept: Json, _moved: Json, _value: object, _lost: list[str]) -> None:
    """Said for the whole object, above."""


_REWRITTEN: dict[str, Callable[[Json, Json, object, list[str]], None]] = {
    "properties": _named("properties"),
    "$defs": _named("$defs"),
    "definitions": _named("definitions"),
    "anyOf": _listed("anyOf"),
    "oneOf": _listed("anyOf"),
    "allOf": _listed("allOf"),
    "items": _items,
    "format": _format,
    "minItems": _min_items,
    "additionalProperties": _nothing,
}
