"""What a route's conditions ask of one call. Each fact is worked out when it is first asked for, and once.

How long a prompt is, in tokens: by the rule of `providers.wire.estimate` where the body can be read; where it cannot
(embeddings, rerank, a shape that nobody knows), one token for every four bytes of the body as compact JSON.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from providers.wire import neutral
from providers.wire.endpoints import Operation
from providers.wire.estimate import estimate_tokens
from providers.wire.notes import Rejected
from providers.wire.session import session_of
from providers.wire.translate import PARSERS
from providers.wire.values import raw_json

Json = dict[str, object]

_BYTES = 4
# Tools stand under these names; the second is the older one of OpenAI.
_TOOLS = ("tools", "functions")


class CallFacts:
    """One call: what it asks for, its parsed body, its headers; ``minute`` tells the minute of the local day."""

    def __init__(
        self, operation: Operation, body: Json, headers: Sequence[tuple[str, str]], minute: Callable[[], int]
    ) -> None:
        self._operation = operation
        self._headers = headers
        self._minute = minute
        self.body = body

    def header(self, name: str) -> list[str]:
        """All values of a header; ``name`` in lower case."""
        return [value for key, value in self._headers if key.lower() == name]

    @cached_property
    def has_tools(self) -> bool:
        """It offers the model at least one tool."""
        return any(self.body.get(name) for name in _TOOLS)

    @cached_property
    def has_images(self) -> bool:
        """An image stands somewhere in the conversation, also in what a tool gave back."""
        request = self._request
        return request is not None and any(_has_image(turn.parts) for turn in request.turns)

    @cached_property
    def tokens(self) -> int:
        """How long the prompt is about, by the rule above."""
        request = self._request
        if request is not None:
            return estimate_tokens(request)
        return max(1, -(-len(raw_json(self.body).encode()) // _BYTES))

    @cached_property
    def session(self) -> str:
        """The client's session, "" if it names none."""
        return session_of(self.body) or ""

    @cached_property
    def minute(self) -> int:
        """The minute of the local day, 0 to 1439."""
        return self._minute()

    @cached_property
    def _request(self) -> neutral.Request | None:
        parse = PARSERS.get(self._operation)
        if parse is None:
            return None
        try:
            return parse(self.body)
        except Rejected:
            return None


def _has_image(parts: Iterable[neutral.Part]) -> bool:
    for part in parts:
        match part:
            case neutral.Image():
                return True
            case neutral.ToolResult() | neutral.Document() if _has_image(part.parts):
                return True
    return False
