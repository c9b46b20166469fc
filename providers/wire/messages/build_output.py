"""The shape of the answer → ``output_config.format``, or an instruction where the model has no such thing.

Not the trick with a forced tool: it changes the finish reason and clashes with thinking (specs, section 8).
"""

from providers.wire.messages.build_turns import instruction
from providers.wire.messages.building import Building
from providers.wire.messages.schema import closed_schema
from providers.wire.neutral import Json, OutputFormat
from providers.wire.values import mapping, raw_json

_ONE_OBJECT = "Answer with one JSON object and nothing else: no code fence, no text before or after it."


def add_output(building: Building, body: Json, system: list[Json]) -> None:
    """Put the format into the body, or an instruction behind the others."""
    output = building.request.output
    if output is None or output.kind == "text":
        return
    if output.kind == "json_schema" and output.schema is not None and building.target.structured == "json_schema":
        body["output_config"] = {**mapping(body.get("output_config")), "format": _format(building, output)}
        return
    building.approximate("output")
    text = _ONE_OBJECT
    if output.schema is not None:
        text += f" The object must match this JSON schema:\n{raw_json(output.schema)}"
    system.append(instruction(building, text))


def _format(building: Building, output: OutputFormat) -> Json:
    """Name and description have no place of their own; ``strict: false`` cannot be had, a format is always kept to."""
    schema, says_less = closed_schema(output.schema or {})
    if says_less:
        building.approximate("output", ".schema")
    if output.name:
        building.drop("output", ".name")
    if output.description:
        if "description" in schema:
            building.drop("output", ".description")
        else:
            schema["description"] = output.description
    if output.strict is False:
        building.drop("output", ".strict")
    return {"type": "json_schema", "schema": schema}
