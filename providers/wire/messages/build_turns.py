"""Neutral turns → ``system`` and ``messages`` of a Messages request.

Strategy: turns of one role that follow each other become one message, so that all results of a round of tool calls
stand first in the message that follows them, as the API demands. The instructions at the beginning become ``system``;
a later one stays where it is: as a message of its own where model and position allow it, else as tagged text of the
user's. It is never moved to the front: that would spoil the cached prefix and change what came before.
"""

from collections.abc import Sequence

from providers.wire.messages.build_blocks import blocks_of
from providers.wire.messages.building import Building
from providers.wire.neutral import Json, Part, Text, Turn

_INSTRUCTIONS = ("system", "developer")
_BOOKKEEPING = frozenset(("id", "status", "type", "object"))  # of a Responses item: says nothing to a model
_GO_ON = "Continue."
_MOST_MARKS = 4


class _Message:
    __slots__ = ("blocks", "results", "role")

    def __init__(self, role: str) -> None:
        self.role = role
        self.results: list[Json] = []
        self.blocks: list[Json] = []

    def add(self, blocks: list[Json]) -> None:
        for block in blocks:
            (self.results if block["type"] == "tool_result" else self.blocks).append(block)


class Conversation:
    """The conversation of one request, built."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._messages: list[_Message] = []
        turns = building.request.turns
        first = next((at for at, turn in enumerate(turns) if turn.role not in _INSTRUCTIONS), len(turns))
        leading = [*building.request.system, *(part for turn in turns[:first] for part in turn.parts)]
        for turn in turns:
            self._note_extra(turn)
        self.system = self._instructions(leading, "system")
        self._take(turns[first:])
        self._end()

    def messages(self) -> list[Json]:
        """The messages, none of them empty."""
        return [{"role": message.role, "content": message.results + message.blocks} for message in self._messages]

    def is_in_tool_loop(self) -> bool:
        """Whether the last assistant message called tools, was answered, and does not begin with its reasoning."""
        if len(self._messages) < 2 or not self._messages[-1].results:
            return False
        blocks = self._messages[-2].blocks
        return bool(blocks) and blocks[0]["type"] not in ("thinking", "redacted_thinking")

    def _take(self, turns: Sequence[Turn]) -> None:
        at = 0
        while at < len(turns):
            turn = turns[at]
            at += 1
            if turn.role not in _INSTRUCTIONS:
                role = "assistant" if turn.role == "assistant" else "user"
                self._add(role, blocks_of(self._building, turn.parts, role))
                continue
            parts = list(turn.parts)
            while at < len(turns) and turns[at].role in _INSTRUCTIONS:
                parts += turns[at].parts
                at += 1
            self._later(parts, before_assistant=at == len(turns) or turns[at].role == "assistant")

    def _later(self, parts: list[Part], *, before_assistant: bool) -> None:
        """An instruction between turns: after a user's message, and last or before an assistant's (specs 3.3)."""
        blocks = self._instructions(parts, "turns")
        after_user = bool(self._messages) and self._messages[-1].role == "user"
        if self._building.target.mid_system and after_user and before_assistant:
            self._add("system", blocks)
            return
        for block in blocks:
            self._building.approximate("turns", ".role")
            block["text"] = f"<system>\n{block['text']}\n</system>"
        self._add("user", blocks)

    def _instructions(self, parts: Sequence[Part], field: str) -> list[Json]:
        """Instructions are text and nothing else."""
        blocks = blocks_of(self._building, parts, "user")
        if any(block["type"] != "text" for block in blocks):
            raise self._building.rejected("an instruction that is no text", field)
        return blocks

    def _add(self, role: str, blocks: list[Json]) -> None:
        if not blocks:
            return
        if not self._messages or self._messages[-1].role != role:
            self._messages.append(_Message(role))
        self._messages[-1].add(blocks)

    def _end(self) -> None:
        """What the API wants of the whole: some message, no unwanted prefill, and no more marks than it takes."""
        if not self._messages and self.system:
            self._building.approximate("turns", ".role")
            self._add("user", self.system)
            self.system = []
        if self._messages and self._messages[-1].role == "assistant":
            self._prefill(self._messages[-1].blocks)
        self._limit_marks()

    def _prefill(self, blocks: list[Json]) -> None:
        """The other dialects let the model answer after its own turn; here it would go on writing that turn."""
        last = blocks[-1]
        if last["type"] == "tool_use":
            return
        if not self._building.target.prefill:
            self._building.approximate("turns", ".assistant")
            self._add("user", [{"type": "text", "text": _GO_ON}])
        elif last["type"] == "text":
            text = str(last["text"]).rstrip()  # "final assistant content cannot end with trailing whitespace"
            if text != last["text"]:
                self._building.approximate("turns", ".assistant")
                last["text"] = text

    def _limit_marks(self) -> None:
        """The last marks matter most: a cached prefix contains all earlier ones."""
        tools = sum(tool.cache is not None for tool in self._building.request.tools)
        top = self._building.request.cache is not None
        messages = [block for message in self._messages for block in (*message.results, *message.blocks)]
        marked = [block for block in (*self.system, *messages) if "cache_control" in block]
        excess = len(marked) - max(0, _MOST_MARKS - tools - top)
        for block in marked[: max(0, excess)]:
            del block["cache_control"]
            self._building.drop("cache")

    def _note_extra(self, turn: Turn) -> None:
        for name in turn.extra:
            if name == "audio":
                raise self._building.rejected("an earlier answer's audio", "turns", ".audio")
            if name not in _BOOKKEEPING:
                self._building.drop("turns", f".{name}")


def instruction(building: Building, text: str) -> Json:
    """One more instruction of the gateway's own, as a system block."""
    return blocks_of(building, (Text(text),), "user")[0]
