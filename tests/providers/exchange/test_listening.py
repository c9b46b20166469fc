"""What is heard of an answer is the same whether it is read at once or in slices."""

from providers.exchange import listening
from providers.exchange.listening import Listening
from providers.wire.endpoints import Operation
from providers.wire.readers import reader_for
from providers.wire.request import TextPart
from tests.fake_dialects import chat_events
from tests.providers.exchange.playbook import STREAMS


def hearing(operation: Operation = Operation.CHAT, *, is_events: bool = True, keep: int = 1 << 20) -> Listening:
    heard = Listening(keep)
    heard.start(reader_for(operation, is_events), is_events=is_events)
    return heard


def test_until_the_first_content_every_piece_is_read_at_once() -> None:
    role, first, *rest = chat_events(("a", "b"))
    heard = hearing()
    heard.hear(role)
    assert not heard.content_seen
    heard.hear(first)
    assert heard.content_seen
    heard.hear(b"".join(rest))
    assert not heard.answer.terminal
    heard.read()
    assert heard.answer.terminal


def text_of(heard: Listening) -> str:
    return "".join(part.text for part in heard.answer.message().parts if isinstance(part, TextPart))


def test_later_pieces_are_read_in_slices() -> None:
    heard = hearing()
    for piece in chat_events(["word "] * 300)[:-3]:
        heard.hear(piece)
    assert 0 < len(text_of(heard)) < 300 * 5
    heard.read()
    assert text_of(heard) == "word " * 300


def test_the_end_reads_the_rest_once() -> None:
    for operation, events in STREAMS.items():
        heard = hearing(operation)
        heard.hear(b"".join(events).rstrip(b"\n"))
        heard.close()
        heard.close()
        assert heard.answer.terminal
        assert heard.kept.content() == b"".join(events).rstrip(b"\n")


def test_nothing_was_said() -> None:
    heard = Listening(10)
    heard.read()
    heard.close()
    assert (heard.size, heard.content_seen, heard.answer.terminal) == (0, False, False)


def test_a_plain_answer_of_many_megabytes_is_passed_on_unread() -> None:
    heard = hearing(is_events=False, keep=5)
    piece = b"[" + b"1," * (1 << 19)
    for _ in range(listening._BODY_LIMIT // len(piece) + 2):
        heard.hear(piece)
    heard.close()
    assert heard.size > listening._BODY_LIMIT
    assert heard.kept.content() == piece[:5]
    assert not heard.kept.whole
    assert not heard.answer.terminal
