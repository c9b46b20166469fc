"""The shape of the answer, for a Responses provider: ``text.format``."""

from providers.wire.capabilities import Capabilities
from providers.wire.field_names import field_name
from providers.wire.neutral import Json, OutputFormat, Request
from providers.wire.notes import Notes, Rejected
from providers.wire.responses.frames import dumps
from providers.wire.values import sequence

_NAME = "output"  # of a schema that the client gave no name
_KINDS = ("text", "json_object", "json_schema")


def add_format(request: Request, target: Capabilities, notes: Notes, body: Json) -> None:
    """Add ``text.format``; what the target does not keep to is asked for in words, with a note."""
    output = request.output
    if output is None or output.kind == "text":
        return
    name = field_name(request.dialect, "output")
    if output.kind not in _KINDS:
        raise Rejected(name, f"{name} must be one of {', '.join(_KINDS)}, not {output.kind!r}")
    if output.kind == "json_schema" and target.structured == "json_schema":
        body["text"] = {"format": _schema(output)}
        return
    if target.structured:
        body["text"] = {"format": {"type": "json_object"}}
    if output.kind == "json_schema" or not target.structured:
        notes.approximate(name)
        _ask(body, output)


def _schema(output: OutputFormat) -> Json:
    form: Json = {"type": "json_schema", "name": output.name or _NAME, "schema": output.schema or {}}
    if output.description:
        form["description"] = output.description
    if output.strict is not None:
        form["strict"] = output.strict
    return form


def _ask(body: Json, output: OutputFormat) -> None:
    text = "Answer with one JSON object and nothing else."
    if output.schema:
        text += f" It must be valid against this JSON schema: {dumps(output.schema)}"
    body["input"] = [*sequence(body.get("input")), {"role": "system", "content": text}]
