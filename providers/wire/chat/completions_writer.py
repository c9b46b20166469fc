"""Writers of the legacy completions: any provider's events → a stream of text completions, or a plain one.

Strategy: a completion is one text. A refusal is text, too, with the finish reason that says so; reasoning has no place
in it and goes into ``reasoning_content`` beside the text, where llama-server has it in chat. Calls cannot come, because
completions offer no tools; whatever else comes goes into ``provider_fields`` of the last choice.
"""

from typing import Any

from providers.wire.chat.chunks import Envelope, around, encode
from providers.wire.chat.deltas import Delta, Deltas
from providers.wire.events import Event, Terminal
from providers.wire.writer import Answering

_SAID_AS_TEXT = ("content", "refusal")
_BESIDE = ("reasoning_content", "provider_fields", "tool_calls", "annotations", "images")
_FINISH = {"tool_calls": "stop", "function_call": "stop"}  # a completion has no word for it


class _Choice:
    """Deltas of a chat message as those of a completion's choice."""

    def __init__(self, answering: Answering) -> None:
        self._deltas = Deltas(answering)

    def take(self, event: Event) -> Delta:
        return self._choice(self._deltas.take(event))

    def finish(self) -> Delta:
        choice = self._choice(self._deltas.finish()) or {"text": ""}
        reason = self._deltas.finish_reason
        return {**choice, "finish_reason": _FINISH.get(reason, reason)}

    @staticmethod
    def _choice(delta: Delta) -> Delta:
        text = "".join(delta[key] for key in _SAID_AS_TEXT if key in delta)
        beside = {key: delta[key] for key in _BESIDE if key in delta}
        return {"text": text, **beside} if text or beside else {}


class CompletionsStreamWriter:
    """A streamed completion."""

    def __init__(self, answering: Answering) -> None:
        self._envelope = Envelope(answering, "text_completion")
        self._choice = _Choice(answering)
        self._ended = False

    def write(self, event: Event) -> bytes:
        """The chunk that an event becomes."""
        said = around(self._envelope, event)
        if said is not None:
            return said
        if isinstance(event, Terminal):
            return self.close()
        choice = self._choice.take(event)
        return self._chunk({**choice, "finish_reason": None}) if choice else b""

    def close(self) -> bytes:
        """The end of a good stream, once."""
        if self._ended:
            return b""
        self._ended = True
        return self._chunk(self._choice.finish()) + self._envelope.end()

    def _chunk(self, choice: Delta) -> bytes:
        return self._envelope.chunk(encode({"index": 0, "logprobs": None, **choice}))


class CompletionsBodyWriter:
    """A plain completion."""

    def __init__(self, answering: Answering) -> None:
        self._envelope = Envelope(answering, "text_completion")
        self._choice = _Choice(answering)
        self._texts: dict[str, list[str]] = {"text": []}
        self._beside: dict[str, Any] = {}
        self._ended = False

    def write(self, event: Event) -> bytes:
        """Collect; a plain answer is written when it is whole."""
        if around(self._envelope, event) is None:
            self._add(self._choice.take(event))
        return b""

    def close(self) -> bytes:
        """The whole answer, once."""
        if self._ended:
            return b""
        self._ended = True
        self._add(self._choice.finish())
        said = {key: "".join(pieces) for key, pieces in self._texts.items()}
        choice = {"index": 0, "logprobs": None, **said, **self._beside}
        body: dict[str, Any] = {**self._envelope.fields(), "choices": [choice]}
        if usage := self._envelope.counts.to_json():
            body["usage"] = usage
        return encode(body).encode()

    def _add(self, choice: Delta) -> None:
        for key, value in choice.items():
            if isinstance(value, str) and key != "finish_reason":
                self._texts.setdefault(key, []).append(value)
            elif isinstance(value, list):
                self._beside.setdefault(key, []).extend(value)
            else:
                self._beside[key] = value
