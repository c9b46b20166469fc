"""The conversation for a Responses provider: ``instructions`` and ``input`` items.

Strategy: a turn is walked once, in order. Texts and what stands with them gather in a message, which is written when a
part of another kind comes: calls, their outputs and reasoning are items of their own. Reasoning without the item that
it led to would be refused, so what is left alone is taken out at the end.
"""

from collections.abc import Callable, Mapping
from typing import Any

from providers.wire import neutral
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.field_names import field_name
from providers.wire.neutral import Opaque, Request, Text, Thinking, ToolResult, ToolUse, Turn
from providers.wire.notes import Notes, Rejected
from providers.wire.responses.build_parts import Marks, Parts
from providers.wire.responses.build_thinking import reasoning_item
from providers.wire.responses.frames import dumps
from providers.wire.tool_names import sent_id

Json = dict[str, object]
_SYSTEM = ("system", "developer")
_EMPTY_ARGUMENTS = "{}"
_FAILED = "[tool error] "
# Blocks that a provider ran or that change a request, without which the conversation is another one.
_NEEDED = frozenset(
    ("container_upload", "tool_reference", "browser_state", "tool_addition", "tool_removal", "input_audio")
)
# A message's own fields that change what it means.
_TURN_REFUSED = frozenset(((Dialect.MESSAGES, "clear_at"), (Dialect.MESSAGES, "output_config")))
# What an item may be that a reasoning item led to.
_LED_TO = frozenset(("function_call", "custom_tool_call", "reasoning"))


def build_input(request: Request, target: Capabilities, notes: Notes, names: Mapping[str, str], body: Json) -> None:
    """Add ``instructions`` and ``input``. ``names`` leads from the client's tool names to those that are sent."""
    walk = _Walk(request, target, notes, names)
    instructions = walk.instructions()
    for turn in request.turns:
        walk.turn(turn)
    if instructions:
        body["instructions"] = instructions
    body["input"] = walk.finish()
    if walk.marks.written >= _MOST_MARKS:
        body["prompt_cache_options"] = {"mode": "explicit"}  # the implicit one would be a fifth


_MOST_MARKS = 4


