"""A client's call as it came: its endpoint, its headers, its body once it has been read, and how one is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.decompress import TooLarge, Unreadable, decompress
from providers.exchange.answer_head import Headers, value_of, without
from providers.wire.endpoints import Endpoint
from providers.wire.remote import Address, Inline
from providers.wire.splice import JsonObject, NotAnObject, read_object


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A recognised call as the client made it; ``query`` without its question mark."""

    endpoint: Endpoint
    query: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, "" if there is none; ``name`` in lower case."""
        return value_of(self.headers, name)


class Refused(Exception):
    """The call cannot go on: what the client is told.

    ``provider`` is who would have answered, "" if that is not known.
    """

    def __init__(
        self, status: int, message: str, code: str, *, provider: str = "", kind: str = "", model: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.provider = provider
        self.kind = kind
        self.model = model


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call whose body has been read. ``model`` is what the client wrote, "" if nothing; ``headers`` fit ``body``.

    ``media`` is what was downloaded for it.
    """

    request: ClientRequest
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    parsed: JsonObject = field(repr=False)
    model: str
    media: Mapping[Address, Inline] = field(default_factory=dict, repr=False)


def read_call(request: ClientRequest, limit: int) -> ReadCall:
    """Read a call's body; ``limit`` in bytes is for an unpacked one. Raises Refused."""
    headers, body = _unpacked(request, limit)
    try:
        parsed = read_object(body)
    except NotAnObject as error:
        raise Refused(400, f"The request cannot be read: {error}.", "invalid_json") from error
    model = parsed.value.get("model")
    if model is not None and not isinstance(model, str):
        raise Refused(400, f"`model` must be a string, not {type(model).__name__}.", "invalid_model")
    return ReadCall(request, headers, body, parsed, model or "")


def _unpacked(request: ClientRequest, limit: int) -> tuple[Headers, bytes]:
    """The headers and body without a content encoding: a body must be read to be routed."""
    encoding = value_of(request.headers, "content-encoding")
    if not encoding:
        return request.headers, request.body
    try:
        body = decompress(request.body, encoding, limit)
    except TooLarge as error:
        raise Refused(
            413, "The request body is larger than allowed once it is unpacked.", "request_too_large"
        ) from error
    except Unreadable as error:
        raise Refused(400, f"The request body cannot be unpacked: {error}.", "invalid_encoding") from error
    return without(request.headers, "content-encoding"), body
