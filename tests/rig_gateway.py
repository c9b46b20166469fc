"""A gateway under test: the running program, the upstreams behind it, the clients in front, and what it recorded.

One registry serves nearly every test: each official provider kind, a chat-only one, one with short deadlines and two
that cannot be reached. The external ones share a fake upstream and are told apart by their path.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from tests.fake_answers import json_answer, speak
from tests.fake_dialects import models_body
from tests.fake_ports import black_hole, refused_port
from tests.fake_requests import Request
from tests.fake_steps import Script
from tests.fake_upstream import FakeUpstream
from tests.rig import Program, run_mitmdump, run_serve
from tests.rig_client import Json, RawAnswer, get, post

CLIENT_SECRET = "client-secret"
KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-provider-key-of-anthropic-0001",
    "OPENAI_API_KEY": "sk-proj-provider-key-of-openai-0002",
    "OPENROUTER_API_KEY": "sk-or-v1-provider-key-of-openrouter-0003",
    "GROQ_API_KEY": "gsk_provider-key-of-groq-0004",
    "HASTY_API_KEY": "provider-key-of-hasty-0005",
}
MAX_BODY_BYTES = 1 << 20
WAYS = ("mitmdump", "serve")
DIALECTS = ("chat", "messages", "responses")

# The issue's own spelling: `${NAME}` unquoted inside a flow mapping.
REGISTRY = """\
default_provider: local
providers:
  local:      {{kind: llamacpp, base_url: {local}, dialects: [chat, messages, responses]}}
  anthropic:  {{kind: anthropic, base_url: {external}/anthropic, api_key: ${{ANTHROPIC_API_KEY}}}}
  openai:     {{kind: openai, base_url: {external}/openai/v1, api_key: ${{OPENAI_API_KEY}}}}
  openrouter: {{kind: openrouter, base_url: {external}/openrouter/api/v1, api_key: ${{OPENROUTER_API_KEY}}}}
  groq:
    kind: compatible
    base_url: {external}/groq/openai/v1
    api_key: ${{GROQ_API_KEY}}
    dialects: [chat]
    models: [some-model]
  hasty:
    kind: compatible
    base_url: {external}/hasty/v1
    api_key: ${{HASTY_API_KEY}}
    dialects: [chat, messages, responses]
    models: [m]
    deadlines: {{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}}
  refused:
    kind: compatible
    base_url: http://127.0.0.1:{refused}/v1
    dialects: [chat, messages, responses]
    models: [m]
  hole:
    kind: compatible
    base_url: http://127.0.0.1:{hole}/v1
    dialects: [chat, messages, responses]
    models: [m]
    deadlines: {{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}}
models:
  fast: local/qwen3-8b
  "claude-*": anthropic
  "gpt-*": openai
  smart: {{target: openrouter/anthropic/claude-opus-4.8, params: {{temperature: 0.2}}}}
"""
LOCAL_MODELS = ("fake-model", "gpt-oss-20b")  # the second one matches a pattern of the registry: the local list wins


def speak_locally(request: Request) -> Script:
    """What llama-server answers: every dialect, its pages, and its own model list."""
    if request.method == "GET" and request.path in ("/v1/models", "/models"):
        return json_answer(models_body(*LOCAL_MODELS))
    return speak(request)


@dataclass(slots=True)
class Behind:
    """Everything behind the gateway: the local server and the external providers, with the ports nobody answers on."""

    local: FakeUpstream
    external: FakeUpstream
    refused: int
    hole: int

    def registry(self) -> str:
        """The standard registry.yaml."""
        places = {"local": self.local.url, "external": self.external.url}
        return REGISTRY.format(refused=self.refused, hole=self.hole, **places)

    def posts(self) -> list[Request]:
        """Every call that reached any upstream (model discovery only GETs)."""
        return [request for request in (*self.local.requests, *self.external.requests) if request.method == "POST"]

    def addresses(self) -> tuple[str, ...]:
        """What no error may show."""
        ports = (self.local.port, self.external.port, self.refused, self.hole)
        return tuple(f"{host}:{port}" for port in ports for host in ("127.0.0.1", "localhost"))


@contextlib.contextmanager
def behind() -> Iterator[Behind]:
    """Start the upstreams."""
    with (
        FakeUpstream(speak_locally) as local,
        FakeUpstream(speak) as external,
        refused_port() as refused,
        black_hole() as hole,
    ):
        yield Behind(local, external, refused, hole)


@dataclass(slots=True)
class Gateway:
    """The running program with its clients."""

    way: str
    program: Program
    behind: Behind
    folder: Path
    env: dict[str, str]

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.program.port

    @property
    def url(self) -> str:
        """Where Anthropic clients point; OpenAI ones add ``/v1``."""
        return self.program.url

    @property
    def local(self) -> FakeUpstream:
        """The local server."""
        return self.behind.local

    @property
    def external(self) -> FakeUpstream:
        """Everybody else."""
        return self.behind.external

    @property
    def database(self) -> Path:
        """The recording."""
        return self.folder / "patchbay.db"

    def post(self, target: str, body: bytes | Json, headers: tuple[tuple[str, str], ...] = ()) -> RawAnswer:
        """POST on a new connection."""
        return post(self.port, target, body, headers)

    def get(self, target: str, headers: tuple[tuple[str, str], ...] = ()) -> RawAnswer:
        """GET on a new connection."""
        return get(self.port, target, headers)

    def openai(self) -> OpenAI:
        """The official OpenAI client; a context manager."""
        return OpenAI(base_url=f"{self.url}/v1", api_key=CLIENT_SECRET, max_retries=0, timeout=20)

    def async_openai(self) -> AsyncOpenAI:
        """The official asynchronous OpenAI client."""
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key=CLIENT_SECRET, max_retries=0, timeout=20)

    def anthropic(self) -> Anthropic:
        """The official Anthropic client."""
        return Anthropic(base_url=self.url, api_key=CLIENT_SECRET, max_retries=0, timeout=20)

    def async_anthropic(self) -> AsyncAnthropic:
        """The official asynchronous Anthropic client."""
        return AsyncAnthropic(base_url=self.url, api_key=CLIENT_SECRET, max_retries=0, timeout=20)


Runner = Callable[[str, Mapping[str, str], Path, Sequence[str]], "contextlib.AbstractContextManager[Program]"]
RUNNERS: dict[str, Runner] = {"mitmdump": run_mitmdump, "serve": run_serve}


def gateway_environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Keys, files in ``folder``, a small body limit, and failures that are told at once."""
    files = {"PATCHBAY_REGISTRY": str(folder / "registry.yaml"), "PATCHBAY_DB": str(folder / "patchbay.db")}
    numbers = {"PATCHBAY_MAX_BODY_BYTES": str(MAX_BODY_BYTES), "PATCHBAY_ATTEMPTS": "1"}
    return {**KEYS, **files, **numbers, **(extra or {})}


