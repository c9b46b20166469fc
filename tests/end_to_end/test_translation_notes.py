"""What a translation could not carry is said: in a header, in the record, or as a refusal that names the field."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.fake_dialects import INPUT_TOKENS, WORDS
from tests.rig import run_command
from tests.rig_client import Json, RawAnswer, exchange
from tests.rig_gateway import WAYS, Behind, Gateway, ask, assert_told_in_dialect
from tests.rig_translation import PAIRS, anthropic_client, openai_client, run_translating, upstream_path

HEADER = "x-patchbay-translation"
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
EVERY_PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_translating(str(request.param), all_upstreams, tmp_path_factory.mktemp("translating")) as gateway:
        yield gateway


def row_of(gateway: Gateway, answer: RawAnswer) -> Json:
    return exchange(gateway.database, answer.get("x-patchbay-id") or "")


@STREAMED
@EVERY_PAIR
def test_nothing_lost_is_nothing_noted(gateway: Gateway, client: str, provider: str, stream: bool) -> None:
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream))
    assert answer.status == 200
    assert answer.get(HEADER) is None
    assert not row_of(gateway, answer)["translation"]


# client, provider, what is asked → the note
LOSSES: dict[str, tuple[str, str, Json, str]] = {
    "a seed": ("chat", "messages", {"seed": 7}, "dropped=seed"),
    "several": (
        "chat", "messages", {"seed": 7, "verbosity": "low", "service_tier": "flex"},
        "dropped=seed,verbosity; approximated=service_tier",
    ),
    "a prediction": (
        "chat", "responses", {"prediction": {"type": "content", "content": "a"}, "logit_bias": {"7": 1}},
        "dropped=prediction,logit_bias",
    ),
    "a thinking budget": (
        "messages", "chat", {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        "approximated=thinking.budget_tokens",
    ),
    "edits of context": ("messages", "responses", {"context_management": {"edits": []}}, "dropped=context_management"),
    "verbosity": ("responses", "messages", {"text": {"verbosity": "low"}}, "dropped=text.verbosity"),
    "a count of tool calls": ("responses", "chat", {"max_tool_calls": 3}, "dropped=max_tool_calls"),
}  # fmt: skip


@STREAMED
@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_lost_is_noted(gateway: Gateway, loss: str, stream: bool) -> None:
    client, provider, more, note = LOSSES[loss]
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream, **more))
    assert answer.status == 200
    want, told = ({part.partition("=")[0]: set(part.partition("=")[2].split(",")) for part in text.split("; ")}
                  for text in (note, answer.get(HEADER) or ""))  # fmt: skip
    assert told == want
    assert row_of(gateway, answer)["translation"] == answer.get(HEADER)


def test_the_note_is_shown(gateway: Gateway) -> None:
    answer = gateway.post(*ask("chat", "only-messages/m", seed=7))
    row = row_of(gateway, answer)
    shown = run_command(["show", row["id"], "--db", str(gateway.database)], {}, gateway.folder)
    assert shown.returncode == 0, shown.stderr
    assert "dropped=seed" in shown.stdout


def test_the_sdk_can_read_the_note(gateway: Gateway) -> None:
    with openai_client(gateway.url) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="only-messages/m", messages=[{"role": "user", "content": "hi"}], seed=7
        )
    assert raw.headers[HEADER] == "dropped=seed"
    assert raw.parse().choices[0].message.content == "".join(WORDS)


# client, provider, what is asked → the field that the refusal names
IMPOSSIBLE: dict[str, tuple[str, str, Json, str]] = {
    "two answers": ("chat", "messages", {"n": 2}, "n"),
    "log probabilities": ("chat", "responses", {"logprobs": True}, "logprobs"),
    "a container": ("messages", "chat", {"container": "container_1"}, "container"),
    "a place": ("messages", "responses", {"inference_geo": "eu"}, "inference_geo"),
    "a tool of the server": (
        "messages", "chat", {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        "tools.code_execution_20250825",
    ),
    "a stored answer": ("responses", "chat", {"previous_response_id": "resp_1"}, "previous_response_id"),
    "work in the background": ("responses", "messages", {"background": True}, "background"),
}  # fmt: skip


@STREAMED
@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_said_is_refused_and_named(gateway: Gateway, case: str, stream: bool) -> None:
    client, provider, more, field = IMPOSSIBLE[case]
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream, **more))
    error = assert_told_in_dialect(answer, client, gateway.behind, 400)
    assert f"only-{provider}" in error["message"]
    assert f"{field}:" in error["message"]
    code = error["details"]["error_code"] if client == "messages" else error["code"]
    assert code == "not_translatable"
    assert not gateway.behind.posts()
    row = row_of(gateway, answer)
    assert (row["status"], row["outcome"], row["provider"]) == (400, "client_error", f"only-{provider}")


def test_the_sdks_raise_what_cannot_be_said(gateway: Gateway) -> None:
    with openai_client(gateway.url) as chat, pytest.raises(openai.BadRequestError, match="only-messages") as caught:
        chat.chat.completions.create(model="only-messages/m", messages=[{"role": "user", "content": "hi"}], n=2)
    assert caught.value.code == "not_translatable"
    with anthropic_client(gateway.url) as messages, pytest.raises(anthropic.BadRequestError, match="inference_geo"):
        messages.messages.create(
            model="only-chat/m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], inference_geo="eu"
        )


# --------------------------------------------------------------------------------------------------------- other calls


def test_tokens_are_estimated_where_the_provider_only_chats(gateway: Gateway) -> None:
    with anthropic_client(gateway.url) as client:
        small = client.messages.count_tokens(model="only-chat/m", messages=[{"role": "user", "content": "hi"}])
        large = client.messages.count_tokens(
            model="only-chat/m",
            system="x " * 500,
            messages=[{"role": "user", "content": "hi"}],
            tools=[{"name": "t", "description": "y " * 500, "input_schema": {"type": "object"}}],
        )
    assert 0 < small.input_tokens < 50
    assert large.input_tokens > small.input_tokens + 500
    with openai_client(gateway.url) as other:
        assert other.responses.input_tokens.count(model="only-chat/m", input="hi").input_tokens > 0
    assert not gateway.behind.posts()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/responses/input_tokens", {"input": "hi"}),
    ],
)
def test_an_estimate_says_that_it_is_one(gateway: Gateway, path: str, body: Json) -> None:
    answer = gateway.post(path, {"model": "only-chat/m", **body})
    assert (answer.status, answer.get(HEADER)) == (200, "approximated=input_tokens")
    assert answer.get("x-patchbay-provider") == "only-chat"
    row = row_of(gateway, answer)
    assert (row["outcome"], row["usage_source"]) == ("ok", "estimated")
    assert (row["input_tokens"], row["translation"]) == (answer.json()["input_tokens"], answer.get(HEADER))


def test_tokens_are_counted_by_a_provider_that_can(gateway: Gateway) -> None:
    with anthropic_client(gateway.url) as client:
        counted = client.messages.count_tokens(model="only-responses/m", messages=[{"role": "user", "content": "hi"}])
    assert counted.input_tokens == INPUT_TOKENS
    with openai_client(gateway.url) as other:
        assert other.responses.input_tokens.count(model="only-messages/m", input="hi").input_tokens == INPUT_TOKENS
    assert [request.path for request in gateway.behind.posts()] == [
        "/only-responses/v1/responses/input_tokens", "/only-messages/v1/messages/count_tokens",
    ]  # fmt: skip


@STREAMED
@pytest.mark.parametrize("provider", ["messages", "responses"])
def test_the_old_completions_are_answered_by_a_chat(gateway: Gateway, provider: str, stream: bool) -> None:
    with openai_client(gateway.url) as client:
        if stream:
            pieces = client.completions.create(model=f"only-{provider}/m", prompt="Say hello", stream=True)
            text = "".join(piece.choices[0].text for piece in pieces if piece.choices)
        else:
            text = client.completions.create(model=f"only-{provider}/m", prompt="Say hello").choices[0].text
    assert text == "".join(WORDS)
    assert [request.path for request in gateway.behind.posts()] == [upstream_path(provider)]


@pytest.mark.parametrize("provider", ["messages", "responses"])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/embeddings", {"input": "hi"}), ("/v1/rerank", {"query": "hi", "documents": ["a", "b"]})],
)
def test_what_nothing_is_like_is_refused(gateway: Gateway, provider: str, path: str, body: Json) -> None:
    answer = gateway.post(path, {"model": f"only-{provider}/m", **body})
    error = assert_told_in_dialect(answer, "chat", gateway.behind, 501)
    assert f"only-{provider}" in error["message"]
    assert path.rpartition("/")[2] in error["message"]
    assert error["code"] == "dialect_not_spoken"
    assert not gateway.behind.posts()
