"""One call translated: the request as the provider understands it, and its answer as the client does.

Strategy: a request is parsed from the client's dialect into the neutral form and built in the provider's; an answer is
read into neutral events by the provider's reader and written by the client's writer. So there are three parsers, three
builders, three readers and three writers in the tables below, and no converter for a pair. Callers translate where the
dialects differ (or completions are asked of a provider that only chats); the same dialect passes its bytes untouched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from providers.wire import neutral
from providers.wire.capabilities import Capabilities
from providers.wire.chat import build as chat_build
from providers.wire.chat import completions_parse, completions_writer
from providers.wire.chat import parse as chat_parse
from providers.wire.chat import writer as chat_writer
from providers.wire.counts import COUNTING, CountWriter, count_body, countable
from providers.wire.endpoints import Dialect, Endpoint, Operation
from providers.wire.estimate import estimate_tokens
from providers.wire.events import Failure
from providers.wire.messages import build as messages_build
from providers.wire.messages import parse as messages_parse
from providers.wire.messages import writer as messages_writer
from providers.wire.notes import Notes, Rejected
from providers.wire.reader import Reader
from providers.wire.readers import reader_for
from providers.wire.remote import Address, Inline, inlined, wanted
from providers.wire.responses import build as responses_build
from providers.wire.responses import parse as responses_parse
from providers.wire.responses import writer as responses_writer
from providers.wire.retold import Retold, retell_body, retell_failure
from providers.wire.values import count, raw_json
from providers.wire.writer import Answering, Writer

Json = dict[str, object]
Parse = Callable[[Json], neutral.Request]
Build = Callable[[neutral.Request, Capabilities, Notes], Json]
MakeWriter = Callable[[Answering], Writer]
Recall = Callable[[neutral.Request], neutral.Request]

PARSERS: dict[Operation, Parse] = {
    Operation.CHAT: chat_parse.parse_request,
    Operation.COMPLETIONS: completions_parse.parse_completions,
    Operation.MESSAGES: messages_parse.parse_request,
    Operation.COUNT_TOKENS: messages_parse.parse_request,
    Operation.RESPONSES: responses_parse.parse_request,
    Operation.INPUT_TOKENS: responses_parse.parse_request,
}
BUILDERS: dict[Dialect, Build] = {
    Dialect.CHAT: chat_build.build_request,
    Dialect.MESSAGES: messages_build.build_request,
    Dialect.RESPONSES: responses_build.build_request,
}
NAMES: dict[Dialect, Callable[[neutral.Request, Capabilities], dict[str, str]]] = {
    Dialect.CHAT: chat_build.tool_names,
    Dialect.MESSAGES: messages_build.tool_names,
    Dialect.RESPONSES: responses_build.tool_names,
}
# The client's operation → writer of a stream, writer of a plain answer. A count is never streamed.
WRITERS: dict[Operation, tuple[MakeWriter, MakeWriter]] = {
    Operation.CHAT: (chat_writer.StreamWriter, chat_writer.BodyWriter),
    Operation.COMPLETIONS: (completions_writer.CompletionsStreamWriter, completions_writer.CompletionsBodyWriter),
    Operation.MESSAGES: (messages_writer.StreamWriter, messages_writer.BodyWriter),
    Operation.RESPONSES: (responses_writer.StreamWriter, responses_writer.BodyWriter),
}
# What a provider of a dialect is asked to answer, and to count. Chat cannot count.
_ANSWERED_BY: dict[Dialect, Operation] = {
    Dialect.CHAT: Operation.CHAT,
    Dialect.MESSAGES: Operation.MESSAGES,
    Dialect.RESPONSES: Operation.RESPONSES,
}
_COUNTED_BY: dict[Dialect, Operation] = {
    Dialect.MESSAGES: Operation.COUNT_TOKENS,
    Dialect.RESPONSES: Operation.INPUT_TOKENS,
}
_SUFFIXES: dict[Operation, str] = {
    Operation.CHAT: "/chat/completions",
    Operation.MESSAGES: "/messages",
    Operation.COUNT_TOKENS: "/messages/count_tokens",
    Operation.RESPONSES: "/responses",
    Operation.INPUT_TOKENS: "/responses/input_tokens",
}
TRANSLATABLE = frozenset(PARSERS)
"""The operations that can be translated; embeddings, rerank and model lists belong to one dialect alone."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One call between a client and a provider of another dialect.

    ``body`` is what the provider is sent; ``endpoint`` where: None if it has no such operation, then ``estimate`` is
    all that can be answered (``body`` is then empty). ``notes`` say what was lost, in the client's own names.
    ``stream`` is what the client asked for. ``tool_names`` leads from the names in ``body`` to the client's own.
    """

    client: Dialect
    asked: Operation
    provider: Dialect
    endpoint: Endpoint | None
    body: bytes = field(repr=False)
    notes: Notes
    stream: bool
    answering: Answering = field(repr=False)
    request: neutral.Request = field(repr=False)

    @classmethod
    def plan(
        cls,
        client: Dialect,
        operation: Operation,
        provider: Dialect,
        body: Json,
        target: Capabilities,
        model: str,
        *,
        id: str,
        created: int,
        params: Mapping[str, object] | None = None,
        media: Mapping[Address, Inline] | None = None,
        recall: Recall | None = None,
    ) -> "Translation":
        """Translate a parsed request body to the provider's ``model``. Raises Rejected, with the client's field name.

        That is Unfetched where something must be downloaded: `addresses_wanted` says what, ``media`` is what was there.
        ``id`` and ``created`` (seconds since the epoch) stand in the answer where the provider gives none; ``params``
        are set in the provider's body at the end; ``recall`` puts back what the client dropped of earlier answers.
        """
        request, notes = _parsed(operation, provider, body)
        request = _completed(request, media, recall)
        asked = (_COUNTED_BY if operation in COUNTING else _ANSWERED_BY).get(provider)
        built = _built(asked, replace(request, model=model), provider, target, notes) if asked else {}
        sent = raw_json({**built, **(params or {})}).encode() if asked else b""
        endpoint = Endpoint(provider, asked, _SUFFIXES[asked], "/v1") if asked else None
        named = replace(request, model=request.model or model)
        answering = _answering(named, provider, target, Answering(id, named.model, created, request=body, notes=notes))
        return cls(client, operation, provider, endpoint, sent, notes, request.stream, answering, request)

    @classmethod
    def within(
        cls,
        dialect: Dialect,
        operation: Operation,
        body: Json,
        target: Capabilities,
        model: str,
        *,
        id: str,
        created: int,
    ) -> "Translation | None":
        """Plan to write an answer anew in its own dialect: the provider's form is not the one that was asked for.

        Nothing is sent for it. None where a form has no other: not an answer of words, or several answers at once.
        """
        if operation not in WRITERS or (count(body.get("n")) or 1) > 1:
            return None
        try:
            request = PARSERS[operation](body)
        except Rejected:
            return None
        base = Answering(id, request.model or model, created, request=body)
        answering = replace(_answering(request, dialect, target, base), tool_names={})  # what was sent keeps its names
        endpoint = Endpoint(dialect, operation, "", "/v1")
        return cls(dialect, operation, dialect, endpoint, b"", Notes(), request.stream, answering, request)

    @property
    def operation(self) -> Operation | None:
        """What the provider is asked for, None where only an estimate is possible."""
        return self.endpoint.operation if self.endpoint else None

    def estimate(self) -> bytes:
        """The answer to a client that wants a prompt counted by a provider that cannot: `estimate_tokens`."""
        return count_body(self.asked, estimate_tokens(self.request))

    def reader(self, stream: bool) -> Reader:
        """A new reader for the provider's answer; ``stream``: its head says that it is one."""
        if self.operation is None:
            raise ValueError(f"{self.provider} has no way to count: there is no answer to read")
        return reader_for(self.operation, stream)

    def writer(self, stream: bool) -> Writer:
        """A new writer of the client's answer; ``stream``: the client wants one, whatever the provider answers."""
        if self.asked in COUNTING:
            return CountWriter(self.asked)
        streamed, plain = WRITERS[self.asked]
        return streamed(self.answering) if stream else plain(self.answering)

    def error(self, status: int, body: bytes, provider: str) -> Retold:
        """The provider's error answer, for the client; ``provider`` is its name."""
        return retell_body(self.client, status, body, provider)

    def failure(self, failure: Failure, provider: str) -> Retold:
        """What the provider said inside a stream of status 200, for the client."""
        return retell_failure(self.client, failure, provider)


