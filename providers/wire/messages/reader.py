"""Readers of the messages dialect: an answer, streamed and whole, and a token count.

Strategy: an event means what its data's ``type`` says; the SSE name is not needed (some servers leave it out). A whole
answer is read as a ``message_start`` that is already filled, which real streams contain too (programmatic tool
calling). The end is ``message_stop`` and nothing else.
"""

from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Finish,
    FinishReason,
    Opaque,
    Terminal,
    Usage,
)
from providers.wire.messages.blocks import Blocks
from providers.wire.messages.usage import Counters
from providers.wire.reader import BodyReader, Reader, StreamReader
from providers.wire.values import count, mapping, raw_json, string, whole

_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.REFUSAL,
    "pause_turn": FinishReason.PAUSE,
}
_MESSAGE_READ_HERE = {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage"}
_DONE = "[DONE]"  # some gateways send it behind message_stop; it says nothing here
_METRICS = "amazon-bedrock-invocationMetrics"


class _Answer:
    """One answer: messages and message deltas in, events out."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.begun = False
        self._id = ""
        self._counters = Counters()
        self._finish: Finish | None = None

    def message(self, message: dict[str, object], out: list[Event]) -> None:
        """Take a message object: a whole answer, or the beginning of one."""
        self.begun = True
        self._id = whole(string(message.get("id")))
        out.append(Begin(self._id, whole(string(message.get("model")))))
        self.blocks.whole(message.get("content"), out)
        self.usage(mapping(message.get("usage")), out)
        self.finish(message, out)
        self._tell(message, out)

    def is_same(self, message: dict[str, object]) -> bool:
        """Whether a further ``message_start`` only repeats the first."""
        return self._id != "" and string(message.get("id")) == self._id and not message.get("content")

    def delta(self, event: dict[str, object], out: list[Event]) -> None:
        """Take a ``message_delta``: why it stopped, and counts."""
        delta = mapping(event.get("delta"))
        self.usage(mapping(event.get("usage")), out)
        self.finish(delta, out)
        self._tell(delta, out)
        self._tell({key: value for key, value in event.items() if key != "delta"}, out)

    def stop(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``message_stop``; Bedrock puts counts there."""
        self.blocks.cut(out)
        self.usage(mapping(event.get("usage")), out)
        if not self._counters and (counted := self._counters.update_bedrock(mapping(event.get(_METRICS)))):
            out.append(counted)
        self.end(out)

    def end(self, out: list[Event]) -> None:
        """Tell what is only known at the end: what was counted beside tokens."""
        if others := self._counters.others():
            out.append(Opaque(raw_json(others), "usage"))

    def usage(self, usage: dict[str, object], out: list[Event]) -> None:
        """Take a ``usage`` object."""
        if counted := self._counters.update(usage):
            out.append(counted)

    def finish(self, source: dict[str, object], out: list[Event]) -> None:
        """Take the stop reason, if there is one."""
        raw = string(source.get("stop_reason"))
        if not raw:
            return
        if source.get("stop_details"):
            out.append(Opaque(raw_json(source["stop_details"]), "stop_details"))
        finish = Finish(_REASONS.get(raw, FinishReason.UNKNOWN), raw, whole(string(source.get("stop_sequence"))))
        if finish != self._finish:
            self._finish = finish
            out.append(finish)

    @staticmethod
    def _tell(source: dict[str, object], out: list[Event]) -> None:
        for key, value in source.items():
            if value and key not in _MESSAGE_READ_HERE:
                out.append(Opaque(raw_json(value), key))


class MessagesStreamReader(StreamReader):
    """A streamed answer."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = _Answer()
        self._ended = False

    def take(self, event: str, data: str, out: list[Event]) -> None:
        """Take one event."""
        value = self.parse(event, data, out) if data != _DONE else None
        if value is None:
            return
        kind = value.get("type") or event
        if self._ended:  # an answer has one end
            if kind != "message_stop":
                out.append(Opaque(whole(data), string(kind)))
        elif kind == "content_block_delta":
            self._answer.blocks.delta(value.get("index"), mapping(value.get("delta")), out)
        elif kind == "content_block_start":
            self._answer.blocks.start(value.get("index"), mapping(value.get("content_block")), out)
        elif kind == "content_block_stop":
            self._answer.blocks.stop(value.get("index"), out)
        else:
            self._around(string(kind), value, data, out)

    def finish(self, out: list[Event]) -> None:
        """The bytes have ended; only ``message_stop`` would have been a good end."""
        self._answer.blocks.cut(out)

    def body(self) -> BodyReader:
        """The same answer whole."""
        return MessagesBodyReader()

    def _around(self, kind: str, value: dict[str, object], data: str, out: list[Event]) -> None:
        match kind:
            case "message_start" if not self._answer.begun:
                self._answer.message(mapping(value.get("message")), out)
            case "message_delta":
                self._answer.delta(value, out)
            case "message_stop":
                self._answer.stop(value, out)
                if not self.failed:
                    self._ended = True
                    out.append(Terminal())
            case "ping":
                out.append(Comment("ping"))
            case "message_start" if self._answer.is_same(mapping(value.get("message"))):
                out.append(Comment("message_start"))
            case _:  # also a second message_start, of an answer that was spliced
                out.append(Opaque(whole(data), kind))


class MessagesBodyReader(BodyReader):
    """A whole answer."""

    def read(self, value: object, out: list[Event]) -> None:
        """Read the message."""
        message = mapping(value)
        if "content" in message:
            answer = _Answer()
            answer.message(message, out)
            answer.end(out)
        else:
            out.append(Opaque(raw_json(value)))

    def stream(self) -> Reader:
        """The same answer as events."""
        return MessagesStreamReader()


class TokenCountReader(BodyReader):
    """The answer of ``count_tokens``: ``{"input_tokens": N}``."""

    def read(self, value: object, out: list[Event]) -> None:
        """Read the count."""
        answer = mapping(value)
        out.append(Begin())
        out.append(Usage(input=count(answer.get("input_tokens"))))

    def stream(self) -> Reader:
        """Nobody streams a count; what came as events is read as an answer's stream."""
        return MessagesStreamReader()
