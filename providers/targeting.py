"""What one target would be sent for a call: the client's own bytes, or a translation into a dialect that it speaks.

Identity first: the body goes on byte for byte; only the ``model`` value where the route renames it, and the parameters
that the route sets, are spliced into the original text (prompt caches key on exact prefixes).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from providers.balancing import is_shared, judges_our_key
from providers.calls import ReadCall, Refused
from providers.continuing import with_answer
from providers.exchange import plan
from providers.needs_media import NeedsMedia
from providers.pool.call_facts import CallFacts
from providers.provider import Provider, Replica
from providers.recollection import Recollection
from providers.resolve import Target
from providers.wire.endpoints import Dialect, Endpoint, Operation
from providers.wire.messages.foreign import holds_foreign, without_foreign
from providers.wire.notes import Rejected, Unfetched
from providers.wire.translate import TRANSLATABLE, Translation, addresses_wanted

# Says what a provider speaks where a call is made: the provider as it is, or without a dialect that it lacks.
AsFound = Callable[[Provider, Endpoint], Provider]
# Orders the servers of a target whose provider shares calls; the last argument is what the client wrote as the model.
Servers = Callable[[Target, CallFacts, str], Sequence[Replica]]
# What a client of a dialect is best translated to, where the provider leaves a choice: Chat is spoken by all and known
# best; Messages and Responses have more in common with each other than either with Chat.
_PREFERRED: dict[Dialect, tuple[Dialect, ...]] = {
    Dialect.CHAT: (Dialect.RESPONSES, Dialect.MESSAGES),
    Dialect.MESSAGES: (Dialect.CHAT, Dialect.RESPONSES),
    Dialect.RESPONSES: (Dialect.CHAT, Dialect.MESSAGES),
}


def as_it_is(provider: Provider, _: Endpoint) -> Provider:
    """Take a provider at its word."""
    return provider


def as_listed(target: Target, _call: CallFacts, _model: str) -> Sequence[Replica]:
    """Ask servers in the registry's order."""
    return target.provider.replicas


@dataclass(frozen=True, slots=True)
class Targeting:
    """Makes the targets of one call.

    ``id`` and ``created`` (seconds since the epoch, now) stand in an answer that is written anew; ``recollection`` has
    what the client may have dropped of earlier answers. ``servers`` is asked for the order of a provider's servers.
    """

    call: ReadCall
    id: str
    created: int
    as_found: AsFound = as_it_is
    recollection: Recollection | None = None
    servers: Servers = as_listed

    def facts(self) -> CallFacts:
        """What conditions and balance ask of the call."""
        call = self.call
        return CallFacts(call.request.endpoint.operation, call.parsed.value, call.headers, _minute)

    def prompt_tokens(self) -> int:
        """Estimate how many tokens the prompt has."""
        return self.facts().tokens

    def make(self, target: Target) -> plan.Target:
        """Make the request for a target. Raises Refused, NeedsMedia."""
        found = self.as_found(target.provider, self.call.request.endpoint)
        if found is not target.provider:
            target = replace(target, provider=found)
        if refusal := self.barred(target):
            raise refusal
        translation = self._translation(target)
        made = _target(target, self.call, translation, None if translation else self._rewriting(target))
        return self._shared(target, made) if is_shared(target.provider) else made

    def make_if_possible(self, target: Target) -> plan.Target | None:
        """Make the request for a target that is asked when another one has failed; None if it cannot be asked this."""
        try:
            return self.make(target)
        except (Refused, NeedsMedia):
            return None

    def go_on(self, target: Target, said: str) -> plan.Target | None:
        """Make the request for a target that goes on with an answer of which the client has ``said``."""
        if not target.capabilities(self.call.model).prefill:
            return None
        params = {**target.params, **target.provider.continuing_params(self.call.parsed.value)}
        call = with_answer(self.call, said)
        made = replace(self, call=call).make_if_possible(replace(target, params=params))
        if made is None:
            return None
        translation = made.translation or (made.rewriting() if made.rewriting else None)
        return None if translation is None else replace(made, translation=translation)

    def barred(self, target: Target) -> Refused | None:
        """Why a target may not be asked at all."""
        return _unready(target.provider, self.call.model) or _cross_site(target.provider, self.call)

    def _shared(self, target: Target, made: plan.Target) -> plan.Target:
        """Let a target lead to the server that is to be asked first, and know the others."""
        provider, endpoint = target.provider, self.call.request.endpoint
        query = self.call.request.query
        if made.translation is not None:
            endpoint, query = made.translation.endpoint or endpoint, ""
        numbers = _numbers(provider)
        servers = tuple(
            plan.Server(server.name, *provider.url_for(endpoint, query, server), numbers.get(server.name))
            for server in self.servers(target, self.facts(), self.call.model)
        )
        sharing = provider.sharing
        shared = replace(made, servers=servers, max_in_flight=sharing.max_in_flight, max_queued=sharing.max_queued)
        return shared.at(servers[0])

    def _translation(self, target: Target) -> Translation | None:
        """The call in a dialect that the provider speaks, None where it speaks the client's."""
        call, recollection = self.call, self.recollection
        spoken = _spoken(target, call)
        if spoken is None:
            return None
        endpoint, provider, model = call.request.endpoint, target.provider.name, target.model or call.model
        try:
            return Translation.plan(
                endpoint.dialect,
                endpoint.operation,
                spoken,
                call.parsed.value,
                target.capabilities(call.model),
                model,
                id=self.id,
                created=self.created,
                params=target.params,
                media=call.media,
                recall=partial(recollection.recall, provider, model, now=self.created)
                if recollection is not None
                else None,
            )
        except Rejected as rejected:
            _ask_for_media(target, call, spoken, rejected)
            message = f"{provider!r} speaks {spoken}, which cannot say this. {rejected.field}: {rejected}"
            raise Refused(400, message, "not_translatable", **_about(target.provider, call.model)) from rejected

    def _rewriting(self, target: Target) -> Callable[[], Translation | None]:
        """How to write the answer anew in the client's dialect, should its form not be the one that was asked for."""
        call, id, created = self.call, self.id, self.created
        endpoint, model = call.request.endpoint, target.model or call.model

        def again() -> Translation | None:
            return Translation.within(
                endpoint.dialect,
                endpoint.operation,
                call.parsed.value,
                target.capabilities(call.model),
                model,
                id=id,
                created=created,
            )

        return again


