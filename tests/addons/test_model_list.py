"""The merged list of models in both shapes, as a client asks for it."""

from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.model_list import ModelList

REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:9"}
  acme:
    kind: compatible
    base_url: http://127.0.0.1:9/v1
    models: [big-1, org/deep/big-2, "odd name?#%"]
models:
  big: acme/big-1
"""


@pytest.fixture(name="configuration")
def fixture_configuration(configure: Callable[..., Configuration]) -> Configuration:
    """Nobody answers at these addresses: a dead provider costs its own entries, not the list."""
    return configure(REGISTRY)


async def ask(configuration: Configuration, path: str, method: str = "GET", **headers: str) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.request.method, flow.request.path = method, path
    flow.request.headers = Headers([(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()])
    exchanges = Exchanges()
    exchanges.admit(flow)
    waiting = ModelList(exchanges, configuration).request(flow)
    if waiting is not None:
        await waiting
    return flow


async def answered(configuration: Configuration, path: str, **headers: str) -> Any:
    flow = await ask(configuration, path, **headers)
    assert flow.response
    assert flow.response.headers["content-type"] == "application/json"
    return flow.response.json()


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/v1/models", "/api/v1/models", "/v1/models/", "/v1/models?x=1"])
async def test_the_list_in_openais_shape(configuration: Configuration, path: str) -> None:
    listed = await answered(configuration, path, authorization="Bearer x", x_api_key="x")
    assert listed["object"] == "list"
    owners = {entry["id"]: entry["owned_by"] for entry in listed["data"]}
    assert owners["acme/big-1"] == owners["big"] == "acme"
    assert {entry["status"]["value"] for entry in listed["data"]} == {"external"}


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"anthropic_version": "2023-06-01"}, {"x_api_key": "k"}])
async def test_the_list_in_anthropics_shape(configuration: Configuration, headers: dict[str, str]) -> None:
    listed = await answered(configuration, "/v1/models", **headers)
    assert {"data", "first_id", "last_id", "has_more"} <= set(listed)
    assert all(entry["type"] == "model" for entry in listed["data"])
    page = await answered(configuration, "/v1/models?limit=1", **headers)
    assert (len(page["data"]), page["has_more"]) == (1, True)
    following = await answered(configuration, f"/v1/models?limit=1&after_id={page['last_id']}", **headers)
    assert following["data"][0]["id"] != page["data"][0]["id"]
    before = await answered(configuration, f"/v1/models?before_id={following['first_id']}", **headers)
    assert before["data"][-1] == page["data"][0]


@pytest.mark.anyio
@pytest.mark.parametrize("limit", ["0", "-1", "x", "99999", ""])
async def test_a_limit_that_is_none_does_no_harm(configuration: Configuration, limit: str) -> None:
    listed = await answered(configuration, f"/v1/models?limit={limit}", anthropic_version="2023-06-01")
    assert len(listed["data"]) >= 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/models/big", "big"),
        ("/v1/models/acme/big-1", "acme/big-1"),
        ("/v1/models/acme/org/deep/big-2", "acme/org/deep/big-2"),
        ("/v1/models/acme%2Forg%2Fdeep%2Fbig-2", "acme/org/deep/big-2"),
        ("/api/v1/models/acme/odd%20name%3F%23%25", "acme/odd name?#%"),
    ],
)
async def test_one_entry_also_with_slashes(configuration: Configuration, path: str, name: str) -> None:
    entry = await answered(configuration, path)
    assert (entry["id"], entry["object"], entry["owned_by"]) == (name, "model", "acme")
    shaped = await answered(configuration, path, anthropic_version="2023-06-01")
    assert (shaped["id"], shaped["type"]) == (name, "model")


@pytest.mark.anyio
async def test_an_unknown_entry_is_a_404_in_words_that_no_client_misreads(configuration: Configuration) -> None:
    flow = await ask(configuration, "/v1/models/no/such")
    assert flow.response
    assert flow.response.status_code == 404
    error = flow.response.json()["error"]
    assert (error["code"], "no/such" in error["message"]) == ("model_unknown", True)
    assert "not found" not in error["message"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/models"), ("POST", "/v1/models"), ("GET", "/v1/modelsx"), ("GET", "/")]
)
async def test_what_is_not_the_merged_list_is_left_alone(configuration: Configuration, method: str, path: str) -> None:
    assert (await ask(configuration, path, method)).response is None


@pytest.mark.anyio
async def test_bare_models_is_merged_where_the_setting_says_so(configure: Callable[..., Configuration]) -> None:
    configuration = configure(REGISTRY, PATCHBAY_MERGE_MODELS_AT_ROOT="1")
    assert (await answered(configuration, "/models"))["object"] == "list"
    assert (await answered(configuration, "/models/big"))["id"] == "big"


def test_who_was_not_admitted_gets_no_list(configuration: Configuration) -> None:
    flow: HTTPFlow = tflow.tflow()
    flow.request.method, flow.request.path = "GET", "/v1/models"
    assert ModelList(Exchanges(), configuration).request(flow) is None
    assert flow.response is None


@pytest.mark.anyio
async def test_no_key_is_in_the_list(configure: Callable[..., Configuration]) -> None:
    configuration = configure(ACME_API_KEY="canary-0123456789abcdef")
    flow = await ask(configuration, "/v1/models")
    assert flow.response
    assert b"canary" not in (flow.response.raw_content or b"")
