"""The neutral request → the body of a chat completion, for a provider that is described by its capabilities.

Strategy: each group of fields has its own small module that sets what it can and notes what it cannot; a field that
would change the answer's shape, its safety or its bill is refused. All names in notes and refusals are the client's.
"""

from typing import Any

from providers.wire.capabilities import Capabilities
from providers.wire.chat.build_cache import Marks
from providers.wire.chat.build_extra import decide_extra
from providers.wire.chat.build_history import Messages
from providers.wire.chat.build_settings import (
    set_caller,
    set_limits,
    set_output,
    set_reasoning,
    set_stream,
)
from providers.wire.chat.build_tools import set_tools
from providers.wire.chat.building import Building
from providers.wire.neutral import Request, ToolUse
from providers.wire.notes import Notes
from providers.wire.tool_names import sent_names


def build_request(request: Request, target: Capabilities, notes: Notes) -> dict[str, object]:
    """The request body. Raises Rejected, with the client's name of the field, for what chat cannot be asked."""
    building = Building(request, target, notes, _own_to_sent(request, target))
    marks = Marks(building)
    body: dict[str, Any] = {"model": request.model, "messages": []}
    set_tools(building, marks, body)
    in_words = set_output(building, body)
    body["messages"] = Messages(building, marks).build(in_words)
    set_limits(building, body)
    set_reasoning(building, body)
    set_caller(building, body)
    set_stream(building, body)
    decide_extra(building, body)
    marks.finish(body)
    return body


def tool_names(request: Request, target: Capabilities) -> dict[str, str]:
    """The names that are sent → the client's own, for those that differ."""
    return {sent: own for own, sent in _own_to_sent(request, target).items()}


def _own_to_sent(request: Request, target: Capabilities) -> dict[str, str]:
    used = [tool.name for tool in request.tools]
    used += [part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolUse)]
    return sent_names(used, target.tool_name_length)
