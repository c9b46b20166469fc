"""What must be downloaded, and where it goes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Document, Image, Part, Request, Text, ToolResult, Turn
from providers.wire.notes import Unfetched
from providers.wire.remote import Address, Inline, inlined, path_to, wanted
from providers.wire.translate import addresses_wanted
from tests.providers.wire.calls import CHAT, CLAUDE, MESSAGES, OPERATIONS, RESPONSES, asked, plan
from tests.providers.wire.playbook import JSON

BLIND, SEEING = Capabilities(), Capabilities(image_urls=True)
PNG = Inline("image/png", "AAAA")
A, B, PDF = (
    Address(kind, f"https://x.example/{kind}{at}") for kind, at in (("image", 1), ("image", 2), ("document", 1))
)


def request(*turns: Turn) -> Request:
    return Request(CHAT, "m", turns)


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


FULL = request(
    user(Text("a"), Image(url=A.url), Image(media_type="image/gif", data="AA")),
    Turn("assistant", (Image(url="https://x.example/answered"),)),
    user(ToolResult("c", (Image(url=B.url, detail="low"), Text("b"))), Document(parts=(Image(url=A.url), Text("c")))),
    user(Document(url=PDF.url, title="t"), Image(url="gs://bucket/a"), Image(file_id="f"), Document(text="x")),
)


@pytest.mark.parametrize(
    ("target", "provider", "addresses"),
    [
        (BLIND, CHAT, (A, B, PDF)),
        (BLIND, MESSAGES, (A, B, PDF)),
        (SEEING, CHAT, (PDF,)),
        (SEEING, MESSAGES, ()),
        (SEEING, RESPONSES, ()),
    ],
)
def test_what_a_target_cannot_download(target: Capabilities, provider: Dialect, addresses: tuple[Address, ...]) -> None:
    assert wanted(FULL, target, provider) == addresses


def test_what_was_downloaded_stands_in_place_of_its_address() -> None:
    pdf = Inline("application/pdf", "JVBERi0=")
    first, answer, second, third = inlined(FULL, {A: PNG, PDF: pdf}).turns
    in_place = Image("image/png", "AAAA")
    assert first.parts == (Text("a"), in_place, Image(media_type="image/gif", data="AA"))
    assert answer is FULL.turns[1]
    assert second.parts == (
        ToolResult("c", (Image(url=B.url, detail="low"), Text("b"))),
        Document(parts=(in_place, Text("c"))),
    )
    assert third.parts == (Document("application/pdf", "JVBERi0=", title="t"), *FULL.turns[3].parts[1:])


@given(st.lists(st.sampled_from([Text("t"), Image(url=A.url), Image(url=B.url, detail="low"), Document(url=PDF.url)])))
def test_nothing_is_left_to_download(parts: list[Part]) -> None:
    # Once everything that is wanted has been put in its place nothing is wanted, and nothing else has changed.
    before = request(user(*parts, ToolResult("c", tuple(parts))))
    addresses = wanted(before, BLIND, MESSAGES)
    after = inlined(before, dict.fromkeys(addresses, PNG))
    assert wanted(after, BLIND, MESSAGES) == ()
    kinds = [[type(part) for part in turn.parts] for turn in before.turns]
    assert [[type(part) for part in turn.parts] for turn in after.turns] == kinds
    assert inlined(before, {}) == before


@pytest.mark.parametrize(
    ("body", "dialect", "path"),
    [
        (asked(CHAT, {"content": [{}, {"image_url": {"url": "u"}}]}), CHAT, "messages[0].content[1].image_url.url"),
        (asked(MESSAGES, {}, {"content": [{"source": {"url": "u"}}]}), MESSAGES, "messages.1.content.0.source.url"),
        (
            asked(RESPONSES, {"content": [{"image_url": "u"}, {"image_url": "u"}]}),
            RESPONSES,
            "input[0].content[0].image_url",
        ),
        (asked(CHAT), CHAT, ""),
    ],
)
def test_where_an_address_stands(body: dict[str, Any], dialect: Dialect, path: str) -> None:
    assert path_to(body, "u", dialect) == path


@given(JSON)
def test_any_body_can_be_searched(body: Any) -> None:
    # A path is found exactly for what stands in the body as a value.
    assert bool(path_to([body], "\x00 nowhere", CHAT)) is False
    assert path_to([body, "\x00 here"], "\x00 here", CHAT) == "[1]"


IMAGES: dict[Dialect, Any] = {
    CHAT: {"role": "user", "content": [{"type": "image_url", "image_url": {"url": A.url}}]},
    MESSAGES: {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": A.url}}]},
    RESPONSES: {"role": "user", "content": [{"type": "input_image", "image_url": A.url, "detail": "auto"}]},
}
FILES: dict[Dialect, Any] = {
    CHAT: {"role": "user", "content": [{"type": "file", "file": {"file_data": PDF.url}}]},
    MESSAGES: {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": PDF.url}}]},
    RESPONSES: {"role": "user", "content": [{"type": "input_file", "file_url": PDF.url}]},
}
PAIRS = [(client, provider) for client in IMAGES for provider in IMAGES if client is not provider]


@pytest.mark.parametrize(("client", "provider"), PAIRS)
@pytest.mark.parametrize(("messages", "address"), [(IMAGES, A), (FILES, PDF)])
def test_every_pair_asks_for_a_download_and_sends_what_came(
    client: Dialect, provider: Dialect, messages: dict[Dialect, Any], address: Address
) -> None:
    body = asked(client, messages[client])
    with pytest.raises(Unfetched):
        plan(client, provider, body, BLIND)
    assert addresses_wanted(OPERATIONS[client], provider, body, BLIND) == (address,)
    media = {address: Inline("image/png" if address is A else "application/pdf", "QUFB")}
    made = plan(client, provider, body, BLIND, media=media)
    assert address.url not in made.body.decode()
    assert "QUFB" in made.body.decode()
    assert made.notes.header() == ""
    json.loads(made.body)


def test_a_target_that_downloads_itself_gets_the_address() -> None:
    assert A.url in plan(CHAT, MESSAGES, asked(CHAT, IMAGES[CHAT]), CLAUDE).body.decode()