class _Walk:
    """One walk over the turns of a request."""

    def __init__(self, request: Request, target: Capabilities, notes: Notes, names: Mapping[str, str]) -> None:
        self._request = request
        self._target = target
        self._notes = notes
        self._names = names
        self._turns = field_name(request.dialect, "turns")
        self.marks = Marks(request, target, notes)
        self._parts = Parts(request, target, notes, self.marks)
        self._items: list[Json] = []
        self._said: list[Json] = []  # content parts that are no message yet
        self._role = ""
        self._handlers: dict[type, Callable[[Any], None]] = {
            Text: self._text,
            neutral.Refusal: self._refusal,
            Thinking: self._thinking,
            ToolUse: self._tool_use,
            ToolResult: self._tool_result,
            Opaque: self._opaque,
        }

    def instructions(self) -> str:
        """The system prompt, where one text is all of it; else it becomes the first message, part by part."""
        system = self._request.system
        plain = len(system) == 1 and isinstance(system[0], Text) and system[0].cache is None and self._request.turns
        if plain and isinstance(system[0], Text):
            return system[0].text
        if system:
            self._message(self._target.system_role, system)
        return ""

    def turn(self, turn: Turn) -> None:
        """Take the next message."""
        for name in turn.extra:
            if (self._request.dialect, name) in _TURN_REFUSED:
                path = f"{self._turns}.{name}"
                raise Rejected(path, f"{path} changes what a message means, and the provider has nothing like it")
            self._notes.drop(f"{self._turns}.{name}")
        role = turn.role if turn.role in ("assistant", *_SYSTEM) else "user"
        if role in _SYSTEM and not self._target.mid_system:
            self._notes.approximate(f"{self._turns}.role")
            tagged = (Text("<system>"), *turn.parts, Text("</system>"))
            self._message("user", tagged)
        else:
            self._message(role, turn.parts)

    def finish(self) -> list[Json]:
        """All items."""
        self.marks.finish()
        last = self._request.turns[-1] if self._request.turns else None
        if last is not None and last.role == "assistant" and not self._target.prefill:
            self._notes.approximate(self._turns)  # an answer that was begun is not gone on with
        return self._without_lonely_reasoning()

    def _message(self, role: str, parts: tuple[neutral.Part, ...]) -> None:
        self._role = role
        self.marks.allowed = role != "assistant"
        for part in parts:
            handle = self._handlers.get(type(part))
            if handle is not None:
                handle(part)
            elif role == "assistant" and not isinstance(part, neutral.Audio):
                # pictures and documents that a model made: no item says so
                self._notes.drop(f"{self._turns}.content")
            else:
                self._said += self._parts.content(part)
        self._flush()

    def _flush(self) -> None:
        said, self._said = self._said, []
        if not said:
            return
        if self._role != "assistant":
            self._items.append({"type": "message", "role": self._role, "content": said})
            return
        texts = "".join(str(part["text"]) for part in said)
        self._items.append({"type": "message", "role": "assistant", "content": texts})

    def _text(self, part: Text) -> None:
        if part.citations:
            self._notes.drop(f"{self._turns}.citations")
        self._said += self._parts.content(part)

    def _refusal(self, part: neutral.Refusal) -> None:
        """An assistant's refusal is a content part of its own kind, and such a message has an id."""
        if self._role != "assistant":
            self._said += self._parts.content(Text(part.text))
            return
        self._flush()
        if part.text:
            content = [{"type": "refusal", "refusal": part.text}]
            id_ = f"msg_{len(self._items)}"
            item: Json = {"type": "message", "id": id_, "role": "assistant", "status": "completed", "content": content}
            self._items.append(item)

    def _thinking(self, part: Thinking) -> None:
        self._flush()
        item = reasoning_item(part, self._target, len(self._items))
        if item is None:
            self._notes.drop(f"{self._turns}.{_THINKING.get(self._request.dialect, 'reasoning')}")
        else:
            self._items.append(item)

    def _tool_use(self, part: ToolUse) -> None:
        self._flush()
        self.marks.defer(part.cache)
        for name in part.extra:
            self._notes.drop(f"{self._turns}.tool_calls.{name}")
        call: Json = {
            "type": "custom_tool_call" if part.custom else "function_call",
            "call_id": self._id(part.id),
            "name": self._names.get(part.name, part.name),
        }
        if part.custom:
            call["input"] = part.arguments
        else:
            call["arguments"] = part.arguments if part.arguments.strip() else _EMPTY_ARGUMENTS
        self._items.append(call)

    def _tool_result(self, part: ToolResult) -> None:
        self._flush()
        parts = part.parts
        if part.is_error:
            self._notes.approximate(f"{self._turns}.is_error")
            first = parts[0] if parts else None
            rest = parts[1:] if isinstance(first, Text) else parts
            parts = (Text(_FAILED + (first.text if isinstance(first, Text) else "")), *rest)
        content = [entry for one in parts for entry in self._result_part(one)]
        self.marks.put(part.cache, content)
        plain = len(content) == 1 and content[0].keys() == {"type", "text"}
        kind = "custom_tool_call_output" if part.custom else "function_call_output"
        output: object = content[0]["text"] if plain else content or ""
        self._items.append({"type": kind, "call_id": self._id(part.call_id), "output": output})

    def _result_part(self, part: neutral.Part) -> list[Json]:
        if not isinstance(part, Opaque):
            return self._parts.content(part)
        self._refuse_needed(part)
        self._notes.approximate(f"{self._turns}.content")
        return self._parts.content(Text(dumps(part.raw)))

    def _opaque(self, part: Opaque) -> None:
        """A part that only one dialect has: itself for its own, else left out, if the rest can stand without it."""
        if part.dialect is Dialect.RESPONSES:
            self._flush()
            self._items.append(part.raw)
            return
        self._refuse_needed(part)
        summary = part.raw.get("content")
        if part.type == "compaction" and isinstance(summary, str):  # all that is left of what was said before
            self._notes.approximate(f"{self._turns}.compaction")
            self._text(Text(summary))
        else:
            self._notes.drop(f"{self._turns}.{part.type or 'content'}")

    def _refuse_needed(self, part: Opaque) -> None:
        if part.type in _NEEDED:
            raise Rejected(f"{self._turns}.content", f"the provider has nothing like a {part.type} part")

    def _id(self, own: str) -> str:
        return sent_id(own, self._target.tool_id, self._target.tool_id_length)

    def _without_lonely_reasoning(self) -> list[Json]:
        kept: list[Json] = []
        led_to = False  # whether what follows is an item that reasoning may lead to
        for item in reversed(self._items):
            kind = item.get("type")
            if kind == "reasoning" and not led_to:
                self._notes.drop(f"{self._turns}.{_THINKING.get(self._request.dialect, 'reasoning')}")
                continue
            led_to = kind in _LED_TO or item.get("role") == "assistant" or str(kind).endswith("_call")
            kept.append(item)
        kept.reverse()
        return kept


_THINKING = {Dialect.MESSAGES: "thinking", Dialect.CHAT: "reasoning_content"}
