"""From a client's request to the plan of who may answer it: endpoint, model, route, and the request as it will be sent.

Identity first: the body goes on byte for byte; only the ``model`` value where the route renames it, and the parameters
that the route sets, are spliced into the original text (prompt caches key on exact prefixes).
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from providers.decompress import TooLarge, Unreadable, decompress
from providers.exchange import plan
from providers.exchange.answer_head import Headers, value_of, without
from providers.provider import Provider
from providers.registry import Registry
from providers.resolve import Target
from providers.wire import side_channel
from providers.wire.endpoints import Dialect, Endpoint, Operation
from providers.wire.messages.foreign import without_foreign
from providers.wire.notes import Rejected
from providers.wire.splice import JsonObject, NotAnObject, read_object
from providers.wire.translate import TRANSLATABLE, Translation

_PACKED = side_channel.PREFIX.encode()
# What a client of a dialect is best translated to, where the provider leaves a choice: Chat is spoken by all and known
# best; Messages and Responses have more in common with each other than either with Chat.
_PREFERRED: dict[Dialect, tuple[Dialect, ...]] = {
    Dialect.CHAT: (Dialect.RESPONSES, Dialect.MESSAGES),
    Dialect.MESSAGES: (Dialect.CHAT, Dialect.RESPONSES),
    Dialect.RESPONSES: (Dialect.CHAT, Dialect.MESSAGES),
}


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A recognised call as the client made it; ``query`` without its question mark."""

    endpoint: Endpoint
    query: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, "" if there is none; ``name`` in lower case."""
        return value_of(self.headers, name)


@dataclass(frozen=True, slots=True)
class Planned:
    """A call that can go on. ``model`` is what the client wrote, "" if nothing; ``value`` is the parsed body."""

    provider: Provider
    model: str
    stream: bool
    value: dict[str, object] = field(repr=False)
    plan: plan.Plan


class Refused(Exception):
    """The call cannot go on: what the client is told.

    ``provider`` is who would have answered, "" if that is not known.
    """

    def __init__(
        self, status: int, message: str, code: str, *, provider: str = "", kind: str = "", model: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.provider = provider
        self.kind = kind
        self.model = model


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call whose body has been read. ``model`` is what the client wrote, "" if nothing; ``headers`` fit ``body``."""

    request: ClientRequest
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    parsed: JsonObject = field(repr=False)
    model: str


def read_call(request: ClientRequest, limit: int) -> ReadCall:
    """Read a call's body; ``limit`` in bytes is for an unpacked one. Raises Refused."""
    headers, body = _unpacked(request, limit)
    try:
        parsed = read_object(body)
    except NotAnObject as error:
        raise Refused(400, f"The request cannot be read: {error}.", "invalid_json") from error
    model = parsed.value.get("model")
    if model is not None and not isinstance(model, str):
        raise Refused(400, f"`model` must be a string, not {type(model).__name__}.", "invalid_model")
    return ReadCall(request, headers, body, parsed, model or "")


def plan_call(registry: Registry, local_models: Collection[str], call: ReadCall, *, id: str, created: int) -> Planned:
    """Plan a call; ``id`` and ``created`` stand in an answer that is written anew. Raises Refused."""
    route = registry.resolve(call.model or None, local_models)
    target = route.targets[0]
    _refuse_unready(target.provider, call.model)
    _refuse_cross_site(target.provider, call)
    sent = _target(target, call, _translation(target, call, id, created))
    value = call.parsed.value
    return Planned(target.provider, call.model, value.get("stream") is True, value, plan.Plan((sent,), route.reason))


def _unpacked(request: ClientRequest, limit: int) -> tuple[Headers, bytes]:
    """The headers and body without a content encoding: a body must be read to be routed."""
    encoding = value_of(request.headers, "content-encoding")
    if not encoding:
        return request.headers, request.body
    try:
        body = decompress(request.body, encoding, limit)
    except TooLarge as error:
        raise Refused(
            413, "The request body is larger than allowed once it is unpacked.", "request_too_large"
        ) from error
    except Unreadable as error:
        raise Refused(400, f"The request body cannot be unpacked: {error}.", "invalid_encoding") from error
    return without(request.headers, "content-encoding"), body


