"""The envelope of chunks, and the end of a stream."""

import json

from providers.wire.chat.chunks import DONE, PING, Envelope, around
from providers.wire.events import Begin, Comment, Terminal, Text, Usage
from tests.providers.wire.chat.written import answering


def test_ours_stands_where_the_provider_names_nothing() -> None:
    envelope = Envelope(answering(include_usage=False), "kind")
    assert around(envelope, Begin("", "")) == b""
    assert envelope.chunk("{}") == (
        b'data: {"id":"ours","object":"kind","created":1760000000,"model":"asked","choices":[{}]}\n\n'
    )


def test_the_id_stays_and_the_model_may_come_later() -> None:
    envelope = Envelope(answering(), "kind")
    around(envelope, Begin("a"))
    first = json.loads(envelope.chunk("{}").removeprefix(b"data: "))
    around(envelope, Begin("b", "m"))
    second = json.loads(envelope.chunk("{}").removeprefix(b"data: "))
    assert (first["id"], first["model"], second["id"], second["model"]) == ("a", "asked", "a", "m")
    assert first["usage"] is None


def test_usage_comes_if_it_was_asked_for_and_is_known() -> None:
    envelope = Envelope(answering(), "kind")
    assert envelope.end() == DONE
    assert around(envelope, Usage(1, 2)) == b""
    assert b'"choices":[],"usage":{"prompt_tokens":1' in envelope.end()
    silent = Envelope(answering(include_usage=False), "kind")
    around(silent, Usage(1, 2))
    assert silent.end() == DONE


def test_a_comment_is_a_comment_and_content_is_the_writers() -> None:
    envelope = Envelope(answering(), "kind")
    assert around(envelope, Comment("anything\n\ndata: x")) == PING
    assert around(envelope, Terminal()) is None
    assert around(envelope, Text("a")) is None


def test_every_chunk_has_the_same_envelope() -> None:
    """Clients tell answers apart by the id; counts that come between change nothing before the end."""
    envelope = Envelope(answering(), "kind")
    around(envelope, Begin("a", "m"))
    first = envelope.chunk('{"index":0}')
    around(envelope, Usage(1, 2))
    second = envelope.chunk('{"index":1}')
    assert second == first.replace(b'"index":0', b'"index":1')
    assert first != second
