"""Which reader understands a request: one line per dialect."""

from collections.abc import Callable, Mapping

from providers.wire.chat.request import read_request as read_chat
from providers.wire.endpoints import Dialect
from providers.wire.messages.request import read_request as read_messages
from providers.wire.request import RequestSummary
from providers.wire.responses.request import read_request as read_responses

_READERS: dict[Dialect, Callable[[dict[str, object]], RequestSummary]] = {
    Dialect.CHAT: read_chat,
    Dialect.MESSAGES: read_messages,
    Dialect.RESPONSES: read_responses,
}


def summary_of(dialect: str, request: Mapping[str, object]) -> RequestSummary:
    """Read a request's conversation. Raises ValueError for a dialect that is none."""
    return _READERS[Dialect(dialect)](dict(request))
