"""Readers of the responses dialect: an answer, streamed and whole, and a token count.

Strategy: an event means what its data's ``type`` says. ``response.completed`` and ``response.incomplete`` are the good
ends; they carry the whole answer, from which is taken what never came as an event. A whole answer is read as such an
end.
"""

import re
from collections.abc import Callable

from providers.wire.events import Begin, Comment, Event, Failure, Finish, FinishReason, Opaque, Terminal, Usage
from providers.wire.reader import BodyReader, Reader, StreamReader
from providers.wire.responses.items import TEXTS, Items
from providers.wire.responses.usage import usage_of
from providers.wire.timings import tell_timings
from providers.wire.values import count, mapping, raw_json, says_something, string, whole

_INCOMPLETE = {
    "": FinishReason.LENGTH,  # cut, and nobody says by what
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSAL,
    "max_messages": FinishReason.PAUSE,
    "steered": FinishReason.PAUSE,
}
_ENDED_BADLY = ("failed", "cancelled")
_ENDED = ("completed", "incomplete", *_ENDED_BADLY)
_COUNTED_HERE = frozenset(
    ("input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details", "total_tokens")
)
_DONE = "[DONE]"  # some providers send it behind the end; it says nothing here
# How far a tool is that the provider runs itself, and what it was called with in pieces: its item says all of that.
_PROGRESS = re.compile(r"(?:response\.(?:\w+_call(?:_\w+)?|mcp_list_tools)\.\w+|(?:response\.)?keepalive|ping)$")


class _Answer:
    """One answer: response objects in, events out."""

    def __init__(self) -> None:
        self.items = Items()
        self._begun: Begin | None = None

    def begin(self, response: dict[str, object], out: list[Event]) -> None:
        """Take the response object of ``created``, or what comes instead; llama-server names the model at the end."""
        begin = Begin(whole(string(response.get("id"))), whole(string(response.get("model"))))
        if self._begun is None or (begin.model and not self._begun.model):
            self._begun = begin
            out.append(begin)

    def end(self, response: dict[str, object], status: str, out: list[Event]) -> bool:
        """Take the whole response; say whether it ended well."""
        self.begin(response, out)
        self.items.rest(response.get("output"), out)
        usage = usage_of(response)
        if usage != Usage():
            out.append(usage)
        _tell_others(mapping(response.get("usage")), out)
        if status in _ENDED_BADLY:
            out.append(_failure(response, status))
            return False
        if status == "completed":
            out.append(Finish(self._completed(), status))
        elif status == "incomplete":
            reason = string(mapping(response.get("incomplete_details")).get("reason"))
            out.append(Finish(_INCOMPLETE.get(reason, FinishReason.UNKNOWN), reason or status))
        return True

    def _completed(self) -> FinishReason:
        if self.items.called:
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if self.items.refused else FinishReason.STOP


class ResponsesStreamReader(StreamReader):
    """A streamed answer."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = _Answer()
        self._ended = False
        items = self._answer.items
        self._handlers: dict[str, Callable[[dict[str, object], list[Event]], None]] = {
            "response.created": self._begin,
            "response.in_progress": self._begin,
            "response.queued": self._begin,
            "response.output_item.added": items.added,
            "response.output_item.done": items.done,
            "response.output_text.annotation.added": items.annotated,
            "response.content_part.added": _nothing,
            "response.content_part.done": _nothing,
            "response.reasoning_summary_part.added": _nothing,
            "response.reasoning_summary_part.done": _nothing,
            "response.completed": self._end,
            "response.incomplete": self._end,
            "response.failed": self._end,
            "response.cancelled": self._end,
            "response.done": self._end,  # some gateways' word for any end
        }

    def take(self, event: str, data: str, out: list[Event]) -> None:
        """Take one event."""
        value = self.parse(event, data, out) if data != _DONE else None
        if value is None:
            return
        kind = string(value.get("type")) or event
        if self._ended:  # an answer has one end
            out.append(Opaque(whole(data), kind))
            return
        if handle := self._handlers.get(kind):
            handle(value, out)
            return
        what, _, step = kind.removeprefix("response.").rpartition(".")
        if what in TEXTS and step == "delta":
            self._answer.items.grow(what, value, out)
        elif what in TEXTS and step == "done":
            self._answer.items.settle(what, value, out)
        elif _PROGRESS.match(kind):
            out.append(Comment(kind))
        else:
            out.append(Opaque(whole(data), kind))

    def finish(self, out: list[Event]) -> None:
        """The bytes have ended; an end without the event that says so is none."""
        self._answer.items.cut(out)

    def body(self) -> BodyReader:
        """The same answer whole."""
        return ResponsesBodyReader()

    def _begin(self, event: dict[str, object], out: list[Event]) -> None:
        self._answer.begin(mapping(event.get("response")), out)

    def _end(self, event: dict[str, object], out: list[Event]) -> None:
        if self.failed:
            return
        self._ended = True
        response = mapping(event.get("response"))
        tell_timings(event, out)
        if self._answer.end(response, _status(string(event.get("type")), response), out):
            out.append(Terminal())


class ResponsesBodyReader(BodyReader):
    """A whole answer; one that runs in the background is whole too, without a finish."""

    def failure(self, value: object) -> Failure | None:
        """A failed response is an answer too, with counts; any other error body is none."""
        return None if "output" in mapping(value) and "status" in mapping(value) else super().failure(value)

    def read(self, value: object, out: list[Event]) -> None:
        """Read the response object."""
        response = mapping(value)
        if "output" in response or "status" in response:
            tell_timings(response, out)
            _Answer().end(response, string(response.get("status")), out)
        else:
            out.append(Opaque(raw_json(value)))

    def stream(self) -> Reader:
        """The same answer as events."""
        return ResponsesStreamReader()


class InputTokensReader(BodyReader):
    """The answer of ``input_tokens``: ``{"object": "response.input_tokens", "input_tokens": N}``."""

    def read(self, value: object, out: list[Event]) -> None:
        """Read the count."""
        out.append(Begin())
        out.append(Usage(input=count(mapping(value).get("input_tokens"))))

    def stream(self) -> Reader:
        """Nobody streams a count; what came as events is read as an answer's stream."""
        return ResponsesStreamReader()


def _nothing(_event: dict[str, object], _out: list[Event]) -> None:
    """An event that only frames others, whose content comes with them."""


def _status(kind: str, response: dict[str, object]) -> str:
    """How it ended: the worse of what the event and the response say (vLLM sends a cut answer as completed)."""
    told = kind.removeprefix("response."), string(response.get("status"))
    return max((word for word in told if word in _ENDED), key=_ENDED.index, default=_ENDED[0])


def _tell_others(usage: dict[str, object], out: list[Event]) -> None:
    """What was counted beside tokens: OpenRouter's own price of the call, and what others add."""
    others = {name: value for name, value in usage.items() if name not in _COUNTED_HERE and says_something(value)}
    if cost := others.pop("cost", None):
        out.append(Opaque(raw_json(cost), "cost"))
    if others:
        out.append(Opaque(raw_json(others), "usage"))


def _failure(response: dict[str, object], status: str) -> Failure:
    error = mapping(response.get("error"))
    return Failure(
        message=whole(string(error.get("message"))) or f"the response has {status}",
        type=whole(string(error.get("type"))),
        code=whole(string(error.get("code"))) or status,
        raw=raw_json(error) if error else "",
    )
