"""A call that waits for downloads: its room, what comes of them, and a refusal that names the part."""

import json

import pytest

from providers.calls import ClientRequest, ReadCall, read_call
from providers.needs_media import NeedsMedia
from providers.wire.endpoints import endpoint_of
from providers.wire.remote import Address, Inline

WHERE = Address("image", "https://x.example/secret")
OTHER = Address("document", "https://x.example/other")
ABOUT = {"provider": "acme", "kind": "compatible", "model": "m"}
PARTS: dict[str, object] = {
    "/v1/chat/completions": {"type": "image_url", "image_url": {"url": WHERE.url}},
    "/v1/messages": {"type": "image", "source": {"type": "url", "url": WHERE.url}},
}


def needs(path: str = "/v1/messages") -> NeedsMedia:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": ["a", PARTS[path]]}]}).encode()
    return NeedsMedia(read_call(ClientRequest(endpoint, "", [], body), 10_000), (WHERE, OTHER), ABOUT)


def test_it_says_how_much_there_is_to_do() -> None:
    assert str(needs()) == "2 to download"


def test_what_came_is_added_to_what_is_there_and_takes_room() -> None:
    waiting = needs()
    call: ReadCall = waiting.with_media({WHERE: Inline("image/png", "AAAA")})
    again = NeedsMedia(call, (OTHER,), ABOUT)
    assert waiting.room(1000) - again.room(1000) == 4
    assert waiting.room(1000) == 1000 - len(call.body)
    assert again.with_media({OTHER: Inline("application/pdf", "BB")}).media == {
        WHERE: Inline("image/png", "AAAA"),
        OTHER: Inline("application/pdf", "BB"),
    }
    assert not waiting.call.media


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/chat/completions", "messages[0].content[1].image_url.url"),
        ("/v1/messages", "messages.0.content.1.source.url"),
    ],
)
def test_a_refusal_names_the_part_and_no_address(path: str, place: str) -> None:
    told = needs(path).refusal(WHERE, "answered 404")
    assert told == (
        f"{place}: the image could not be downloaded for 'acme', which downloads nothing itself: answered 404. "
        "Send it as base64 instead."
    )
    assert needs(path).refusal(OTHER, "x").startswith("the request: the document could not be downloaded")
