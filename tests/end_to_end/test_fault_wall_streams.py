"""The fault wall: what goes wrong within a stream (F29–F32, F34).

Here the client and the provider speak one dialect where a stream is cut: its bytes pass, and an error follows them.
Cuts behind a translation are in `test_translation_failures`. What cannot be read is tried both ways.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.fake_answers import CHUNKED, SSE, streamed, whole
from tests.fake_dialects import WORDS, chat_events, messages_events, responses_events
from tests.fake_steps import Chunk, Close, Head, LastChunk, Raw, Reset, Script, Stall, Step, WaitFor
from tests.rig_gated import call_gated
from tests.rig_gateway import DIALECTS, WAYS, Behind, Gateway, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_sdk import sdk_hears
from tests.rig_wall import (
    EVERY_WAY,
    FORM_NAMES,
    Told,
    assert_broken_off,
    assert_healthy,
    assert_kept,
    assert_refused,
    call,
    entry,
    path,
    wall_registry,
)

EVENTS: dict[str, Callable[..., list[bytes]]] = {
    "chat": chat_events,
    "messages": messages_events,
    "responses": responses_events,
}
HEAD = Head(200, (*SSE, *CHUNKED))
CUT = Told(502, "upstream_truncated", "upstream_truncated")
STALLED = Told(504, "upstream_timeout", "upstream_timeout_idle")
GARBLED = Told(502, "upstream_protocol_error", "upstream_protocol_error")
PACKED = Told(502, "upstream_protocol_error", "upstream_protocol_error")
UNFRAMED = GARBLED
# how it breaks off → what the client is told
ENDINGS: dict[str, tuple[tuple[Step, ...], Told]] = {
    "reset": ((Reset(),), CUT),
    "closed": ((Close(),), CUT),
    "clean": ((LastChunk(),), CUT),
    "stall": ((Stall(),), STALLED),
    "closed-in-a-line": ((Chunk(b'data: {"half":'), Close()), CUT),
    "clean-in-a-line": ((Chunk(b'data: {"half":'), LastChunk()), CUT),
    "framing": ((Raw(b"zz\r\nnot a chunk\r\n"), Close()), UNFRAMED),
    "closed-in-a-chunk": ((Raw(b'ff\r\ndata: {"half":'), Close()), CUT),
}
WHERE = ("first", "words")
ONES = [f"only-{dialect}" for dialect in DIALECTS]


def cut_at(dialect: str, where: str) -> list[bytes]:
    """The events up to the first word, or to the last."""
    events, word = EVENTS[dialect](), WORDS[0 if where == "first" else -1].encode()
    last = next(n for n, event in enumerate(events) if b'"%s"' % word in event)
    return events[: last + 1]


def name_of(case: str, dialect: str) -> str:
    """The provider that no other call has met."""
    return f"{case}-{dialect}"


NAMES = [
    *(name_of(f"{ending}-{where}", dialect) for ending in ENDINGS for where in WHERE for dialect in DIALECTS),
    *(name_of(case, dialect) for case in ("odd", "packed-plain", "packed-stream") for dialect in DIALECTS),
]


@pytest.fixture(name="walled", scope="module", params=WAYS)
def fixture_walled(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    external = all_upstreams.external.url
    ones = "".join(entry(f"only-{one}", f"{external}/only-{one}/v1", dialects=[one]) for one in DIALECTS)
    registry, folder = wall_registry(all_upstreams, NAMES, entries=ones), tmp_path_factory.mktemp("streams")
    with run_gateway(str(request.param), all_upstreams, folder, registry=registry) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output
        assert "crashed" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(walled: Gateway, upstreams: Behind) -> Gateway:
    assert walled.behind is upstreams
    return walled


# -------------------------------------------------------------------------------------------------- F29, F30, F31: cuts


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stream_that_breaks_off_ends_with_an_error(gateway: Gateway, ending: str, where: str, dialect: str) -> None:
    steps, told = ENDINGS[ending]
    name, events, gate = name_of(f"{ending}-{where}", dialect), cut_at(dialect, where), WaitFor()
    gateway.external.on(path(name, dialect), (HEAD, *map(Chunk, events), gate, *steps))
    heard = call_gated(gateway, dialect, f"{name}/m", events[-1].strip(), gate.gate)
    assert heard.answer.whole  # the error has told it: the connection need not
    if ending in ("reset", "closed", "clean", "stall"):
        error = assert_broken_off(heard, told, sent=events)
        assert name in error["message"]
    else:  # a client's own parser may break at the half line, before it comes to the error
        assert heard.answer.body.startswith(b"".join(events))
        assert f'"{told.code}"'.encode() in heard.answer.body
    row = assert_kept(heard, told.outcome, [(name, told.outcome)], who="upstream")
    assert row["ttft_us"] is not None
    # A Messages stream counts the prompt in its first event; the others did not come to it.
    assert row["usage_source"] == ("upstream" if dialect == "messages" else "estimated")
    assert row["input_tokens"]
    assert row["output_tokens"]
    assert row["cost"] is None
    assert gateway.external.requests[-1].connection.closed.wait(2)


# ------------------------------------------------------------------------------------------------ F32: malformed events


def amid(dialect: str, extra: bytes) -> list[bytes]:
    """A good stream with something between two words."""
    events = EVENTS[dialect]()
    at = len(cut_at(dialect, "first"))
    return [*events[:at], extra, *events[at:]]


def each(dialect: str, change: Callable[[bytes], bytes]) -> list[bytes]:
    return [change(event) for event in EVENTS[dialect]()]


def accented(dialect: str) -> list[bytes]:
    """Every byte in a chunk of its own: characters of several bytes are cut."""
    escaped = b"".join(EVENTS[dialect](("Patchbay", " h\u00f6rt", " \u20ac")))
    stream = escaped.replace(b"\\u00f6", "\u00f6".encode()).replace(b"\\u20ac", "\u20ac".encode())
    assert stream != escaped
    return [bytes([byte]) for byte in stream]


HUGE = b'event: huge\ndata: {"type":"huge","x":"' + b"x" * (16 << 20) + b'"}\n\n'
# what is odd → the pieces that the upstream sends; the answer is good all the same
HARMLESS: dict[str, Callable[[str], list[bytes]]] = {
    "carriage returns alone": lambda dialect: each(dialect, lambda event: event.replace(b"\n", b"\r")),
    "line ends of two bytes": lambda dialect: each(dialect, lambda event: event.replace(b"\n", b"\r\n")),
    "a byte order mark": lambda dialect: [b"\xef\xbb\xbf", *EVENTS[dialect]()],
    "no space behind the colon": lambda dialect: each(dialect, lambda event: event.replace(b"data: ", b"data:")),
    "an unknown event": lambda dialect: amid(dialect, b'event: surprise\ndata: {"type":"surprise","n":1}\n\n'),
    "a comment": lambda dialect: amid(dialect, b": still here\n\n"),
    "an event of nothing": lambda dialect: amid(dialect, b"data:\n\n"),
    "unknown fields": lambda dialect: amid(dialect, b"id: 7\nretry: 10\nnonsense\n\n"),
    "a zero byte": lambda dialect: amid(dialect, b": \x00\n\n"),
    "a long line": lambda dialect: amid(dialect, HUGE),
    "bytes one by one": accented,
}
# What begins like an object and is none: something of the answer is lost.
BROKEN: dict[str, bytes] = {
    "bad JSON": b'data: {"choices":[{"index":0,"delta":{"content":"lost\n\n',
    "two objects in one event": b'data: {"type":"a","n":1}{"type":"b","n":2}\n\n',
    "two events in one": b'data: {"type":"a","n":1}\ndata: {"type":"b","n":2}\n\n',
    "a zero byte in an object": b'data: {"type":\x00"a"}\n\n',
    "no UTF-8 in an object": b'data: {"type":"a" \xff\xfe}\n\n',
}
PAIRS = [("chat", "messages"), ("messages", "responses"), ("responses", "chat"), ("messages", "chat")]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("odd", HARMLESS)
def test_odd_events_pass_as_they_came(gateway: Gateway, odd: str, dialect: str) -> None:
    pieces, name = HARMLESS[odd](dialect), name_of("odd", dialect)
    gateway.external.on(path(name, dialect), streamed(pieces))
    heard = call(gateway, dialect, f"{name}/m", stream=True)
    assert heard.answer.whole
    assert heard.answer.body == b"".join(pieces)
    assert_kept(heard, "ok", [(name, "ok")], who="upstream")


@pytest.mark.parametrize(("client", "provider"), PAIRS)
@pytest.mark.parametrize("odd", HARMLESS)
def test_odd_events_are_understood_behind_a_translation(gateway: Gateway, odd: str, client: str, provider: str) -> None:
    name = f"only-{provider}"
    gateway.external.on(path(name, provider), streamed(HARMLESS[odd](provider)))
    heard = call(gateway, client, f"{name}/m", stream=True)
    if odd == "bytes one by one":
        assert heard.answer.whole
        assert sdk_hears(heard.answer, heard.dialect, stream=heard.stream) == "Patchbay h\u00f6rt \u20ac"
    else:
        assert_healthy(heard, provider=name, tries=1)
    assert_kept(heard, "ok", [(name, "ok")], who="upstream")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_passes_and_the_call_has_failed(gateway: Gateway, broken: str, dialect: str) -> None:
    """No byte is changed, and the client is told behind them: it may have skipped that event in silence."""
    pieces, name, gate = amid(dialect, BROKEN[broken]), name_of("odd", dialect), WaitFor()
    begun = len(cut_at(dialect, "first"))
    script: Script = (HEAD, *map(Chunk, pieces[:begun]), gate, *map(Chunk, pieces[begun:]), LastChunk())
    gateway.external.on(path(name, dialect), script)
    heard = call_gated(gateway, dialect, f"{name}/m", pieces[begun - 1].strip(), gate.gate)
    assert heard.answer.body.startswith(b"".join(pieces))
    assert b"upstream_protocol_error" in heard.answer.body[len(b"".join(pieces)) :]
    assert_kept(heard, GARBLED.outcome, [(name, GARBLED.outcome)], who="upstream")


@pytest.mark.parametrize(("client", "provider"), PAIRS)
@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_cannot_be_translated(gateway: Gateway, broken: str, client: str, provider: str) -> None:
    name, pieces, gate = f"only-{provider}", amid(provider, BROKEN[broken]), WaitFor()
    begun = len(cut_at(provider, "first"))
    script: Script = (HEAD, *map(Chunk, pieces[:begun]), gate, *map(Chunk, pieces[begun:]), LastChunk())
    gateway.external.on(path(name, provider), script)
    heard = call_gated(gateway, client, f"{name}/m", WORDS[0].encode(), gate.gate)
    assert_broken_off(heard, GARBLED)
    assert WORDS[1].encode() not in heard.answer.body  # nobody takes what follows for the next word
    assert_kept(heard, GARBLED.outcome, [(name, GARBLED.outcome)], who="upstream")


# ---------------------------------------------------------------------------------------------- F34: compressed answers


def packed(dialect: str, body: bytes, stream: bool, encoding: str) -> Sequence[Step]:
    kind = "text/event-stream" if stream else "application/json"
    return whole(body, kind, headers=(("content-encoding", encoding),))


BODIES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "whole gzip": ("gzip", gzip.compress),
    "half a gzip": ("gzip", lambda body: gzip.compress(body)[:-9]),
    "no gzip at all": ("gzip", lambda _: b"\x1f\x8bnonsense"),
    "br": ("br", lambda body: zlib.compress(body)),
}


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("kind", BODIES)
def test_a_compressed_answer_is_refused(gateway: Gateway, kind: str, dialect: str, stream: bool) -> None:
    """Nobody asked for one: identity is what a provider is asked for, so that what it says can be read."""
    encoding, press = BODIES[kind]
    name = name_of(f"packed-{FORM_NAMES[stream]}", dialect)
    body = press(b"".join(EVENTS[dialect]()) if stream else b'{"choices":[]}')
    gateway.external.on(path(name, dialect), tuple(packed(dialect, body, stream, encoding)))
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert_refused(heard, PACKED, tries=1)
    assert_kept(heard, PACKED.outcome, [(name, PACKED.outcome)], who="upstream")
    assert gateway.external.requests[-1].get("accept-encoding") in (None, "identity")
