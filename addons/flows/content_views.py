"""ContentViews: what mitmweb and mitmproxy show of a model's call.

*Conversation* is a body as YAML; in mitmproxy it is edited in place (``e``, then ``request-body (Conversation)``),
`addons.flows.conversation_commands` tells how elsewhere. *Stream* is an answer of events with their times, *Wire vs
client* what was changed between the two.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from mitmproxy import contentviews, exceptions, http
from mitmproxy.addonmanager import Loader

from addons.relay.wire_view import body_hash, text_headers
from addons.views.both_sides import Part, compare
from addons.views.calls import operation_of
from addons.views.conversation import Side, edit_body, show_body
from addons.views.refused import EditRefused
from addons.views.stream import Ending, show_answer, show_stream
from providers.exchange.pace import read_pace
from providers.headers import without_keys
from providers.redaction import redact
from providers.wire.endpoints import Operation

_AHEAD = 10.0  # of mitmproxy's own views, which give JSON 1 and GraphQL 2
_BESIDE = 0.5  # can be chosen, and is never the first choice
_NEVER = -1.0
_EVENTS = (b"data:", b"event:", b":")
_NOT_YET = "# The call is not routed yet, or was refused: what the client sent is what stands here.\n"


class ConversationRefused(exceptions.CommandError, ValueError):
    """An edit that cannot be taken; mitmproxy shows a CommandError to whoever made it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One body of a flow, with what the flow says about it."""

    flow: http.HTTPFlow
    message: http.Message
    operation: Operation

    @property
    def is_request(self) -> bool:
        """Whether it is what the provider is sent."""
        return self.message is self.flow.request

    def is_events(self, data: bytes) -> bool:
        """Whether it is an answer of server-sent events, by its head or, where that says nothing, by its bytes."""
        if self.is_request:
            return False
        said = self.message.headers.get("content-type", "")
        return said.startswith("text/event-stream") or (not said and data.lstrip().startswith(_EVENTS))

    def title(self) -> str:
        """What stands above the text, on one line."""
        told = self.flow.metadata
        words = [str(told[key]) for key in ("patchbay.provider", "patchbay.model") if told.get(key)]
        of = redact(" ".join("/".join(words).split())) or self.flow.request.host
        if self.is_request:
            return f"{self.operation} request to {of}"
        status = self.flow.response.status_code if self.flow.response is not None else ""
        return f"{self.operation} answer of {of}, {status}"

    def side(self) -> Side:
        """Return what the conversation's text needs to know."""
        return Side(self.operation, self.is_request, self.title())

    def ending(self) -> Ending:
        """Say how the call ended."""
        error = self.flow.error.msg if self.flow.error is not None else ""
        return Ending(redact(" ".join(error.split())), bool(self.flow.metadata.get("patchbay.body_cut")))

    def pieces(self, data: bytes) -> list[tuple[int, int]]:
        """Return when each piece of a stream came, if that was noted of these very bytes."""
        pieces = read_pace(self.flow.metadata.get("patchbay.pace"))
        size = sum(size for size, _ in pieces)
        is_whole = size == len(data) or (size > len(data) and self.ending().is_cut)
        return pieces if is_whole and data == self.message.raw_content else []


def seen(metadata: contentviews.Metadata) -> Seen | None:
    """Say whose body it is, None if it belongs to no call of a model."""
    shown, message = metadata.flow, metadata.http_message
    if not isinstance(shown, http.HTTPFlow) or message is None or shown.websocket is not None:
        return None
    operation = operation_of(shown.request.method, shown.request.path)
    return None if operation is None else Seen(shown, message, operation)


class Conversation(contentviews.InteractiveContentview):
    """A request or an answer as readable turns; a paused one can be edited."""

    name = "Conversation"
    syntax_highlight = "yaml"

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        """Come first for JSON of a model's call."""
        found = seen(metadata)
        if found is None or not data:
            return _NEVER
        if found.is_events(data):
            return _BESIDE
        return _AHEAD if data.lstrip()[:1] == b"{" else _NEVER

    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        """Return the conversation as YAML."""
        found = seen(metadata)
        if found is None:
            return show_body(data, Side(None, False, "JSON"))
        if found.is_events(data):
            return show_answer(data, found.operation, found.title(), found.ending())
        return show_body(data, found.side())

    def reencode(self, prettified: str, metadata: contentviews.Metadata) -> bytes:
        """Return the body with the edit in it. Raises ConversationRefused; what was written is then kept in a file."""
        found = seen(metadata)
        try:
            if found is None:
                raise EditRefused("this is no call of a model: edit the body itself")
            return edit(found, prettified)
        except EditRefused as error:
            raise ConversationRefused(
                f"{error}. Nothing was changed; your text is in {_rescued(prettified)}"
            ) from error