def _numbers(provider: Provider) -> dict[str, int]:
    """Which of several servers each is, from 1 on; nothing where there is one."""
    servers = provider.replicas
    return {server.name: number for number, server in enumerate(servers, 1)} if len(servers) > 1 else {}


def _minute() -> int:
    now = datetime.now()  # the registry's spans are of this machine's own time
    return now.hour * 60 + now.minute


def _about(provider: Provider, model: str) -> dict[str, str]:
    return {"provider": provider.name, "kind": provider.kind, "model": model}


def _unready(provider: Provider, model: str) -> Refused | None:
    if provider.ready:
        return None
    message = f"The provider {provider.name!r} is not configured: {provider.problem}."
    return Refused(503, message, "provider_not_configured", **_about(provider, model))


def _cross_site(provider: Provider, call: ReadCall) -> Refused | None:
    """Keep other sites' web pages from spending our keys: a browser lets any page post to this machine, unseen.

    Such a page could not read the answer either, because external providers' answers carry no leave for it.
    """
    if not provider.external or provider.virtual or call.request.header("sec-fetch-site") != "cross-site":
        return None
    message = f"A web page of another site may not use the key for {provider.name!r}."
    return Refused(403, message, "cross_site", **_about(provider, call.model))


def _only_chats(target: Target, call: ReadCall) -> bool:
    """Whether an old text completion must become a chat."""
    completes = call.request.endpoint.operation is Operation.COMPLETIONS
    return completes and not target.capabilities(call.model).completions


def _spoken(target: Target, call: ReadCall) -> Dialect | None:
    """The dialect to translate to, None where the provider speaks the client's. Raises Refused."""
    provider, endpoint = target.provider, call.request.endpoint
    if endpoint.dialect in provider.dialects and not _only_chats(target, call):
        return None
    order = (endpoint.dialect, *_PREFERRED[endpoint.dialect])
    spoken = next((dialect for dialect in order if dialect in provider.dialects), None)
    if spoken is None or endpoint.operation not in TRANSLATABLE:
        message = (
            f"{endpoint.dialect} → {provider.name}: {endpoint.operation} is asked in the {endpoint.dialect} dialect, "
            f"and the provider {provider.name!r} has nothing like it."
        )
        raise Refused(501, message, "dialect_not_spoken", **_about(provider, call.model))
    return spoken


def _ask_for_media(target: Target, call: ReadCall, spoken: Dialect, rejected: Rejected) -> None:
    """Raise NeedsMedia where downloading may help."""
    if not isinstance(rejected, Unfetched):
        return
    operation, able = call.request.endpoint.operation, target.capabilities(call.model)
    addresses = addresses_wanted(operation, spoken, call.parsed.value, able)
    if missing := tuple(address for address in addresses if address not in call.media):
        raise NeedsMedia(call, missing, _about(target.provider, call.model)) from rejected


def _target(
    target: Target,
    call: ReadCall,
    translation: Translation | None,
    rewriting: Callable[[], Translation | None] | None,
) -> plan.Target:
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
        our_key=judges_our_key(provider),
        virtual=provider.virtual,
        translation=translation,
        rewriting=rewriting,
        resumable=target.rescue == "prefill",
        server=provider.replicas[0].name if provider.replicas else "",
        price=target.price or provider.price,
    )


def _spliced(target: Target, call: ReadCall) -> bytes:
    """The client's bytes, with the model's new name and the route's parameters where there are any."""
    changes: dict[str, object] = dict(target.params)
    if target.model is not None and target.model != call.model:
        changes["model"] = target.model
    if call.request.endpoint.dialect is Dialect.MESSAGES and holds_foreign(call.body):
        # An earlier turn was answered by another provider: its reasoning came back in our packing, or unsigned.
        own = without_foreign(call.parsed.value, target.capabilities(call.model).signatures)
        changes.update({"messages": own["messages"]} if "messages" in own else {})
    return call.parsed.replace(changes) if changes else call.body
