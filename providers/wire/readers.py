"""Which reader listens to which operation's answer."""

from collections.abc import Callable

from providers.wire.chat import reader as chat
from providers.wire.endpoints import Operation
from providers.wire.messages import reader as messages
from providers.wire.reader import Reader
from providers.wire.responses import reader as responses

# Operation → reader of a stream, reader of a plain answer. What is never streamed has the same on both sides. Model
# lists are answered by ourselves; a single one from the local server is no answer of a model: its JSON stays opaque.
_READERS: dict[Operation, tuple[Callable[[], Reader], Callable[[], Reader]]] = {
    Operation.CHAT: (chat.ChatStreamReader, chat.ChatBodyReader),
    Operation.COMPLETIONS: (chat.CompletionsStreamReader, chat.CompletionsBodyReader),
    Operation.EMBEDDINGS: (chat.EmbeddingsBodyReader, chat.EmbeddingsBodyReader),
    Operation.RERANK: (chat.RerankBodyReader, chat.RerankBodyReader),
    Operation.RESPONSES: (responses.ResponsesStreamReader, responses.ResponsesBodyReader),
    Operation.INPUT_TOKENS: (responses.InputTokensReader, responses.InputTokensReader),
    Operation.MESSAGES: (messages.MessagesStreamReader, messages.MessagesBodyReader),
    Operation.COUNT_TOKENS: (messages.TokenCountReader, messages.TokenCountReader),
    Operation.MODELS: (chat.ChatBodyReader, chat.ChatBodyReader),
}


def reader_for(operation: Operation, stream: bool) -> Reader:
    """A new reader for one answer. ``stream`` is what the request asked for; readers cope when the answer differs."""
    streamed, plain = _READERS[operation]
    return streamed() if stream else plain()