class Stream(contentviews.Contentview):
    """The answer that a stream adds up to, above its events."""

    name = "Stream"
    syntax_highlight = "yaml"

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        """Come first for an answer of events."""
        found = seen(metadata)
        return _AHEAD if found is not None and found.is_events(data) else _NEVER

    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        """Return the answer and its events."""
        found = seen(metadata)
        if found is None or found.is_request:
            return "# This is no answer of a model.\n"
        return show_stream(data, found.operation, found.title(), found.ending(), found.pieces(data))


class WireVsClient(contentviews.Contentview):
    """What was changed or dropped between the client and the provider."""

    name = "Wire vs client"
    syntax_highlight = "none"

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        """Be there for every call that went through Patchbay."""
        found = seen(metadata)
        return _NEVER if found is None or "patchbay.client_request" not in found.flow.metadata else _BESIDE

    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        """Return what differs."""
        found = seen(metadata)
        if found is None or "patchbay.client_request" not in found.flow.metadata:
            return _NOT_YET
        return _compared_request(found, data) if found.is_request else _compared_answer(found, data)


VIEWS: Sequence[contentviews.Contentview] = (Conversation(), Stream(), WireVsClient())


def edit(found: Seen, text: str) -> bytes:
    """Return a body with the edit of its conversation in it. Raises EditRefused."""
    data = found.message.get_content(strict=False) or b""
    if found.is_events(data):
        raise EditRefused("an answer that streams cannot be edited: it has been passed on")
    return edit_body(text, data, found.side())


def _rescued(text: str) -> str:
    """Keep what somebody wrote where only they can read it."""
    handle, name = tempfile.mkstemp(prefix="patchbay-conversation-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return name


def _compared_request(found: Seen, data: bytes) -> str:
    told, request = found.flow.metadata, found.flow.request
    body = told.get("patchbay.client_request_body")
    routed = told.get("patchbay.wire_body_hash")
    if not isinstance(body, str) and routed is not None and routed != body_hash(request.raw_content or b""):
        return "# This request was edited after it had been routed; before that, it was what the client sent.\n"
    path, mark, query = request.path.partition("?")
    line = f"{request.method} {request.scheme}://{request.host}:{request.port}{path}{mark}{without_keys(query)}"
    client = Part(
        str(told["patchbay.client_request"]),
        _pairs(told.get("patchbay.client_request_headers")),
        body.encode("utf-8", "replace") if isinstance(body, str) else data,
    )
    wire = Part(line, text_headers(request.headers.fields), data)
    return compare(client, wire, is_request=True, translation=_text(told.get("patchbay.translation")))


def _compared_answer(found: Seen, data: bytes) -> str:
    told, response = found.flow.metadata, found.flow.response
    if "patchbay.client_status" not in told or response is None:
        return "# This flow does not tell what the client has got (yet).\n"
    body = told.get("patchbay.client_body")
    headers = _pairs(told.get("patchbay.client_headers"))
    client = Part(
        str(told["patchbay.client_status"]),
        headers,
        body.encode("utf-8", "replace") if isinstance(body, str) else data,
        is_events=dict(headers).get("content-type", "").startswith("text/event-stream"),
    )
    wire = Part(str(response.status_code), text_headers(response.headers.fields), data, found.is_events(data))
    return compare(client, wire, is_request=False, translation=_text(told.get("patchbay.translation")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _pairs(value: object) -> list[tuple[str, str]]:
    """Header fields out of a flow's metadata, which may come from any file."""
    pairs = value if isinstance(value, list | tuple) else []
    return [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]


class ContentViews:
    """Registers the views."""

    def load(self, loader: Loader) -> None:
        """Let mitmproxy know the views."""
        for view in VIEWS:
            contentviews.add(view)