def addresses_wanted(operation: Operation, provider: Dialect, body: Json, target: Capabilities) -> tuple[Address, ...]:
    """What must be downloaded before a request can be translated for a target that downloads nothing itself."""
    return wanted(_parsed(operation, provider, body)[0], target, provider)


def _parsed(operation: Operation, provider: Dialect, body: Json) -> tuple[neutral.Request, Notes]:
    if operation not in TRANSLATABLE:
        raise Rejected("model", f"{operation} cannot be asked of a model that speaks {provider} only.")
    notes = Notes()
    if operation is Operation.COMPLETIONS:
        notes.approximate("prompt")  # a chat answers a text, it does not continue it
    return PARSERS[operation](body), notes


def _completed(
    request: neutral.Request, media: Mapping[Address, Inline] | None, recall: Recall | None
) -> neutral.Request:
    """The request with what stands elsewhere: behind an address, or in our memory."""
    request = inlined(request, media) if media else request
    return recall(request) if recall else request


def _answering(request: neutral.Request, provider: Dialect, target: Capabilities, base: Answering) -> Answering:
    """What the writer must know, with what the request says of it."""
    return replace(
        base,
        include_usage=request.include_usage,
        legacy_functions=request.legacy_functions,
        tool_names=NAMES[provider](request, target),
        custom_tools=frozenset(tool.name for tool in request.tools if tool.kind == "custom"),
        signatures=target.signatures,
        provider=provider,
    )


def _built(asked: Operation, request: neutral.Request, provider: Dialect, target: Capabilities, notes: Notes) -> Json:
    body = BUILDERS[provider](request, target, notes)
    return countable(asked, body) if asked in COUNTING else body
