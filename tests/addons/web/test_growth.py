"""What is new in an answer, and that no key is shown of it, however it is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from addons.telemetry.cleaning import Cleaner
from addons.web.growth import Growth, Piece, Veil
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.estimate import text_tokens

SECRET = "sk-ant-canary-0123456789abcdef"


def test_each_part_is_told_as_it_grows() -> None:
    answer, growth = Answer(), Growth()
    assert growth.news(answer) == []
    for event in (events.Reasoning("hm", 0), events.Text("He", 1), events.Text("llo", 1)):
        answer.add(event)
    assert growth.news(answer) == [
        Piece(0, "reasoning", "hm", opens=True),
        Piece(1, "text", "Hello", opens=True),
    ]
    assert growth.news(answer) == []
    answer.add(events.Text("!", 1))
    answer.add(events.ToolCall(2, "c1", "look"))
    answer.add(events.Refusal("no", 3))
    assert growth.news(answer) == [
        Piece(1, "text", "!"),
        Piece(2, "tool", "", "look", opens=True),
        Piece(3, "refusal", "no", opens=True),
    ]
    answer.add(events.ToolArguments(2, '{"a":1}'))
    assert growth.news(answer) == [Piece(2, "tool", '{"a":1}', "look")]
    assert growth.tokens == text_tokens("hmHello!no" + '{"a":1}')


def test_media_are_counted_as_parts_and_not_told() -> None:
    answer, growth = Answer(), Growth()
    answer.add(events.Media("image", "image/png", 9, 0))
    answer.add(events.Text("æ", 1))
    assert growth.news(answer) == [Piece(1, "text", "æ", opens=True)]
    assert growth.tokens == 1


def test_another_answer_is_followed_from_its_beginning() -> None:
    one, other, growth = Answer(), Answer(), Growth()
    assert growth.follows(one)
    one.add(events.Text("one"))
    growth.news(one)
    assert growth.follows(one)
    assert not growth.follows(other)
    other.add(events.Text("other!"))
    assert growth.news(other) == [Piece(0, "text", "other!", opens=True)]
    assert growth.tokens == 2


# A key is never shown, and everything else is: whole, in order, however it was cut.
@given(
    before=st.text(alphabet="ab \n", max_size=12),
    after=st.text(alphabet="xy \n", max_size=12),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_no_cut_shows_a_key(before: str, after: str, cuts: list[int]) -> None:
    text = f"{before} {SECRET} {after}"
    veil, shown = Veil(Cleaner((SECRET,))), ""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, stop in pairwise(edges):
        shown += veil.over(Piece(0, "text", text[start:stop])).text
    shown += "".join(piece.text for piece in veil.rest())
    assert shown == text.replace(SECRET, "[redacted]")
    assert veil.rest() == []


def test_a_word_without_end_is_shown_all_the_same() -> None:
    veil = Veil(Cleaner(()))
    assert veil.over(Piece(0, "text", "x" * 200)).text == ""
    assert veil.over(Piece(0, "text", "x" * 200)).text == "x" * 400
    assert veil.over(Piece(1, "tool", "", "look", opens=True)) == Piece(1, "tool", "", "look", opens=True)
