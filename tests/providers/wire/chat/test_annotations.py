"""Citations as annotations, where they have a web source; all of them in the side channel."""

import json
from typing import Any

from providers.wire.events import Opaque, PartEnd, Text
from tests.providers.wire.chat.written import message

WEB = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "e"}
PAGE = {"type": "page_location", "document_index": 0}


def cited(kind: str, value: dict[str, Any], part: int) -> Opaque:
    return Opaque(json.dumps(value), kind, part)


def url(start: int, end: int) -> dict[str, Any]:
    return {"type": "url_citation", "url_citation": {"start_index": start, "end_index": end, "title": "t", "url": "u"}}


def test_a_citation_before_its_text_covers_the_block() -> None:
    said = message(
        Text("ab", 0),
        cited("citation", WEB, 1),
        cited("citation", PAGE, 1),
        Text("cd", 1),
        Text("e", 1),
        PartEnd(1),
        Text("f", 2),
        cited("citation", WEB, 2),
    )
    assert said["annotations"] == [url(2, 5), url(5, 6)]
    assert said["content"] == "abcdef"
    assert [part.get("citations") for part in said["provider_fields"]["parts"]] == [None, [WEB, PAGE], [WEB]]


def test_annotations_of_a_later_part_are_moved() -> None:
    flat = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "t", "url": "u"}
    nested = {"type": "url_citation", "url_citation": {"start_index": 1, "title": "t", "url": "u"}}
    file = {"type": "file_citation", "file_id": "f"}
    said = message(
        Text("ab", 0),
        Text("cd", 1),
        *(cited("annotation", entry, 1) for entry in (flat, nested, file)),
    )
    assert said["annotations"] == [url(2, 4), url(3, 2)]
    assert said["provider_fields"]["parts"][1]["citations"] == [flat, nested, file]


def test_a_citation_that_is_no_object_is_kept() -> None:
    said = message(Text("a"), Opaque("broken", "citation", 0))
    assert "annotations" not in said
    assert said["provider_fields"]["parts"] == [{"type": "text", "length": 1, "citations": ["broken"]}]
