"""What chat's and completions' stream writers share: the envelope around what a chunk says, and the end of a stream.

Strategy: the envelope is the same in every chunk, so its text is made once and only the part in the middle is encoded
per event. JSON is written with ASCII escapes, so that no text can fail to become bytes.
"""

import json

from providers.wire.chat.usage_object import Counts
from providers.wire.events import Begin, Comment, Event, Usage
from providers.wire.writer import Answering

encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


class Envelope:
    """Id, model and time of one answer, and its counts."""

    def __init__(self, answering: Answering, kind: str) -> None:
        self._kind = kind
        self._created = answering.created
        self._include_usage = answering.include_usage
        self._id = ""
        self._own_id = answering.id
        self._own_model = answering.model
        self._model = ""
        self._started = False
        self._head = ""
        self.counts = Counts()

    def begin(self, event: Begin) -> None:
        """Take the provider's id and model; the id stays what the first chunk said."""
        if not self._started:
            self._id = event.id or self._id
        self._model = event.model or self._model
        self._head = ""

    def chunk(self, choice: str) -> bytes:
        """One event of the stream around a choice's JSON text."""
        self._started = True
        if not self._head:
            self._head = f"data: {encode(self.fields())[:-1]},"
            if self._include_usage:  # as OpenAI sends it: null until the chunk that has it
                self._head += '"usage":null,'
            self._head += '"choices":['
        return f"{self._head}{choice}]}}\n\n".encode()

    def fields(self) -> dict[str, object]:
        """What stands around the choices."""
        return {
            "id": self._id or self._own_id,
            "object": self._kind,
            "created": self._created,
            "model": self._model or self._own_model,
        }

    def end(self) -> bytes:
        """The usage chunk, if it was asked for and is known, and the end of the stream."""
        usage = self.counts.to_json() if self._include_usage else None
        if usage is None:
            return DONE
        return f"data: {encode({**self.fields(), 'choices': [], 'usage': usage})}\n\n".encode() + DONE


def around(envelope: Envelope, event: Event) -> bytes | None:
    """The bytes of an event that is no content, b"" for none; None when it is for the writer itself."""
    match event:
        case Begin():
            envelope.begin(event)
        case Usage():
            envelope.counts.take(event)
        case Comment():
            return PING
        case _:
            return None
    return b""
