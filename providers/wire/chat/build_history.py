"""Neutral turns → chat messages (specs: translation 3.2).

Strategy: an assistant's turns in a row are one message, and so is everything between two assistants ordered as chat
wants it: first the results of the tools that were called, one message each, directly behind the call; then what was
said. Pictures and files in results, which a tool's message cannot hold, are said first of that. Instructions between
turns stay where they are.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from providers.wire.chat.build_assistant import AssistantMessage
from providers.wire.chat.build_cache import Marks
from providers.wire.chat.build_parts import Content, Parts, plain
from providers.wire.chat.build_turn_fields import turn_fields
from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Part, Text, ToolResult, Turn

Message = dict[str, Any]

BILLING = "x-anthropic-billing-header"
"""Claude Code's first system block begins so; its text changes with every request, and no prefix cache would hit."""
_SYSTEM = ("system", "developer")
_ERROR = "[tool error] "
_ELSEWHERE = "The result is shown in the next message."


class Messages:
    """The messages of one request."""

    def __init__(self, building: Building, marks: Marks) -> None:
        self._building = building
        self._marks = marks
        self._parts = Parts(building, marks)
        self._out: list[Message] = []

    def build(self, more_instructions: str) -> list[Message]:
        """All messages; ``more_instructions`` is said after the client's own."""
        request = self._building.request
        content = self._instruction_content("system", self._without_billing(request.system))
        if more_instructions:
            content.append({"type": "text", "text": more_instructions})
        if content:
            self._out.append({"role": self._building.target.system_role, "content": plain(content)})
        for is_assistant, turns in groupby(request.turns, lambda turn: turn.role == "assistant"):
            if is_assistant:
                self._assistant(list(turns))
            else:
                self._between(list(turns))
        if self._out and self._out[-1]["role"] == "assistant" and not self._building.target.prefill:
            self._building.approximate("turns", "prefill")
        return self._out

    def _instruction_content(self, neutral_name: str, parts: Sequence[Part]) -> Content:
        content = self._parts.content(parts)
        if other := next((part["type"] for part in content if part["type"] != "text"), ""):
            raise self._building.rejected(neutral_name, other, "instructions are text; say it in a message of the user")
        return content

    def _without_billing(self, system: tuple[Part, ...]) -> tuple[Part, ...]:
        if self._building.request.dialect is not Dialect.MESSAGES:
            return system
        first = system[0] if system else None
        if not (isinstance(first, Text) and first.text.startswith(BILLING)):
            return system
        self._building.drop("system", BILLING)
        return system[1:]

    def _assistant(self, turns: list[Turn]) -> None:
        message = AssistantMessage(self._building, self._marks)
        for turn in turns:
            message.fields.update(turn_fields(turn, self._building))
            message.add(turn.parts)
        if said := message.build():
            self._out.append(said)

    def _between(self, turns: list[Turn]) -> None:
        media: Content = []
        for turn in turns:
            for part in turn.parts:
                if isinstance(part, ToolResult):
                    self._result(part, media)
        for turn in turns:
            rest: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
            if turn.role in _SYSTEM:
                self._instructions(turn, rest)
            elif rest or not turn.parts:
                content = media + self._parts.content(rest)
                media = []
                self._user(turn, content)
        if media:
            self._user(Turn("user", ()), media)

    def _user(self, turn: Turn, content: Content) -> None:
        self._out.append({"role": "user", "content": plain(content), **turn_fields(turn, self._building)})

    def _instructions(self, turn: Turn, parts: list[Part]) -> None:
        """Instructions in the middle: as such where the provider takes them, else as a marked message of the user."""
        content = self._instruction_content("turns", parts)
        fields = turn_fields(turn, self._building)
        if not content:
            return
        if self._building.target.mid_system:
            self._out.append({"role": self._building.target.system_role, "content": plain(content), **fields})
            return
        self._building.approximate("turns", turn.role)
        tag = "system"
        tagged = [{"type": "text", "text": f"<{tag}>"}, *content, {"type": "text", "text": f"</{tag}>"}]
        said = plain(content)
        self._out.append(
            {"role": "user", "content": f"<{tag}>\n{said}\n</{tag}>" if isinstance(said, str) else tagged, **fields}
        )

    def _result(self, result: ToolResult, media: Content) -> None:
        call_id = self._building.call_id(result.call_id)
        content = self._parts.content(result.parts)
        texts = [part for part in content if part["type"] == "text"]
        others = [part for part in content if part["type"] != "text"]
        if others:
            self._building.approximate("turns", "tool_result.content")
            media.append({"type": "text", "text": f"Result of the tool call {call_id}:"})
            media += others
            if not texts:
                texts = [{"type": "text", "text": _ELSEWHERE}]
        if result.is_error:
            self._building.approximate("turns", "tool_result.is_error")
            texts = texts or [{"type": "text", "text": ""}]
            texts[0]["text"] = _ERROR + texts[0]["text"]
        if texts and result.cache:
            self._marks.put(texts[-1], result.cache)
        elif result.cache:
            self._marks.hand_on(result.cache)
        self._out.append({"role": "tool", "tool_call_id": call_id, "content": plain(texts)})
