"""The neutral request → the body of a Messages request, for a client of any other dialect.

Strategy: each step puts its own fields into the body, in an order in which each finds what it depends on (thinking
looks at the tool choice, sampling at thinking). What is lost is noted by the step that loses it.
"""

from providers.wire.capabilities import Capabilities
from providers.wire.messages.build_output import add_output
from providers.wire.messages.build_reasoning import add_reasoning, add_sampling, bound
from providers.wire.messages.build_tools import tool_choice, tools
from providers.wire.messages.build_turns import Conversation
from providers.wire.messages.building import Building, renamed_tools
from providers.wire.messages.extras import add_extras
from providers.wire.neutral import Json, Request
from providers.wire.notes import Notes

_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def build_request(request: Request, target: Capabilities, notes: Notes) -> Json:
    """The body; ``model`` is the request's own, the caller renames it. Raises Rejected in the client's words."""
    building = Building(request, target, notes)
    conversation = Conversation(building)
    body: Json = {"model": request.model, "max_tokens": bound(building)}
    system = conversation.system
    _add_tools(building, body)
    add_extras(building, body)
    add_reasoning(building, body, in_tool_loop=conversation.is_in_tool_loop())
    add_sampling(building, body)
    add_output(building, body, system)
    _add_rest(building, body)
    if system:
        body["system"] = system
    body["messages"] = conversation.messages()
    return body


def tool_names(request: Request, target: Capabilities) -> dict[str, str]:
    """Lead from the tool names that are sent back to the client's own, where they differ."""
    return {sent: own for own, sent in renamed_tools(request, target).items()}


def _add_tools(building: Building, body: Json) -> None:
    """A choice without tools is refused by the API, and asks for nothing."""
    built = tools(building)
    choice = tool_choice(building)
    if built:
        body["tools"] = built
        if choice is not None:
            body["tool_choice"] = choice
    elif building.request.tool_choice is not None:
        building.drop("tool_choice")


def _add_rest(building: Building, body: Json) -> None:
    request = building.request
    if request.stream:
        body["stream"] = True
    if request.user:
        body["metadata"] = {"user_id": request.user}
    if request.service_tier:
        body["service_tier"] = _TIERS.get(request.service_tier, "auto")
        if request.service_tier not in _TIERS:
            building.approximate("service_tier")
    building.mark(body, request.cache)
