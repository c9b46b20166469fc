"""Two answers become one: numbers go on, counts add up, nothing is said twice."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.seam import Joined, Onward, Unbroken, Words, said, thought
from providers.exchange.settlement import added
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.events import Event, Text, Usage
from providers.wire.notes import Notes

USED = Usage(5, 7)
FINISH = events.Finish(events.FinishReason.STOP, "stop")


class Given:
    """A reader whose events are laid out beforehand: each byte that is fed is one, the rest comes at the end."""

    def __init__(self, ahead: Sequence[Event], last: Sequence[Event] = ()) -> None:
        self._ahead = list(ahead)
        self._last = list(last)

    def feed(self, data: bytes) -> list[Event]:
        taken, self._ahead = self._ahead[: len(data)], self._ahead[len(data) :]
        return taken

    def close(self) -> list[Event]:
        return [*self._ahead, *self._last]


def answer(*read: Event) -> Answer:
    made = Answer()
    for event in read:
        made.add(event)
    return made


def joined(
    *read: Event, blank: str = "", open_text: int | None = 1, kin: bool = True, notes: Notes | None = None
) -> list[Event]:
    onward = Onward(2, open_text, blank, USED)
    reader = Joined(Given(read), onward, Words(kin, {"sent_name": "name"}, notes or Notes()))
    return [*reader.feed(b"x"), *reader.close()]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ([Text("Hi")], "Hi"),
        ([events.Reasoning("hm"), Text("Hi", 1), events.Reasoning("hm", 2), Text(" you", 3)], "Hi you"),
        ([], ""),
        ([Text(" \n")], ""),
        ([Text("Hi\ud83d")], ""),
        ([Text("Hi"), FINISH], ""),
        ([Text("Hi"), events.Reasoning("hm", 1)], ""),
        ([Text("Hi"), events.ToolCall(1, "c", "look"), Text("you", 2)], ""),
        ([events.Refusal("no")], ""),
    ],
)
def test_what_can_be_gone_on_with(read: list[Event], text: str) -> None:
    assert said(answer(*read)) == text


def test_the_thoughts() -> None:
    assert thought(answer(events.Reasoning("h"), Text("Hi", 1), events.Reasoning("m", 2))) == "hm"


def test_counts_are_added_up() -> None:
    assert added(Usage(1, None, 3), Usage(4, 5, None)) == Usage(5, 5, 3)


# What the end of the bytes brings counts only if it is a good end.
@pytest.mark.parametrize(
    ("last", "given"),
    [
        ([Text("x"), events.Terminal()], [Text("x"), events.Terminal()]),
        ([Text("x")], []),
        ([Text("x"), events.Failure("no")], [events.Failure("no")]),
    ],
)
def test_an_end_that_is_none_says_nothing(last: list[Event], given: list[Event]) -> None:
    assert Unbroken(Given([], last)).close() == given


def stand(reader: Unbroken, count: int) -> tuple[int, int | None]:
    reader.feed(b"x" * count)
    return reader.highest, reader.open_text


def test_where_an_answer_stands() -> None:
    reader = Unbroken(Given([Text("a", 3), events.Opaque("{}"), events.PartEnd(2), events.PartEnd(3), Text("b", 4)]))
    assert stand(reader, 3) == (3, 3)
    assert stand(reader, 1) == (3, None)
    assert stand(reader, 1) == (4, 4)


def test_the_text_goes_on_in_the_one_that_was_open() -> None:
    read = joined(events.Begin("id", "m"), Text("a"), Text("b", 1), events.PartEnd(0), Text("c"))
    assert read == [USED, Text("a", 1), Text("b", 3), events.PartEnd(1), Text("c", 1)]


def test_what_does_not_begin_with_text_gets_numbers_of_its_own() -> None:
    signed = events.Reasoning("", 0, signature="s")
    read = joined(signed, events.Reasoning("hm", 0, "s", "e", "i", "f"), Text("a", 1), events.Refusal("no", 2))
    assert read == [USED, events.Reasoning("hm", 3), Text("a", 4), events.Refusal("no", 5)]
    assert joined(Text("a"), open_text=None) == [USED, Text("a", 3)]


def test_tools_have_the_clients_names() -> None:
    read = joined(events.ToolCall(0, "1", "sent_name"), events.ToolArguments(0, "{}"), events.ToolCall(1, "2", "other"))
    assert read[1:] == [
        events.ToolCall(3, "1", "name"),
        events.ToolArguments(3, "{}"),
        events.ToolCall(4, "2", "other"),
    ]


def test_what_one_dialect_alone_understands_does_not_go_into_anothers_answer() -> None:
    notes = Notes()
    beside, within = events.Opaque("1", "tier"), events.Opaque("2", "", 0)
    assert joined(beside, within, kin=False, notes=notes) == [USED]
    assert notes.header() == "dropped=answer.tier,answer.unknown"
    assert joined(beside, within) == [USED, beside, events.Opaque("2", "", 3)]


def test_both_are_counted() -> None:
    measured = events.Timings(prompt=3, decoded=4)
    assert joined(Usage(1, 2), measured, events.Terminal()) == [USED, Usage(6, 9), events.Terminal()]
    assert joined(measured, events.Terminal()) == [USED, Usage(8, 11), events.Terminal()]
    assert joined(events.Comment("c"), FINISH) == [USED, events.Comment("c"), FINISH]


# The white space that the client has is not said again, however the text is cut; all else is said, once.
@given(st.text(" \n\t", max_size=3), st.text(" \n\ta", max_size=8), st.lists(st.integers(0, 8), max_size=4))
def test_the_seam(blank: str, text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [Text(text[one:other]) for one, other in pairwise(places)]
    told = "".join(event.text for event in joined(*pieces, blank=blank) if isinstance(event, Text))
    assert text.endswith(told)
    dropped = text[: len(text) - len(told)]
    assert blank.startswith(dropped)
    assert not (told and len(dropped) < len(blank) and told[0] == blank[len(dropped)])
