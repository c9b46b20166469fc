"""The official SDKs as judges: each is shown the very bytes that a client was sent, and says what it makes of them."""

from collections.abc import Iterator

import anthropic
import httpx2  # what both SDKs are made on
import openai

from tests.rig_client import RawAnswer

_OPENAI_RAISES: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}
_ANTHROPIC_RAISES: dict[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    404: anthropic.NotFoundError,
    413: anthropic.RequestTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
}


def sdk_class(dialect: str, status: int) -> type[Exception]:
    """What the dialect's official SDK raises at an error status."""
    if dialect == "messages":
        return _ANTHROPIC_RAISES.get(status, anthropic.InternalServerError)
    return _OPENAI_RAISES.get(status, openai.InternalServerError if status >= 500 else openai.APIStatusError)


def sdk_hears(answer: RawAnswer, dialect: str, *, stream: bool) -> str | Exception:
    """Show the dialect's SDK the answer as it came; the text it reads, or what it raises."""
    with httpx2.Client(transport=_Replay(answer)) as http:
        try:
            return "".join(_SDKS[dialect](http, stream))
        except (openai.APIError, anthropic.APIError) as raised:
            return raised


class _Replay(httpx2.BaseTransport):
    """Answers everything with one answer, cut where it was cut."""

    def __init__(self, answer: RawAnswer) -> None:
        self._answer = answer

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Give the answer; its framing is undone already."""
        framing = ("transfer-encoding", "content-length", "connection")
        headers = [pair for pair in self._answer.headers if pair[0].lower() not in framing]
        return httpx2.Response(self._answer.status, headers=headers, stream=_Pieces(self._answer), request=request)


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, answer: RawAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield self._answer.body
        if not self._answer.whole:
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


def _chat(http: httpx2.Client, stream: bool) -> Iterator[str]:
    client = openai.OpenAI(base_url="http://gateway/v1", api_key="k", max_retries=0, http_client=http)
    asked = client.chat.completions
    if stream:
        for chunk in asked.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True):
            yield from (choice.delta.content or "" for choice in chunk.choices)
    else:
        yield asked.create(model="m", messages=[{"role": "user", "content": "hi"}]).choices[0].message.content or ""


def _messages(http: httpx2.Client, stream: bool) -> Iterator[str]:
    client = anthropic.Anthropic(base_url="http://gateway", api_key="k", max_retries=0, http_client=http)
    asked = client.messages
    if stream:
        with asked.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as said:
            yield from said.text_stream
    else:
        whole = asked.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
        yield from (block.text for block in whole.content if block.type == "text")


def _responses(http: httpx2.Client, stream: bool) -> Iterator[str]:
    client = openai.OpenAI(base_url="http://gateway/v1", api_key="k", max_retries=0, http_client=http)
    if stream:
        for event in client.responses.create(model="m", input="hi", stream=True):
            yield event.delta if event.type == "response.output_text.delta" else ""
    else:
        yield client.responses.create(model="m", input="hi").output_text


_SDKS = {"chat": _chat, "messages": _messages, "responses": _responses}
