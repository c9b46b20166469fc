"""A call that waits for a place at a full server, through the relay without a socket."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from mitmproxy import ctx
from mitmproxy.proxy import events

from addons.configuration import Configuration
from providers.exchange.plan import Server
from providers.places import Place
from tests.addons.conftest import REGISTRY
from tests.addons.line import Line
from tests.addons.line_words import ClientGone, Connected, Hook, Later, Opens, UpstreamSays, post, whole
from tests.providers.exchange.playbook import TARGET

SMALL = """  small:
    kind: compatible
    base_url: http://127.0.0.1:9905/v1
    max_in_flight: 1
    max_queued: 1
    deadlines: {connect: 1, head: 2}
models:
"""
NAME = "http://127.0.0.1:9905/v1"
CALL = post("/v1/chat/completions", {"model": "small/m", "messages": []})


@dataclass
class Handler:
    """What mitmproxy's connection handler shows of itself."""

    heard: list[events.Event] = field(default_factory=list)

    async def server_event(self, event: events.Event) -> None:
        self.heard.append(event)


@dataclass
class Full:
    """A line in front of a server whose only place is taken by another client's call."""

    line: Line
    configuration: Configuration
    taken: Place

    def leave(self) -> list[events.Event]:
        """Give that place back; return what the connection is told."""
        handler = Handler()
        ctx.master.addons.get("proxyserver").connections[self.line.client.id] = handler

        async def leave() -> None:
            self.configuration.failover.places.leave(self.taken, self.line.now_us())
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run(leave())
        return handler.heard

    def busy(self) -> int:
        return self.configuration.failover.places.busy("small", NAME)


@pytest.fixture(name="full")
def fixture_full(configure: Callable[..., Configuration], monkeypatch: pytest.MonkeyPatch) -> Iterator[Full]:
    configuration = configure(REGISTRY.replace("models:\n", SMALL, 1))
    server = Server(NAME, "http", "127.0.0.1", 9905, "/v1")
    with Line(configuration) as line:
        monkeypatch.setattr("addons.clock.now_us", line.now_us)
        places, asks = configuration.failover.places, replace(TARGET, provider="small", max_in_flight=1, max_queued=1)
        taken = places.enter(asks, (server,), 0, 1, lambda: None)
        assert taken is not None
        yield Full(line, configuration, taken)
        assert not line.raised


def test_a_call_goes_on_when_a_place_comes_free(full: Full) -> None:
    line = full.line
    line >> CALL >> Later(1)
    assert Opens(9905) not in line.done
    (event,) = full.leave()
    line._feed(event)
    assert Opens(9905) in line.done
    line >> Connected() >> UpstreamSays(whole(200, b'{"a":1}'))
    assert line.answer().body == b'{"a":1}'
    assert full.busy() == 0
    line._feed(event)  # late, and for nobody
    assert not line.raised


def test_a_client_that_leaves_the_line_frees_its_place(full: Full) -> None:
    full.line >> CALL
    assert full.busy() == 2
    full.line >> ClientGone()
    assert full.busy() == 1
    assert full.leave() == []


def test_who_waits_too_long_is_told_when_to_come_back(full: Full) -> None:
    full.line >> CALL >> Later(2.1)
    answer = full.line.answer()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["code"] == "overloaded"
    assert Hook("error") in full.line.done
    assert full.busy() == 1