def _about(provider: Provider, model: str) -> dict[str, str]:
    return {"provider": provider.name, "kind": provider.kind, "model": model}


def _refuse_unready(provider: Provider, model: str) -> None:
    if not provider.ready:
        message = f"The provider {provider.name!r} is not configured: {provider.problem}."
        raise Refused(503, message, "provider_not_configured", **_about(provider, model))


def _refuse_cross_site(provider: Provider, call: ReadCall) -> None:
    """Keep other sites' web pages from spending our keys: a browser lets any page post to this machine, unseen.

    Such a page could not read the answer either, because external providers' answers carry no leave for it.
    """
    if provider.external and not provider.virtual and call.request.header("sec-fetch-site") == "cross-site":
        message = f"A web page of another site may not use the key for {provider.name!r}."
        raise Refused(403, message, "cross_site", **_about(provider, call.model))


def _only_chats(target: Target, call: ReadCall) -> bool:
    """Whether an old text completion must become a chat."""
    completes = call.request.endpoint.operation is Operation.COMPLETIONS
    return completes and not target.capabilities(call.model).completions


def _translation(target: Target, call: ReadCall, id: str, created: int) -> Translation | None:
    """The call in a dialect that the provider speaks, None where it speaks the client's."""
    provider, endpoint = target.provider, call.request.endpoint
    if endpoint.dialect in provider.dialects and not _only_chats(target, call):
        return None
    about = _about(provider, call.model)
    order = (endpoint.dialect, *_PREFERRED[endpoint.dialect])
    spoken = next((dialect for dialect in order if dialect in provider.dialects), None)
    if spoken is None or endpoint.operation not in TRANSLATABLE:
        message = (
            f"{endpoint.dialect} → {provider.name}: {endpoint.operation} is asked in the {endpoint.dialect} dialect, "
            f"and the provider {provider.name!r} has nothing like it."
        )
        raise Refused(501, message, "dialect_not_spoken", **about)
    try:
        return Translation.plan(
            endpoint.dialect,
            endpoint.operation,
            spoken,
            call.parsed.value,
            target.capabilities(call.model),
            target.model or call.model,
            id=id,
            created=created,
            params=target.params,
        )
    except Rejected as rejected:
        message = f"{provider.name!r} speaks {spoken}, which cannot say this. {rejected.field}: {rejected}"
        raise Refused(400, message, "not_translatable", **about) from rejected


def _target(target: Target, call: ReadCall, translation: Translation | None) -> plan.Target:
    provider, request = target.provider, call.request
    endpoint = translation.endpoint if translation and translation.endpoint else request.endpoint
    to = provider.url_for(endpoint, "" if translation else request.query)
    sent = provider.request_headers(call.headers, dialect=endpoint.dialect)
    return plan.Target(
        provider=provider.name,
        kind=provider.kind,
        model=target.model or call.model,
        deadlines=target.deadlines,
        scheme=to.scheme,
        host=to.host,
        port=to.port,
        path=to.path,
        headers=[*sent, *provider.placeholder_headers()],
        body=translation.body if translation else _spliced(target, call),
        external=provider.external,
        our_key=provider.external or provider.key is not None,
        virtual=provider.virtual,
        translation=translation,
    )


def _spliced(target: Target, call: ReadCall) -> bytes:
    """The client's bytes, with the model's new name and the route's parameters where there are any."""
    changes: dict[str, object] = dict(target.params)
    if target.model is not None and target.model != call.model:
        changes["model"] = target.model
    if call.request.endpoint.dialect is Dialect.MESSAGES and _PACKED in call.body:
        # An earlier turn was answered by a provider of another dialect, and its reasoning came back in our packing.
        own = without_foreign(call.parsed.value, target.capabilities(call.model).signatures)
        changes.update({"messages": own["messages"]} if "messages" in own else {})
    return call.parsed.replace(changes) if changes else call.body
