"""What a writer is told of the call, and what it is itself."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.wire.endpoints import Operation
from providers.wire.events import Begin, Finish, FinishReason, Terminal, Text
from providers.wire.translate import WRITERS
from providers.wire.writer import Answering, Writer

ANSWERING = Answering("ours", "asked", 1760000000)
EVENTS = (Begin("", ""), Text("Hi"), Finish(FinishReason.STOP, "stop"), Terminal())


def test_nobody_is_told_what_it_did_not_ask_for() -> None:
    """No usage chunk, no functions of old, names and tools as they are, and no provider whose signatures are known."""
    assert (ANSWERING.include_usage, ANSWERING.legacy_functions) == (False, False)
    assert (ANSWERING.tool_names, ANSWERING.custom_tools, ANSWERING.request) == ({}, frozenset(), {})
    assert (ANSWERING.signatures, ANSWERING.provider) == ("", None)


def test_each_answer_has_notes_of_its_own_and_they_are_no_part_of_its_terms() -> None:
    other = Answering("ours", "asked", 1760000000)
    other.notes.drop("content.image")
    assert ANSWERING.notes.header() == ""
    assert other == ANSWERING
    assert replace(other, model="other").notes is other.notes  # who changes the terms keeps what was noted


@pytest.mark.parametrize("operation", sorted(WRITERS))
@pytest.mark.parametrize("form", [0, 1])
def test_a_writer_gives_bytes_and_ours_where_the_provider_names_nothing(operation: Operation, form: int) -> None:
    make: Callable[[Answering], Writer] = WRITERS[operation][form]
    writer = make(ANSWERING)
    said = [writer.write(event) for event in EVENTS]
    end = writer.close()
    assert any(said) is (form == 0)  # a plain answer comes whole at the end
    whole = b"".join([*said, end])
    assert all(ours in whole for ours in (b"ours", b"asked", b"Hi"))
