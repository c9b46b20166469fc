"""Readers of the chat dialect: chat completions and completions, streamed and whole, embeddings and rerank.

Strategy: a whole answer is read as one large chunk, so there is one mapping for both forms. The end of a stream is
``[DONE]``, or the end of the bytes after a finish reason (several providers never send ``[DONE]``); after an error
there is no good end.
"""

from providers.wire.chat.envelope import Envelope
from providers.wire.chat.native import NativeCompletion
from providers.wire.chat.usage import usage_of
from providers.wire.events import Begin, Event, Opaque, Terminal, Usage, Vectors
from providers.wire.reader import BodyReader, Reader, StreamReader
from providers.wire.values import mapping, raw_json, sequence, string, whole

_DONE = "[DONE]"


class ChatStreamReader(StreamReader):
    """A streamed chat completion."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = Envelope()
        self._ended = False

    def take(self, event: str, data: str, out: list[Event]) -> None:
        """Take one chunk, or ``[DONE]``."""
        if data == _DONE:
            self._end(out)
            return
        chunk = self.parse(event, data, out)
        if chunk is not None:
            self.chunk(chunk, out)

    def chunk(self, chunk: dict[str, object], out: list[Event]) -> None:
        """Take one parsed chunk that is no error."""
        self._answer.take(chunk, out)

    def finish(self, out: list[Event]) -> None:
        """The bytes have ended: well if a finish reason was seen, else cut off."""
        if self._answer.choice.finished:
            self._end(out)
        else:
            self._answer.choice.end(out)

    def body(self) -> BodyReader:
        """The same answer whole."""
        return ChatBodyReader()

    def _end(self, out: list[Event]) -> None:
        if not (self._ended or self.failed or self._answer.failed):
            self._ended = True
            self._answer.end(out)
            out.append(Terminal())


class ChatBodyReader(BodyReader):
    """A whole chat completion."""

    def read(self, value: object, out: list[Event]) -> None:
        """Read the answer as one large chunk."""
        answer = mapping(value)
        if "choices" not in answer:
            out.append(Opaque(raw_json(value)))
            return
        envelope = Envelope()
        envelope.take(answer, out)
        if not envelope.failed:
            envelope.end(out)

    def stream(self) -> Reader:
        """The same answer as events."""
        return ChatStreamReader()


class CompletionsStreamReader(ChatStreamReader):
    """A streamed completion, in OpenAI's format or in llama-server's own."""

    def __init__(self) -> None:
        super().__init__()
        self._native = NativeCompletion(self._answer.choice)

    def chunk(self, chunk: dict[str, object], out: list[Event]) -> None:
        """Take one parsed chunk that is no error."""
        if self._native.is_one(chunk):
            self._native.take(chunk, out)
        else:
            super().chunk(chunk, out)

    def body(self) -> BodyReader:
        """The same answer whole."""
        return CompletionsBodyReader()


class CompletionsBodyReader(ChatBodyReader):
    """A whole completion, in OpenAI's format or in llama-server's own."""

    def read(self, value: object, out: list[Event]) -> None:
        """Read the answer as one large chunk."""
        answer = mapping(value)
        if NativeCompletion.is_one(answer):
            NativeCompletion(Envelope().choice).take(answer, out)
        else:
            super().read(value, out)

    def stream(self) -> Reader:
        """The same answer as events."""
        return CompletionsStreamReader()


class EmbeddingsBodyReader(BodyReader):
    """Embeddings: OpenAI's ``{"data": [...]}``, or the plain list of llama-server's bare ``/embeddings``."""

    def read(self, value: object, out: list[Event]) -> None:
        """Count the vectors; their numbers are nobody's business here."""
        answer = mapping(value)
        entries = sequence(value) or sequence(answer.get("data"))
        _begin(answer, out)
        out.append(Vectors(len(entries), _dimensions(mapping(entries[0]).get("embedding")) if entries else 0))
        _usage(answer, out)

    def stream(self) -> Reader:
        """Nobody streams embeddings; what came as events is read as a chat stream, where errors look the same."""
        return ChatStreamReader()


class RerankBodyReader(BodyReader):
    """Rerank results: ``{"results": [...]}`` (Jina's form, llama-server), ``{"data": [...]}`` or a plain list (TEI)."""

    def read(self, value: object, out: list[Event]) -> None:
        """Count the results."""
        answer = mapping(value)
        entries = sequence(value) or sequence(answer.get("results")) or sequence(answer.get("data"))
        _begin(answer, out)
        out.append(Vectors(len(entries)))
        _usage(answer, out)

    def stream(self) -> Reader:
        """As for embeddings."""
        return ChatStreamReader()


def _begin(answer: dict[str, object], out: list[Event]) -> None:
    out.append(Begin(whole(string(answer.get("id"))), whole(string(answer.get("model")))))


def _usage(answer: dict[str, object], out: list[Event]) -> None:
    usage = usage_of(mapping(answer.get("usage")))
    if usage != Usage():
        out.append(usage)


def _dimensions(embedding: object) -> int:
    """How long a vector is: a list of numbers, a list of such lists (one per token), or base64 of 4-byte floats."""
    if isinstance(embedding, str):
        return len(embedding.rstrip("=")) * 3 // 4 // 4
    numbers = sequence(embedding)
    return len(numbers[0]) if numbers and isinstance(numbers[0], list) else len(numbers)
