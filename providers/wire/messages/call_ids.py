"""Ids of tool calls as Anthropic takes them: of its alphabet, each once in a request, the same on call and result.

Strategy: both halves stand in the client's history, so the ids follow from it and need no memory. An id that does not
fit is replaced by one that its own text gives; one that was used before (some servers call every first call ``call_0``)
gets a number; a result belongs to the oldest call of its id that has none yet.
"""

from providers.wire.capabilities import ANY_ID, Capabilities
from providers.wire.tool_names import sent_id

_PATTERN = r"[A-Za-z0-9_-]+"  # the API's rule for tool_use.id
_FROM_NOTHING = "call"


class CallIds:
    """The ids of one request; ask in the order of the history."""

    def __init__(self, target: Capabilities) -> None:
        self._pattern = _PATTERN if target.tool_id == ANY_ID else target.tool_id
        self._longest = target.tool_id_length
        self._used: set[str] = set()
        self._waiting: dict[str, list[str]] = {}

    def of_call(self, own: str) -> str:
        """The id of the next call, whose id in the history is ``own`` ("" if it has none)."""
        sent, number = self._sent(own), 1
        while sent in self._used:
            number += 1
            sent = self._sent(f"{own or _FROM_NOTHING}_{number}")
        self._used.add(sent)
        self._waiting.setdefault(own, []).append(sent)
        return sent

    def of_result(self, own: str) -> str:
        """The id of the call that is answered; where there is none, the provider will say so."""
        waiting = self._waiting.get(own)
        return waiting.pop(0) if waiting else self._sent(own)

    def _sent(self, own: str) -> str:
        return sent_id(own or _FROM_NOTHING, self._pattern, self._longest)
