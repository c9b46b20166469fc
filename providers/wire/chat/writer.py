"""Writers of the chat dialect: any provider's events → a stream of chunks, or a plain chat completion.

Strategy: chunks are deltas in an envelope (``deltas``, ``chunks``); the plain body is what an accumulator makes of the
same deltas. Everything that ends a stream (finish chunk, usage chunk if it was asked for, ``[DONE]``) waits for the
provider's own end, because the finish reason and the counts may be overwritten until then.
"""

from typing import Any

from providers.wire.chat.chunks import Envelope, around, encode
from providers.wire.chat.deltas import Delta, Deltas
from providers.wire.events import Event, Terminal, Text
from providers.wire.writer import Answering

_FIRST = {"role": "assistant"}
_OPEN = '{"index":0,"delta":'
_GOES_ON = ',"finish_reason":null}'


class StreamWriter:
    """A streamed chat completion."""

    def __init__(self, answering: Answering) -> None:
        self._envelope = Envelope(answering, "chat.completion.chunk")
        self._deltas = Deltas(answering)
        self._begun = False
        self._ended = False

    def write(self, event: Event) -> bytes:
        """The chunk that an event becomes; none behind the end."""
        if self._ended:
            return b""
        if not isinstance(event, Text):
            said = around(self._envelope, event)
            if said is not None:
                return said
            if isinstance(event, Terminal):
                return self.close()
        delta = self._deltas.take(event)
        return self._envelope.chunk(f"{_OPEN}{encode(self._first(delta))}{_GOES_ON}") if delta else b""

    def close(self) -> bytes:
        """The end of a good stream, once."""
        if self._ended:
            return b""
        self._ended = True
        delta = self._deltas.finish()
        if not self._begun:
            delta = {"content": "", **delta}
        choice = f'{_OPEN}{encode(self._first(delta))},"finish_reason":"{self._deltas.finish_reason}"}}'
        return self._envelope.chunk(choice) + self._envelope.end()

    def _first(self, delta: Delta) -> Delta:
        """The delta, with the role in the first one alone: accumulators would join it."""
        if self._begun:
            return delta
        self._begun = True
        return {**_FIRST, **delta}


class BodyWriter:
    """A plain chat completion."""

    def __init__(self, answering: Answering) -> None:
        self._envelope = Envelope(answering, "chat.completion")
        self._deltas = Deltas(answering)
        self._message = Accumulator()
        self._ended = False

    def write(self, event: Event) -> bytes:
        """Collect; a plain answer is written when it is whole."""
        if around(self._envelope, event) is None and (delta := self._deltas.take(event)):
            self._message.add(delta)
        return b""

    def close(self) -> bytes:
        """The whole answer, once."""
        if self._ended:
            return b""
        self._ended = True
        self._message.add(self._deltas.finish())
        message = {"role": "assistant", "content": None, "refusal": None, **self._message.value()}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._deltas.finish_reason}
        body: dict[str, Any] = {**self._envelope.fields(), "choices": [choice]}
        if usage := self._envelope.counts.to_json():
            body["usage"] = usage
        return encode(body).encode()


class Accumulator:
    """Joins deltas as the openai SDK does, keeping the pieces of a text until the end."""

    def __init__(self) -> None:
        self._value: dict[str, Any] = {}

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        _merge(self._value, delta)

    def value(self) -> Delta:
        """The message, without the indices that only fragments need."""
        message: Delta = _joined(self._value)
        for key in ("tool_calls", "annotations", "images"):
            for entry in message.get(key, ()):
                del entry["index"]
        return message


_WHOLE = ("provider_fields",)  # comes once and holds values of its own


def _merge(into: dict[str, Any], delta: Delta) -> None:
    for key, value in delta.items():
        if isinstance(value, str) and key != "type":
            into.setdefault(key, []).append(value)
        elif isinstance(value, dict) and key not in _WHOLE:
            _merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            entries = into.setdefault(key, {})
            for entry in value:
                _merge(entries.setdefault(entry["index"], {}), entry)
        else:
            into[key] = value


def _joined(value: dict[str, Any]) -> dict[str, Any]:
    return {key: entry if key in _WHOLE else _join(entry) for key, entry in value.items()}


def _join(value: Any) -> Any:
    if isinstance(value, list):
        return "".join(value)
    if not isinstance(value, dict):
        return value
    if 0 in value:  # entries by index, dense
        return [_joined(value[index]) for index in sorted(value)]
    return _joined(value)
