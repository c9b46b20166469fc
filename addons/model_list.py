"""ModelList: answers /v1/models and its relatives."""

import json
from collections.abc import Awaitable, Sequence
from urllib.parse import unquote

from mitmproxy import http

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.refusal import refuse
from providers.catalog import ModelEntry, anthropic_model, anthropic_shape, openai_model, openai_shape
from providers.registry import Settings
from providers.wire.endpoints import Endpoint, Operation, endpoint_of


def answers_models(endpoint: Endpoint, settings: Settings) -> bool:
    """Tell whether a path is the merged list's; bare ``/models`` is llama-server's own, unless a setting merges it."""
    return endpoint.operation is Operation.MODELS and (bool(endpoint.prefix) or settings.merge_models_at_root)


class ModelList:
    """Local and external models as one list, in the shape that the client understands."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Answer the merged list, or one entry of it; the providers may have to be asked first."""
        endpoint = endpoint_of(flow.request.method, flow.request.path)
        settings = self._configuration.registry.settings
        if endpoint is None or not answers_models(endpoint, settings) or self._exchanges.of(flow) is None:
            return None
        return self._list(flow, endpoint)

    async def _list(self, flow: http.HTTPFlow, endpoint: Endpoint) -> None:
        catalog, wanted = self._configuration.catalog, unquote(endpoint.rest)
        entries = await catalog.models()
        if not wanted:
            _answer(flow, _shaped_list(flow.request, entries))
        elif (entry := catalog.find(wanted)) is not None:
            _answer(flow, anthropic_model(entry) if _wants_anthropic(flow.request) else openai_model(entry))
        else:
            refuse(flow, 404, f"No provider lists a model called {wanted!r}.", code="model_unknown")


def _wants_anthropic(request: http.Request) -> bool:
    """Anthropic's shape for clients that say so, or that send its kind of key and no Bearer (specs: translation 11)."""
    bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    return "anthropic-version" in request.headers or ("x-api-key" in request.headers and not bearer)


def _shaped_list(request: http.Request, entries: Sequence[ModelEntry]) -> object:
    if not _wants_anthropic(request):
        return openai_shape(entries)
    query = dict(request.query)
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 1000
    return anthropic_shape(entries, query.get("after_id"), query.get("before_id"), max(1, min(limit, 1000)))


def _answer(flow: http.HTTPFlow, value: object) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    flow.response = http.Response.make(200, body, {"content-type": "application/json"})
