"""From a client's request to the plan, or to a refusal that says what to do."""

import gzip
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.calls import ClientRequest, Refused, read_call
from providers.exchange import plan
from providers.needs_media import NeedsMedia
from providers.planning import Planned, plan_call
from providers.provider import Deadlines
from providers.registry import Registry, load
from providers.wire import side_channel
from providers.wire.endpoints import endpoint_of
from providers.wire.remote import Address, Inline

LIMIT = 10_000
REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:8080"}
  acme:
    kind: compatible
    base_url: https://acme.example/v1
    api_key: ${ACME_API_KEY}
    deadlines: {gap: 7}
  open: {kind: compatible, base_url: "http://127.0.0.1:9902/v1"}
models:
  big: acme/big-1
  same: {target: acme, params: {temperature: 0.5, new: {a: [1]}}}
  slow: {target: acme/big-1, deadlines: {head: 99}}
  locked: openai/gpt
"""


@pytest.fixture(name="registry", scope="module")
def fixture_registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("registry")
    (folder / "registry.yaml").write_text(REGISTRY)
    return load({"ACME_API_KEY": "acme-key-0123456789"}, folder, root=None)


def call(body: bytes, path: str = "/v1/chat/completions", headers: Mapping[str, str] | None = None) -> ClientRequest:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    return ClientRequest(endpoint, path.partition("?")[2], [*(headers or {}).items()], body)


def planned(registry: Registry, request: ClientRequest, local: Collection[str] = ()) -> Planned:
    return plan_call(registry, local, read_call(request, LIMIT), id="pb-1", created=1)


def target(registry: Registry, request: ClientRequest, local: Collection[str] = ()) -> plan.Target:
    made = planned(registry, request, local).plan
    assert made.later == ()
    return made.first


def refusal(registry: Registry, request: ClientRequest) -> Refused:
    with pytest.raises(Refused) as raised:
        planned(registry, request)
    assert str(raised.value) == raised.value.message
    return raised.value


SEEN = {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://x.example/secret"}}]}
LOOK = json.dumps({"model": "big", "max_tokens": 9, "messages": [SEEN]}).encode()
WHERE = Address("image", "https://x.example/secret")


def test_a_picture_by_its_address_must_be_downloaded_first(registry: Registry) -> None:
    with pytest.raises(NeedsMedia, match="1 to download") as needs:
        planned(registry, call(LOOK, "/v1/messages"))
    assert needs.value.addresses == (WHERE,)
    found = needs.value.with_media({WHERE: Inline("image/png", "QUJD")})
    sent = plan_call(registry, (), found, id="pb-1", created=1).plan.first
    assert json.loads(sent.body)["messages"][0]["content"][0]["image_url"]["url"] == "data:image/png;base64,QUJD"
    assert needs.value.room(1000) == 1000 - len(LOOK)


def test_what_is_there_already_is_not_asked_for_again(registry: Registry) -> None:
    read = replace(read_call(call(LOOK, "/v1/messages"), LIMIT), media={Address("image", "u"): Inline("", "AAAA")})
    with pytest.raises(NeedsMedia) as needs:
        plan_call(registry, (), read, id="pb-1", created=1)
    assert needs.value.room(1000) == 1000 - len(LOOK) - 4
    assert set(needs.value.with_media({WHERE: Inline("", "")}).media) == {WHERE, Address("image", "u")}


def test_an_address_that_nobody_can_download_is_refused(registry: Registry) -> None:
    told = refusal(registry, call(LOOK.replace(b"https://", b"gs://"), "/v1/messages"))
    assert (told.status, told.code) == (400, "not_translatable")
    assert "messages.image.url" in told.message


def test_a_call_is_planned_with_all_that_its_target_needs(registry: Registry) -> None:
    request = call(b'{"model":"big","stream":true}', "/v1/chat/completions?a=1&api_key=s", {"x-odd": "1"})
    made = planned(registry, request)
    to = made.plan.first
    assert (made.provider.name, made.model, made.stream) == ("acme", "big", True)
    assert made.value == {"model": "big", "stream": True}
    assert (to.provider, to.kind, to.model) == ("acme", "compatible", "big-1")
    assert (to.scheme, to.host, to.port, to.path) == ("https", "acme.example", 443, "/v1/chat/completions?a=1")
    assert to.headers == [("accept-encoding", "identity"), ("authorization", "Bearer <ACME_API_KEY>")]
    assert to.body == b'{"model":"big-1","stream":true}'
    assert (to.external, to.our_key, to.virtual) == (True, True, False)
    assert to.deadlines.gap == 7
    assert "alias" in made.plan.reason


# A call whose name is not changed leaves byte for byte, whatever its spacing and order.
@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=5),
    st.sampled_from(["", " ", "\n\t"]),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
)
def test_an_unchanged_call_is_untouched(
    registry: Registry, value: dict[str, object], space: str, indent: int | None, ascii_only: bool
) -> None:
    value = {**value, "model": "unheard-of"}
    body = (space + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + space).encode("utf-8", "surrogatepass")
    try:
        sent = target(registry, call(body))
    except Refused:
        assert not ascii_only  # half a surrogate pair is no UTF-8
        return
    assert sent.body is body or sent.body == body
    assert sent.provider == "local"


# Only the model's value and the route's parameters change; every other byte stays.
@given(st.sampled_from([b" ", b"\n", b"  \t"]), st.sampled_from([b'"\\u0062ig"', b'"big"']))
def test_only_what_the_route_says_changes(registry: Registry, space: bytes, name: bytes) -> None:
    before, after = b"{" + space + b'"a"' + space + b':[1.50,{"model":"big"}],"model":', space + b',"z":1e2}' + space
    sent = target(registry, call(before + name + after))
    assert sent.body == before + b'"big-1"' + after


def test_the_routes_parameters_win(registry: Registry) -> None:
    sent = target(registry, call(b'{"model":"same", "temperature": 1.0 }'))
    assert sent.body == b'{"model":"same", "temperature": 0.5,"new":{"a": [1]} }'
    assert sent.model == "same"


@pytest.mark.parametrize("body", [b"{}", b'{"model":null}', b'{"model":""}', b'{"other":1}'])
def test_a_call_without_a_model_goes_to_the_default(registry: Registry, body: bytes) -> None:
    sent = target(registry, call(body, headers={"authorization": "Bearer own", "accept-encoding": "br"}))
    assert (sent.provider, sent.model, sent.body) == ("local", "", body)
    assert sent.headers == [("authorization", "Bearer own"), ("accept-encoding", "identity")]
    assert (sent.external, sent.our_key) == (False, False)


def test_a_name_that_the_local_server_lists_is_its(registry: Registry) -> None:
    request = call(b'{"model":"acme/thing"}')
    assert target(registry, request).provider == "acme"
    assert target(registry, request, {"acme/thing"}).provider == "local"


def test_a_route_may_have_deadlines_of_its_own(registry: Registry) -> None:
    assert target(registry, call(b'{"model":"slow"}')).deadlines == Deadlines(head=99, first_content=99, gap=7)


def test_a_provider_without_a_key_judges_the_clients_call_not_a_key_of_ours(registry: Registry) -> None:
    sent = target(registry, call(b'{"model":"open/x"}'))
    assert (sent.external, sent.our_key, sent.headers) == (True, True, [("accept-encoding", "identity")])


@pytest.mark.parametrize("value", [1, "true", None, [], "yes"])
def test_a_stream_is_asked_for_by_true_alone(registry: Registry, value: object) -> None:
    assert planned(registry, call(json.dumps({"stream": value}).encode())).stream is False


def test_a_packed_body_is_unpacked_and_no_longer_says_so(registry: Registry) -> None:
    packed = gzip.compress(b'{"model":"x"}')
    sent = target(registry, call(packed, headers={"Content-Encoding": "gzip", "x": "y"}))
    assert sent.body == b'{"model":"x"}'
    assert sent.headers == [("x", "y"), ("accept-encoding", "identity")]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "words"),
    [
        (b"", {}, 400, "invalid_json", "line 1"),
        (b"{", {}, 400, "invalid_json", "column 2"),
        (b"[]", {}, 400, "invalid_json", "object"),
        (b"\xff", {}, 400, "invalid_json", "UTF-8"),
        (b"a=b&c=d", {}, 400, "invalid_json", "object"),
        (b'{"model":' + b"[" * 100_000, {}, 400, "invalid_json", "deeply"),
        (b'{"model":1}', {}, 400, "invalid_model", "not int"),
        (b'{"model":["x"]}', {}, 400, "invalid_model", "not list"),
        (b'{"model":false}', {}, 400, "invalid_model", "not bool"),
        (b"{}", {"content-encoding": "br"}, 400, "invalid_encoding", "gzip"),
        (b"{}", {"content-encoding": "gzip"}, 400, "invalid_encoding", "not what"),
        (gzip.compress(b" " * (LIMIT + 1)), {"content-encoding": "gzip"}, 413, "request_too_large", "larger"),
        (b'{"model":"locked"}', {}, 503, "provider_not_configured", "OPENAI_API_KEY"),
    ],
    ids=range(13),
)
def test_what_cannot_go_on(
    registry: Registry, body: bytes, headers: dict[str, str], status: int, code: str, words: str
) -> None:
    refused = refusal(registry, call(body, headers=headers))
    assert (refused.status, refused.code) == (status, code)
    assert words in refused.message
    assert "not found" not in refused.message


ASKED = {
    "/v1/messages": b'{"model":"big","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"stream":true}',
    "/v1/responses": b'{"model":"big","input":"hi","stream":true}',
}


@pytest.mark.parametrize("path", ASKED)
def test_a_dialect_that_is_not_spoken_is_translated(registry: Registry, path: str) -> None:
    sent = target(registry, call(ASKED[path], path))
    assert sent.translation is not None
    assert sent.path.endswith("/chat/completions")
    body = json.loads(sent.body)
    assert body["messages"] == [{"role": "user", "content": "hi"}]
    assert body["stream"] is True
    assert sent.estimate() is None


def test_a_spoken_dialect_is_not_translated(registry: Registry) -> None:
    sent = target(registry, call(b'{"model":"big"}'))
    assert sent.translation is None
    assert sent.estimate() is None


def test_a_prompt_that_the_provider_cannot_count_is_estimated(registry: Registry) -> None:
    sent = target(registry, call(ASKED["/v1/messages"], "/v1/messages/count_tokens"))
    counted = sent.estimate()
    assert counted is not None
    assert json.loads(counted)["input_tokens"] > 0


def test_what_cannot_be_said_in_the_other_dialect_is_named(registry: Registry) -> None:
    body = b'{"model":"big","input":"hi","previous_response_id":"resp_1"}'
    refused = refusal(registry, call(body, "/v1/responses"))
    assert (refused.status, refused.code, refused.provider) == (400, "not_translatable", "acme")
    assert "previous_response_id" in refused.message


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", None), ("same-origin", None), ("none", None)]
)
def test_a_web_page_of_another_site_may_not_spend_our_keys(registry: Registry, site: str, status: int | None) -> None:
    asked = call(b'{"model":"big"}', headers={"sec-fetch-site": site})
    if status is None:
        assert target(registry, asked).provider == "acme"
    else:
        refused = refusal(registry, asked)
        assert (refused.status, refused.code, refused.provider) == (status, "cross_site", "acme")
    for own in (b'{"model":"demo"}', b'{"model":"local/x"}'):
        assert target(registry, call(own, headers={"sec-fetch-site": site})).provider in ("demo", "local")


def test_reasoning_of_another_provider_does_not_reach_anthropic(registry: Registry) -> None:
    packed = side_channel.pack("openai-responses-v1", {"encrypted": "e"})
    turns = [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "t", "signature": packed}, {"type": "text", "text": "b"}],
        },
        {"role": "user", "content": "c"},
    ]
    body = json.dumps({"model": "local/x", "max_tokens": 9, "messages": turns}).encode()
    sent = target(registry, call(body, "/v1/messages"))
    assert b"patchbay1." not in sent.body
    assert json.loads(sent.body)["messages"][1]["content"] == [{"type": "text", "text": "b"}]


def test_the_demo_is_virtual(registry: Registry) -> None:
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
        assert target(registry, call(b'{"model":"demo"}', path)).virtual


def test_no_key_is_in_a_plan(registry: Registry) -> None:
    assert "acme-key" not in repr(planned(registry, call(b'{"model":"big"}')))


def test_a_header_is_found_whatever_its_case() -> None:
    request = call(b"{}", headers={"User-Agent": "x"})
    assert (request.header("user-agent"), request.header("y")) == ("x", "")


def test_reading_needs_no_registry(tmp_path: Path) -> None:
    read = read_call(call(b'{"model":"m"}'), LIMIT)
    assert (read.model, read.body, read.parsed.value) == ("m", b'{"model":"m"}', {"model": "m"})
