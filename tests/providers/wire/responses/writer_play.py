"""Ways to play events into the Responses writers, and what the official types and accumulator make of the bytes."""

import json
from collections.abc import Sequence
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers.wire.events import Event
from providers.wire.responses.writer import BodyWriter, StreamWriter
from providers.wire.sse import SseDecoder
from providers.wire.writer import Answering

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
ANSWERING = Answering("resp_ours", "asked", 17)


def written(events: Sequence[Event], answering: Answering = ANSWERING) -> bytes:
    """The stream that events become."""
    writer = StreamWriter(answering)
    return b"".join([writer.write(event) for event in events]) + writer.close()


def frames(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each of the official type, named like its type, and numbered without a gap."""
    found: list[dict[str, Any]] = []
    for event in SseDecoder().feed(stream):
        if event.comment is None:
            data = json.loads(event.data)
            assert data["type"] == event.event
            assert data["sequence_number"] == len(found)
            EVENTS.validate_python(data)
            found.append(data)
    return found


def told(events: Sequence[Event], answering: Answering = ANSWERING) -> list[dict[str, Any]]:
    """The frames that events become, between the beginning and the end, without numbers."""
    out = frames(written(events, answering))
    return [{key: value for key, value in frame.items() if key != "sequence_number"} for frame in out[2:-1]]


def items(events: Sequence[Event], answering: Answering = ANSWERING) -> list[dict[str, Any]]:
    """The finished output items; the same in the stream's end, in its item events, and in the plain answer."""
    streamed = frames(written(events, answering))
    done = [frame["item"] for frame in streamed if frame["type"] == "response.output_item.done"]
    assert streamed[-1]["response"]["output"] == done
    assert whole(events, answering)["output"] == done
    return done


def whole(events: Sequence[Event], answering: Answering = ANSWERING) -> dict[str, Any]:
    """The plain answer that events become; the same as the response at the end of the stream."""
    writer = BodyWriter(answering)
    assert b"".join([writer.write(event) for event in events]) == b""
    body: dict[str, Any] = json.loads(writer.close())
    Response.model_validate(body)
    assert frames(written(events, answering))[-1]["response"] == body
    return body
