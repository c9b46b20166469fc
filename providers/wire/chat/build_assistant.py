"""An assistant's turns → one chat message (specs: translation 3.2, 6.2).

Strategy: text is joined with nothing between, because citations split one sentence into several blocks; texts of
different turns keep an empty line between. Reasoning goes back in the field that the target wants, sealed pieces only
to the target that sealed them.
"""

from collections.abc import Callable, Iterable
from typing import Any

from providers.wire.chat.build_cache import Marks
from providers.wire.chat.build_opaque import text_of_opaque
from providers.wire.chat.building import Building
from providers.wire.chat.call_deltas import wrapped
from providers.wire.neutral import Cache, Opaque, Part, Refusal, Text, Thinking, ToolUse

_BETWEEN_TURNS = "\n\n"
_CARRIED_WITH_CALLS = "extra_content"  # Gemini's thought signatures
_HARMLESS = {"caller": "direct"}  # Anthropic's default, said with every call


class AssistantMessage:
    """One message in the making."""

    def __init__(self, building: Building, marks: Marks) -> None:
        self._building = building
        self._marks = marks
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._reasoning: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._mark: Cache | None = None
        self.fields: dict[str, Any] = {}

    def add(self, parts: Iterable[Part]) -> None:
        """Take one turn's parts."""
        if self._texts:
            self._texts.append(_BETWEEN_TURNS)
        count = len(self._texts)
        for part in parts:
            _PARTS.get(type(part), AssistantMessage._other)(self, part)
        if self._texts and len(self._texts) == count:
            self._texts.pop()  # nothing was said after all

    def build(self) -> dict[str, Any]:
        """The message, or nothing when nothing of it can be said."""
        text = "".join(self._texts)
        message: dict[str, Any] = {"role": "assistant", "content": text or None, **self.fields}
        if text and self._mark:
            message["content"] = [self._marks.put({"type": "text", "text": text}, self._mark)]
        if self._refusals:
            message["refusal"] = "".join(self._refusals)
        if self._details:
            message["reasoning_details"] = self._details
        elif self._reasoning:
            message[self._building.target.reasoning_back] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = self._calls
        elif not text:
            message["content"] = ""
        return message if text or len(message) > len(self.fields) + 2 else {}

    def _text(self, part: Text) -> None:
        if not part.text:
            self._marks.hand_on(part.cache)
            return
        self._texts.append(part.text)
        if part.citations:
            self._building.drop("turns", "citations")
        if self._marks.on_assistants:
            self._mark = part.cache or self._mark
        else:
            self._marks.hand_on(part.cache)

    def _refusal(self, part: Refusal) -> None:
        if self._building.target.openai_extras:
            self._refusals.append(part.text)
        else:
            self._building.approximate("turns", "refusal")
            self._texts.append(part.text)

    def _thinking(self, part: Thinking) -> None:
        target = self._building.target
        is_sealed = bool(part.signature or part.encrypted)
        is_theirs = bool(target.signatures) and part.format == target.signatures
        if target.reasoning_details:
            self._detail(part, sealed=is_theirs)
        elif target.reasoning_back and part.text:
            self._reasoning.append(part.text)
        else:
            self._building.drop("turns", "thinking")
            return
        if is_sealed and not (is_theirs and target.reasoning_details):
            self._building.drop("turns", "thinking.signature")

    def _detail(self, part: Thinking, *, sealed: bool) -> None:
        """OpenRouter's entries of one block: its text, and what only its maker can read."""
        said: dict[str, Any] = {name: value for name, value in (("id", part.id), ("format", part.format)) if value}
        if part.text or (sealed and part.signature):
            entry = {"type": "reasoning.text", "text": part.text, **said}
            if part.summary:
                entry = {"type": "reasoning.summary", "summary": part.text, **said}
            if sealed and part.signature:
                entry["signature"] = part.signature
            self._details.append({**entry, "index": len(self._details)})
        if sealed and part.encrypted:
            entry = {"type": "reasoning.encrypted", "data": part.encrypted, **said}
            self._details.append({**entry, "index": len(self._details)})

    def _call(self, part: ToolUse) -> None:
        call: dict[str, Any] = {"id": self._building.call_id(part.id), "type": "function"}
        name = self._building.tool_name(part.name)
        if part.custom and self._building.target.openai_extras:
            call.update(type="custom", custom={"name": name, "input": part.arguments})
        else:
            arguments = wrapped(part.arguments) if part.custom else part.arguments.strip() and part.arguments
            call["function"] = {"name": name, "arguments": arguments or "{}"}
        for key, value in part.extra.items():
            if key == _CARRIED_WITH_CALLS:
                call[key] = value
            elif not (isinstance(value, dict) and value.get("type") == _HARMLESS.get(key)):
                self._building.drop("turns", f"tool_use.{key}")
        self._calls.append(call)
        self._marks.hand_on(part.cache)

    def _opaque(self, part: Opaque) -> None:
        if text := text_of_opaque(part, self._building):
            self._texts.append(text)

    def _other(self, part: Part) -> None:
        """A picture or a voice of its own, or what only others say: chat has no place for it in an answer."""
        self._building.drop("turns", type(part).__name__.lower())


_PARTS: dict[type[Part], Callable[[AssistantMessage, Any], None]] = {
    Text: AssistantMessage._text,
    Refusal: AssistantMessage._refusal,
    Thinking: AssistantMessage._thinking,
    ToolUse: AssistantMessage._call,
    Opaque: AssistantMessage._opaque,
}
