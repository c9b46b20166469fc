"""Router: request → endpoint, model, plan."""

import time
from collections.abc import Awaitable

from mitmproxy import http
from mitmproxy.net.http import url
from mitmproxy.net.http.http1 import connection_close

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand, Verdict
from addons.model_list import answers_models
from addons.refusal import refuse
from addons.wire_view import byte_headers, client_request, text_headers
from providers.admission import account_of, new_id, refused_account, settle_estimate
from providers.exchange.account import ExchangeAccount
from providers.exchange.machine import Settings
from providers.exchange.plan import Target
from providers.exchange.translated import make_exchange
from providers.planning import ClientRequest, ReadCall, Refused, plan_call, read_call
from providers.wire.endpoints import Endpoint, Operation, endpoint_of
from providers.wire.readers import reader_for

_CLAIMABLE = ("provider_prefix", "pattern")
_PATIENCE = 1.0  # seconds that the first such call waits for a local server that does not answer


class Router:
    """Decides who answers, and makes the flow show what that provider will be sent."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Reach a verdict; rarely, one must wait for the local server's list of models."""
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
        _aim(flow.request, to.scheme, to.host, to.port, to.path)
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
        if self._configuration.catalog.local_is_unknown() and registry.resolve(call.model or None).rule in _CLAIMABLE:
            return self._wait_and_plan(flow, in_hand, call)
        self._plan(flow, in_hand, call)
        return None

    async def _wait_and_plan(self, flow: http.HTTPFlow, in_hand: InHand, call: ReadCall) -> None:
        await self._configuration.catalog.know_local(_PATIENCE)
        self._plan(flow, in_hand, call)

    def _plan(self, flow: http.HTTPFlow, in_hand: InHand, call: ReadCall) -> None:
        registry, local, call_id = self._configuration.registry, self._configuration.catalog.local_ids(), new_id()
        try:
            planned = plan_call(registry, local, call, id=call_id, created=int(time.time()))
        except Refused as refused:
            _refuse(flow, in_hand, call.request, refused)
            return
        in_hand.provider, in_hand.request, in_hand.client_body = planned.provider, planned.value, call.request.body
        in_hand.secrets = tuple(registry.secrets())
        in_hand.account = account_of(call.request, planned, call_id)
        if (counted := planned.plan.targets[0].estimate()) is not None:
            _answer_estimate(flow, in_hand.account, counted)
            return
        settings = Settings(keep_limit=self._configuration.flow_body_limit, secrets=lambda: in_hand.secrets)
        in_hand.client_closes = connection_close(flow.request.http_version, flow.request.headers)
        _show_wire(flow, planned.plan.targets[0])
        # Last of all: had anything above failed, the call would be refused.
        in_hand.exchange = make_exchange(in_hand.account, planned.plan, reader_for, settings)
        in_hand.verdict = Verdict.EXCHANGE


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


def _show_wire(flow: http.HTTPFlow, target: Target) -> None:
    """Make the flow's request the one that the provider will be sent, with a placeholder for its key."""
    flow.metadata.update(client_request(flow.request, target.body))
    _aim(flow.request, target.scheme, target.host, target.port, target.path)
    host = ("host", url.hostport(target.scheme, target.host, target.port))
    length = ("content-length", str(len(target.body)))
    flow.request.headers.fields = byte_headers([host, *target.headers, length])
    flow.request.data.content = target.body


def _aim(request: http.Request, scheme: str, host: str, port: int, path: str) -> None:
    request.data.scheme = scheme.encode()
    request.data.host, request.data.port = host, port
    request.data.path = path.encode("utf-8", "surrogateescape")