@contextlib.contextmanager
def run_gateway(
    way: str,
    upstreams: Behind,
    folder: Path,
    *,
    registry: str | None = None,
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
) -> Iterator[Gateway]:
    """Run the product in ``folder`` by one of ``WAYS``, with the standard registry unless another is given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.yaml").write_text(upstreams.registry() if registry is None else registry)
    environment = gateway_environment(folder, env)
    with RUNNERS[way](upstreams.local.url, environment, folder, args) as program:
        yield Gateway(way, program, upstreams, folder, environment)


# What a client asks in each dialect; ``model`` is filled in.
_ASKS: dict[str, tuple[str, Json]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Say hello"}]}),
    "messages": ("/v1/messages", {"max_tokens": 64, "messages": [{"role": "user", "content": "Say hello"}]}),
    "responses": ("/v1/responses", {"input": "Say hello"}),
}


def ask(dialect: str, model: str, *, stream: bool = False, **more: Any) -> tuple[str, Json]:
    """A path and a body of the dialect."""
    path, body = _ASKS[dialect]
    return path, {"model": model, **({"stream": True} if stream else {}), **copy.deepcopy(body), **more}


def assert_told_in_dialect(
    answer: RawAnswer, dialect: str, upstreams: Behind, status: int | None = None, *, passed_on: bool = False
) -> Json:
    """An error is JSON of the client's dialect and shows nothing of the house; returns the error object inside.

    ``status`` is asserted when it is given; it is an error status in any case. An error of the local server that is
    ``passed_on`` may lack what llama-server never sends (``param``).
    """
    assert answer.status == status if status else answer.status >= 400, (answer.status, answer.body)
    assert (answer.get("content-type") or "").startswith("application/json"), answer
    text = repr((answer.headers, answer.body)).lower()
    for secret in ("mitmproxy", "not found", "<html", "traceback", *upstreams.addresses(), *KEYS.values()):
        assert secret.lower() not in text, (secret, answer)
    return assert_error_shape(answer.json(), dialect, passed_on=passed_on)


def assert_error_shape(payload: Any, dialect: str, *, passed_on: bool = False) -> Json:
    """The error object of a payload, shaped as the dialect's clients expect it."""
    error: Json = payload["error"]
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    if dialect == "messages":
        assert payload["type"] == "error"
    else:
        assert error.keys() >= ({"code"} if passed_on else {"param", "code"})
        assert "type" not in payload
    return error


def stream_of(gateway: Gateway, dialect: str, model: str) -> None:
    """Drive one stream to its end with the dialect's SDK; raises what the SDK raises."""
    if dialect == "messages":
        with (
            gateway.anthropic() as messages,
            messages.messages.stream(model=model, max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as said,
        ):
            said.get_final_message()
        return
    with gateway.openai() as client:
        if dialect == "chat":
            for _ in client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "hi"}], stream=True
            ):
                pass
        else:
            for _ in client.responses.create(model=model, input="hi", stream=True):
                pass


SDK_ERRORS = (openai.APIError, anthropic.APIError)


def skip_without(condition: bool, reason: str) -> None:
    """Skip the running test, saying why, unless ``condition`` holds."""
    if not condition:
        pytest.skip(reason)
