"""pydantic's findings as problems that name file, line and key, what is allowed, and the nearest spelling."""

import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from providers.errors import Problem, redact
from providers.registry_file import Document, Place, nearest

_QUOTED = re.compile(r"'([^']*)'")
_WORDS: dict[str, str] = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be letters, digits, '.', '_' and '-', and begin with a letter or a digit",
}


def problems(error: ValidationError, document: Document, root: type[BaseModel], at: Place = ()) -> Iterator[Problem]:
    """Tell each finding of ``error`` about ``root``, which stands at ``at`` in the document."""
    for finding in error.errors(include_url=False):
        inner = tuple(part for part in finding["loc"] if part != "[key]")
        place = (*at, *inner)
        if finding["type"] == "extra_forbidden":
            fields = sorted(model_at(root, inner[:-1]).model_fields)
            word = str(place[-1])
            yield document.problem(place, "is no field here", ", ".join(fields), nearest(word, fields))
        else:
            yield document.problem(place, *_told(finding["type"], finding["msg"], finding["input"], finding.get("ctx")))


def _told(kind: str, message: str, value: object, context: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Return what is wrong, what is allowed, and the nearest spelling. A value is quoted only beside known words."""
    if kind == "literal_error":
        allowed = _QUOTED.findall(str((context or {}).get("expected", "")))
        return f"is {redact(repr(value))}", ", ".join(allowed), nearest(str(value), allowed)
    if kind == "value_error":
        return message.removeprefix("Value error, "), "", ""
    said = _WORDS.get(kind) or message[:1].lower() + message[1:]
    return (said if kind == "missing" else f"{said}, is {_type_name(value)}"), "", ""


_TYPE_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def _type_name(value: object) -> str:
    return "empty" if value in (None, "", [], {}) else _TYPE_NAMES.get(type(value), type(value).__name__)


def model_at(root: type[BaseModel], place: Place) -> type[BaseModel]:
    """Return the model that describes ``place`` below ``root``."""
    annotation: Any = root
    for part in place:
        annotation = _inside(annotation, part)
    return _model(annotation)


def _inside(annotation: Any, part: str | int) -> Any:
    """Step into a field of a model, or into a value of a mapping or a list; each of them may be optional."""
    for option in (annotation, *typing.get_args(annotation)):
        if typing.get_origin(option) in (dict, list):
            return typing.get_args(option)[-1]
    return _model(annotation).model_fields[str(part)].annotation


def _model(annotation: Any) -> type[BaseModel]:
    """Return the model in ``X``, ``X | None`` or an annotated one."""
    options = (annotation, *typing.get_args(annotation))
    return next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
