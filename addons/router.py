"""Router: request → endpoint, model, plan."""

import time
from collections.abc import Awaitable

from mitmproxy import http
from mitmproxy.net.http import url
from mitmproxy.net.http.http1 import connection_close

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand, Verdict
from addons.model_list import answers_models
from addons.provenance import comes_from_here
from addons.refusal import refuse
from addons.relay.wire_view import aim, client_request, show_wire, text_headers
from providers.admission import account_of, new_id, refused_account, settle_estimate
from providers.calls import ClientRequest, ReadCall, Refused, read_call
from providers.exchange.account import ExchangeAccount
from providers.exchange.machine import Exchange, Settings
from providers.fetching import NotFetched
from providers.needs_media import NeedsMedia
from providers.planning import Planned, plan_call
from providers.provider import Provider
from providers.wire.endpoints import Dialect, Endpoint, Operation, endpoint_of
from providers.wire.readers import reader_for

_CLAIMABLE = ("provider_prefix", "pattern")
_PATIENCE = 1.0  # seconds that the first such call waits for a server that does not answer


class Router:
    """Decides who answers, and makes the flow show what that provider will be sent."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Reach a verdict; rarely, one must wait for a server's word on its models or dialects."""
        in_hand = self._exchanges.of(flow)
        if in_hand is None or flow.response is not None:
            return None
        endpoint = endpoint_of(flow.request.method, flow.request.path)
        if endpoint is None or endpoint.operation is Operation.MODELS:
            self._forward(flow, in_hand, endpoint)
            return None
        return self._exchange(flow, in_hand, endpoint)

    def _forward(self, flow: http.HTTPFlow, in_hand: InHand, endpoint: Endpoint | None) -> None:
        """No LLM call: the local server gets it as it is."""
        registry = self._configuration.registry
        if endpoint is not None and answers_models(endpoint, registry.settings):
            return  # the model list should have answered: without a verdict this becomes an error of ours
        to = registry.local.destination(flow.request.path)
        aim(flow.request, to.scheme, to.host, to.port, to.path)
        flow.request.host_header = url.hostport(to.scheme, to.host, to.port)
        in_hand.verdict = Verdict.FORWARD

    def _exchange(self, flow: http.HTTPFlow, in_hand: InHand, endpoint: Endpoint) -> Awaitable[None] | None:
        """Route an LLM call: its model decides."""
        headers = text_headers(flow.request.headers.fields)
        request = ClientRequest(endpoint, flow.request.path.partition("?")[2], headers, flow.request.raw_content or b"")
        registry = self._configuration.registry
        try:
            call = read_call(request, registry.settings.max_body_bytes)
        except Refused as refused:
            _refuse(flow, in_hand, request, refused)
            return None
        # Only the local server's own list can claim a name that a prefix or a pattern would send elsewhere.
        catalog = self._configuration.catalog
        unknown = catalog.local_is_unknown() and registry.resolve(call.model or None).rule in _CLAIMABLE
        if unknown or self._asks_for_dialect(call):
            return self._wait_and_plan(flow, in_hand, call, for_local=unknown)
        return self._plan(flow, in_hand, call)

    def _asks_for_dialect(self, call: ReadCall) -> bool:
        """Whether a server has to be asked for the dialect of this call first; every server speaks chat."""
        endpoint = call.request.endpoint
        if endpoint.dialect is Dialect.CHAT:
            return False
        return self._configuration.dialects.must_ask(self._provider(call), endpoint)

    def _provider(self, call: ReadCall) -> Provider:
        registry, local = self._configuration.registry, self._configuration.catalog.local_ids()
        return registry.resolve(call.model or None, local).targets[0].provider

    async def _wait_and_plan(self, flow: http.HTTPFlow, in_hand: InHand, call: ReadCall, *, for_local: bool) -> None:
        configuration = self._configuration
        if for_local:
            await configuration.catalog.know_local(_PATIENCE)
        await configuration.dialects.know(self._provider(call), call.request.endpoint, call.headers, _PATIENCE)
        await self._plan_and_wait(flow, in_hand, call)

    async def _plan_and_wait(self, flow: http.HTTPFlow, in_hand: InHand, call: ReadCall) -> None:
        if (waiting := self._plan(flow, in_hand, call)) is not None:
            await waiting

    def response(self, flow: http.HTTPFlow) -> None:
        """Learn from how a call ended: it may have met another server than the one that is known."""
        in_hand = self._exchanges.of(flow)
        if in_hand is not None and in_hand.account is not None:
            self._configuration.dialects.heard(in_hand.account)

    def error(self, flow: http.HTTPFlow) -> None:
        """Do the same where no answer came."""
        self.response(flow)

    async def _fetch_and_plan(self, flow: http.HTTPFlow, in_hand: InHand, needs: NeedsMedia) -> None:
        """Download for a target that downloads nothing itself, as long as the request stays within its limit."""
        settings = self._configuration.registry.settings
        room, private = needs.room(settings.max_body_bytes), settings.fetch_private or comes_from_here(flow)
        try:
            media = await self._configuration.fetcher.fetch(needs.addresses, room=room, private=private)
        except NotFetched as failed:
            message = needs.refusal(failed.address, str(failed))
            refused = Refused(400, message, "url_not_downloaded", **needs.about)
            _refuse(flow, in_hand, needs.call.request, refused)
        else:
            await self._plan_and_wait(flow, in_hand, needs.with_media(media))

    def _planned(self, call: ReadCall, call_id: str) -> Planned:
        configuration = self._configuration
        return plan_call(
            configuration.registry,
            configuration.catalog.local_ids(),
            call,
            id=call_id,
            created=int(time.time()),
            as_found=configuration.dialects.as_found,
            recollection=self._exchanges.recollection,
            window=configuration.catalog.window,
            servers=configuration.failover.servers,
        )

    def _plan(self, flow: http.HTTPFlow, in_hand: InHand, call: ReadCall) -> Awaitable[None] | None:
        configuration, registry, call_id = self._configuration, self._configuration.registry, new_id()
        try:
            planned = self._planned(call, call_id)
        except Refused as refused:
            _refuse(flow, in_hand, call.request, refused)
            return None
        except NeedsMedia as needs:
            return self._fetch_and_plan(flow, in_hand, needs)
        in_hand.provider_of = registry.providers.get
        in_hand.provider, in_hand.request, in_hand.client_body = planned.provider, planned.value, call.request.body
        in_hand.secrets = tuple(registry.secrets())
        in_hand.account = account_of(call.request, planned, call_id)
        if (counted := planned.plan.first.estimate()) is not None:
            _answer_estimate(flow, in_hand.account, counted)
            return None
        settings = Settings(keep_limit=configuration.flow_body_limit, secrets=lambda: in_hand.secrets)
        in_hand.client_closes = connection_close(flow.request.http_version, flow.request.headers)
        flow.metadata.update(client_request(flow.request, planned.plan.first.body))
        show_wire(flow, planned.plan.first)
        # Last of all: had anything above failed, the call would be refused.
        course = configuration.failover.course(registry.settings.attempts)
        in_hand.exchange = Exchange(in_hand.account, planned.plan, reader_for, settings, course)
        in_hand.verdict = Verdict.EXCHANGE
        return None


def _refuse(flow: http.HTTPFlow, in_hand: InHand, request: ClientRequest, refused: Refused) -> None:
    in_hand.account = account = refused_account(request, refused)
    in_hand.client_body = request.body
    refuse(flow, refused.status, refused.message, code=refused.code, request_id=account.id)


def _answer_estimate(flow: http.HTTPFlow, account: ExchangeAccount, counted: bytes) -> None:
    """Answer a client that wants a prompt counted which its provider cannot count: our own estimate, and marked so."""
    settle_estimate(account, counted)
    headers = {
        "content-type": "application/json",
        "x-patchbay-id": account.id,
        "x-patchbay-provider": account.provider,
        "x-patchbay-translation": "approximated=input_tokens",
    }
    flow.response = http.Response.make(200, counted, headers)
