"""A message's own fields beside role and content, on their way to a chat provider."""

from typing import Any

from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Turn

_CARRIED = {(Dialect.CHAT, "name")}
_NOISE = {(Dialect.RESPONSES, "id"), (Dialect.RESPONSES, "status"), (Dialect.RESPONSES, "type")}
_REFUSED = {
    (
        Dialect.MESSAGES,
        "clear_at",
    ): "this provider forgets nothing by itself; leave the message out when its time comes",
    (Dialect.MESSAGES, "output_config"): "settings of a single message are not supported; set them for the request",
}


def turn_fields(turn: Turn, building: Building) -> dict[str, Any]:
    """The fields that are carried. Notes the others, or raises Rejected."""
    if not turn.extra:
        return {}
    dialect = building.request.dialect
    for name in turn.extra:
        if why := _REFUSED.get((dialect, name)):
            raise building.rejected("turns", name, why)
        if (dialect, name) not in _CARRIED and (dialect, name) not in _NOISE:
            building.drop("turns", name)
    return {name: value for name, value in turn.extra.items() if (dialect, name) in _CARRIED}
