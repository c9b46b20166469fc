"""The client's side of a feed: its head at once, then each piece as soon as it is told.

For a client that is behind nothing is taken out of the feed, so that it fills up there, and ends, instead of growing
without bound in front of a socket that nobody reads.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http.HttpStream`): ``client_state`` and
``server_state``, ``check_killed``, ``state_errored``.
"""

import time

from mitmproxy.proxy import events
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
)
from mitmproxy.proxy.layers.http._hooks import HttpResponseHeadersHook, HttpResponseHook

from addons import clock
from addons.relay.bell import ring
from addons.relay.feed import Feed
from addons.relay.forward_stream import ForwardStream
from addons.relay.http1 import Commands
from addons.relay.layer import SetAlarm, ShutDown
from addons.relay.patience import is_behind

_LATER = 100_000  # µs until it is seen whether a client has caught up


class FeedStream(ForwardStream):
    """One request of a client that is answered by a feed, if an addon has given it one."""

    _feed: Feed | None = None

    def _answer_ours(self) -> Commands:
        """Answer with what an addon has said: the whole of it, or the head of a feed."""
        in_hand = self._exchanges.of(self.flow)
        if in_hand is None or in_hand.feed is None:
            yield from super()._answer_ours()
        elif self.flow.request.method == "HEAD" or not self._is_sound:
            in_hand.feed.detach()
            yield from super()._answer_ours()
        else:
            yield from self._begin_feed(in_hand.feed)

    def _begin_feed(self, feed: Feed) -> Commands:
        response = self.flow.response
        assert response
        response.timestamp_start = time.time()
        response.headers.pop("content-length", None)
        if self.flow.request.data.http_version != b"HTTP/1.0":  # to those the end of the connection is the end
            response.headers["transfer-encoding"] = "chunked"
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            feed.detach()
        elif not self._is_sound:  # it was that hook
            feed.detach()
            self._take_back()
            yield from self.send_response()
        else:
            self._feed = feed
            feed.attach(lambda: ring(self.context.client))
            yield SendHttp(ResponseHeaders(self.stream_id, response, False), self.context.client)
            yield from self._feed_on(feed)

    def _hear_feed(self, feed: Feed, event: events.Event) -> Commands:
        """Go on, or end with the client or with Patchbay."""
        if isinstance(event, RequestProtocolError):
            yield from self._leave(feed)
            return
        if isinstance(event, ShutDown):
            feed.end()
        yield from self._feed_on(feed)

    def _feed_on(self, feed: Feed) -> Commands:
        if not feed.is_over and is_behind(self.context.client):
            now = clock.now_us()
            yield SetAlarm(now + _LATER, now)
            return
        waiting = feed.take()
        if waiting:
            yield SendHttp(ResponseData(self.stream_id, waiting), self.context.client)
        if feed.is_over:
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
            yield from self._leave(feed)

    def _leave(self, feed: Feed) -> Commands:
        self._feed = None
        feed.detach()
        self.client_state = self.server_state = self.state_errored
        yield DropStream(self.stream_id)
        assert self.flow.response
        self.flow.response.timestamp_end = time.time()
        yield HttpResponseHook(self.flow)
        self.flow.live = False
        self._exchanges.release(self.flow)
