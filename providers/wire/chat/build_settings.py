"""How the model is to answer: limits, sampling, reasoning, the form, who asks (specs: translation 2.1)."""

import hashlib
from typing import Any

from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.neutral import OutputFormat, Reasoning
from providers.wire.values import mapping, raw_json, sequence

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Share of max_tokens that a budget is → effort; the largest share that is not above it (OpenRouter's published scale).
_SHARES = ((0.2, "low"), (0.5, "medium"), (0.8, "high"), (0.95, "xhigh"))
_BUDGETS = ((2048, "low"), (8192, "medium"))  # tokens, where the answer has no bound; above them: high
_OFF = ("disabled", "between_tools")
_USER_LENGTH = 128  # characters of OpenAI's safety_identifier
# The client's dialect → its tiers in chat's words; others cost something else.
_TIERS: dict[Dialect, dict[str, str]] = {
    Dialect.MESSAGES: {"auto": "auto", "standard_only": "default"},
    Dialect.RESPONSES: {tier: tier for tier in ("auto", "default", "flex", "scale", "priority", "fast")},
    Dialect.CHAT: {tier: tier for tier in ("auto", "default", "flex", "scale", "priority", "fast")},
}
_OBJECT_ONLY = "Answer with one JSON object and nothing else."


def set_limits(building: Building, body: dict[str, Any]) -> None:
    """The bound of the answer, its stop sequences, and sampling."""
    request, target = building.request, building.target
    if request.max_tokens is not None:
        if request.max_tokens < 1:
            raise building.rejected("max_tokens", "", "this provider answers with one token at least; send 1 or more")
        body[target.token_limit] = request.max_tokens
    if len(request.stop) > target.stop_most:
        most = target.stop_most or "no"
        raise building.rejected("stop", "", f"this model takes {most} stop sequences, {len(request.stop)} were sent")
    if request.stop:
        body["stop"] = list(request.stop)
    _sampling(building, body)


def _sampling(building: Building, body: dict[str, Any]) -> None:
    request, target = building.request, building.target
    temperature = request.temperature
    if temperature is not None and temperature > target.temperature_max:
        temperature = target.temperature_max
        if target.temperature:
            building.approximate("temperature")
    values = {"temperature": temperature, "top_p": request.top_p, "top_k": request.top_k}
    accepted = {"temperature": target.temperature, "top_p": target.top_p, "top_k": target.top_k}
    for name, value in values.items():
        if value is None:
            continue
        if accepted[name]:
            body[name] = value
        else:
            building.drop(name)


def set_reasoning(building: Building, body: dict[str, Any]) -> None:
    """How much the model is to think: an effort, or OpenRouter's object that knows budgets, too."""
    reasoning, target = building.request.reasoning, building.target
    if reasoning is None:
        return
    if not reasoning.effort and reasoning.budget and target.reasoning_details and reasoning.mode not in _OFF:
        body["reasoning"] = {"max_tokens": reasoning.budget}
        return
    effort = _effort(building, reasoning)
    if not effort:
        return
    name = "reasoning.effort" if reasoning.effort else "reasoning.budget" if reasoning.budget else "reasoning.mode"
    accepted = _nearest(effort, target.effort)
    if not accepted:
        building.drop(name)
        return
    if accepted != effort or name == "reasoning.budget" or reasoning.mode == "between_tools":
        building.approximate(name)
    if target.reasoning_details:
        body["reasoning"] = {"effort": accepted}
    else:
        body["reasoning_effort"] = accepted


def _effort(building: Building, reasoning: Reasoning) -> str:
    """The effort that is asked for in any of its forms; "" leaves it to the model (Anthropic's ``adaptive``)."""
    if reasoning.effort:
        return reasoning.effort
    if reasoning.mode in _OFF:
        return "none"
    if not reasoning.budget:
        return ""
    bound = building.request.max_tokens
    if bound:
        return min(_SHARES, key=lambda row: abs(row[0] - reasoning.budget / bound if reasoning.budget else 0))[1]
    return next((effort for budget, effort in _BUDGETS if reasoning.budget <= budget), "high")


def _nearest(effort: str, accepted: tuple[str, ...]) -> str:
    """The accepted effort that is nearest. Not to think at all is near to hardly thinking, and to nothing else."""
    if effort in accepted:
        return effort
    if effort not in EFFORTS or effort == "none":
        return "minimal" if effort == "none" and "minimal" in accepted else ""
    place = EFFORTS.index(effort)
    known = [word for word in accepted if word in EFFORTS and word != "none"]
    return min(known, key=lambda word: abs(EFFORTS.index(word) - place), default="")


def set_output(building: Building, body: dict[str, Any]) -> str:
    """The form of the answer. Gives what must be said in words, where the target has no better way."""
    output, best = building.request.output, building.target.structured
    if output is None or output.kind == "text":
        return ""
    if output.kind == "json_schema" and best == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": _schema(building, output)}
        return ""
    if best:
        body["response_format"] = {"type": "json_object"}
        if output.kind != "json_schema":
            return ""
    building.approximate("output")
    if output.schema is None:
        return _OBJECT_ONLY
    return f"{_OBJECT_ONLY} It must match this JSON schema:\n{raw_json(output.schema)}"


def _schema(building: Building, output: OutputFormat) -> dict[str, Any]:
    schema = output.schema or {}
    said: dict[str, Any] = {"name": output.name or "output", "schema": schema}
    if output.description:
        said["description"] = output.description
    if output.strict and building.request.dialect is Dialect.MESSAGES and not _is_closed(schema):
        building.approximate("output", "schema")  # Anthropic allows optional properties, OpenAI's strict does not
    elif output.strict is not None:
        said["strict"] = output.strict
    return said


def _is_closed(schema: object) -> bool:
    """Whether OpenAI takes it as strict: every object has all of its properties required, and no others."""
    if isinstance(schema, list):
        return all(_is_closed(entry) for entry in schema)
    if not isinstance(schema, dict):
        return True
    properties = mapping(schema.get("properties"))
    if schema.get("type") == "object" or properties:
        if schema.get("additionalProperties") is not False or set(properties) - set(map(str, _required(schema))):
            return False
    return all(
        _is_closed(value) for key, value in schema.items() if key not in ("enum", "const", "default", "required")
    )


def _required(schema: dict[str, object]) -> list[object]:
    return sequence(schema.get("required"))


def set_caller(building: Building, body: dict[str, Any]) -> None:
    """Who asks, what the call may cost, and which calls share a prefix."""
    request, extras = building.request, building.target.openai_extras
    if request.user:
        user = request.user
        if len(user) > _USER_LENGTH:
            building.approximate("user")
            user = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
        body["safety_identifier" if extras else "user"] = user
    if extras and request.session:
        body["prompt_cache_key"] = request.session
    if request.service_tier:
        tier = _TIERS[request.dialect].get(request.service_tier, "")
        if extras and tier:
            body["service_tier"] = tier
        elif request.service_tier != "auto":
            building.drop("service_tier")


def set_stream(building: Building, body: dict[str, Any]) -> None:
    """A stream always counts: clients of other dialects get their usage from it."""
    if not building.request.stream:
        return
    body["stream"] = True
    if building.target.include_usage:
        body["stream_options"] = {"include_usage": True}
