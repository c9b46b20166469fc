"""The bytes that the benchmark sends: requests, answers and stream events, built once.

A model's name tells the upstream what to answer: ``bench-plain`` a small completion, ``bench-stream-30-10`` a stream of
30 events, 10 a second (0: as fast as it can). Every event has the same size and room for a time stamp.
"""

import re
from dataclasses import dataclass

CHAT_PATH = b"/v1/chat/completions"

_EVENT_HEAD = (
    b'data: {"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1763600000,"model":"bench",'
    b'"system_fingerprint":"b5000-benchmark","choices":[{"index":0,"finish_reason":null,"delta":{"content":"'
)
_EVENT_TAIL = b'"}}]}\n\n'
STAMP = re.compile(rb'"content":"(\d{20})"')
EVENT_END = b"\n\n"
DONE = b"data: [DONE]\n\n"
_FINISH = (
    b'data: {"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1763600000,"model":"bench",'
    b'"system_fingerprint":"b5000-benchmark","choices":[{"index":0,"finish_reason":"stop","delta":{}}]}\n\n'
)
STREAM_END = _FINISH + DONE
STREAM_END_EVENTS = 2

ANSWER = (
    b'{"id":"chatcmpl-benchmark","object":"chat.completion","created":1763600000,"model":"bench","choices":[{"index":0,'
    b'"finish_reason":"stop","message":{"role":"assistant","content":"A small answer of a dozen words, as a model '
    b'would give it."}}],"usage":{"prompt_tokens":12,"completion_tokens":14,"total_tokens":26}}'
)
MODELS = b'{"object":"list","data":[{"id":"bench","object":"model","created":1763600000,"owned_by":"llamacpp"}]}'
NOTHING_HERE = b'{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Keep-Alive: timeout=600\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def event(stamp: int = 0) -> bytes:
    """One stream event; ``stamp`` is a monotonic time in ns."""
    return b"%b%020d%b" % (_EVENT_HEAD, stamp, _EVENT_TAIL)


EVENT_SIZE = len(event())


def chunk(payload: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def json_response(body: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole response."""
    return (
        b"HTTP/1.1 %b\r\nServer: llama.cpp\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"Content-Length: %d\r\nKeep-Alive: timeout=600\r\n\r\n%b" % (status, len(body), body)
    )


@dataclass(frozen=True)
class Stream:
    """A stream to ask for: how many events, how many of them a second (0: as fast as the upstream can)."""

    events: int
    per_second: int = 0

    @property
    def model(self) -> bytes:
        """The model name that asks for it."""
        return b"bench-stream-%d-%d" % (self.events, self.per_second)

    @property
    def size(self) -> int:
        """Bytes of the whole event stream."""
        return self.events * EVENT_SIZE + len(STREAM_END)


_STREAM_MODEL = re.compile(rb'"model": ?"bench-stream-(\d+)-(\d+)"')


def asked_stream(body: bytes) -> Stream | None:
    """The stream that a request body asks for, None if it asks for a plain answer."""
    found = _STREAM_MODEL.search(body)
    return Stream(int(found[1]), int(found[2])) if found else None


def request(stream: Stream | None = None) -> bytes:
    """A chat completion as the official SDK sends it."""
    body = (
        b'{"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Say some'
        b'thing short about proxies, please."}],"model":"%b","max_tokens":64,"temperature":0.2%b}'
        % ((stream.model, b',"stream":true') if stream else (b"bench-plain", b""))
    )
    return (
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: patchbay-benchmark\r\n"
        b"Authorization: Bearer none\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (CHAT_PATH, len(body), body)
    )
