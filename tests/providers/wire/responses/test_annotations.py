import json
from typing import Any

import pytest

from providers.wire.events import Opaque
from providers.wire.responses.annotations import Cited

PLACED = {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 4}
FOUND = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "e"}


def annotation(value: Any) -> Opaque:
    return Opaque(json.dumps(value), "annotation", 0)


@pytest.mark.parametrize(
    ("given", "annotations", "kept"),
    [
        (PLACED, [PLACED], []),
        ({"type": "url_citation", "url_citation": {**PLACED, "type": ""}}, [PLACED], []),
        ({"type": "url_citation", "url": "u"}, [{**PLACED, "title": "", "start_index": 0, "end_index": 0}], []),
        (
            {"type": "file_path", "file_id": "f", "index": 3},
            [{"type": "file_path", "file_id": "f", "index": 3}],
            [],
        ),
        ({"type": "page_location", "page": 2}, [], [{"type": "page_location", "page": 2}]),
        ("text", [], ["text"]),
    ],
)
def test_annotations_have_a_place_or_are_kept(given: Any, annotations: list[Any], kept: list[Any]) -> None:
    cited = Cited()
    assert cited.take(annotation(given)) == annotations
    assert (cited.all, cited.kept, cited.at_end(9)) == (annotations, kept, [])


def test_a_citation_ahead_of_its_text_covers_the_part() -> None:
    cited = Cited()
    assert cited.take(Opaque(json.dumps(FOUND), "citation", 0)) == []
    assert cited.at_end(5) == cited.all == [{**PLACED, "start_index": 0, "end_index": 5}]
    assert (cited.kept, cited.at_end(5)) == ([FOUND], [])


def test_what_is_no_json_is_kept() -> None:
    cited = Cited()
    assert cited.take(Opaque("{", "citation", 0)) == []
    assert cited.kept == ["{"]


def test_only_citations_are_known() -> None:
    assert Cited.knows(Opaque("1", "citation"))
    assert not Cited.knows(Opaque("1", "server_tool_use"))
