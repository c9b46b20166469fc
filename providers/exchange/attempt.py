"""One try at one target: what it was sent to, and what has come back so far."""

from dataclasses import replace

from providers.exchange.account import AttemptAccount, Outcome
from providers.exchange.answer_head import Headers, value_of
from providers.exchange.listening import Listening
from providers.exchange.passage import Call, Passage, passage_to
from providers.exchange.plan import Target
from providers.exchange.settlement import settle_try, since, used_of
from providers.wire.charges import COST_HEADER, told_cost
from providers.wire.endpoints import Operation
from providers.wire.events import NO_USAGE, Usage

# What models write answers to; each can be a stream.
GENERATING = frozenset((Operation.CHAT, Operation.COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES))
# µs: an idle connection that had been closed says so within a round trip. One that dies later has brought the request
# to a server, and the model may have been at work.
STALE_WITHIN = 1_000_000
_BLANK = b"\xef\xbb\xbf \t\r\n"  # may stand ahead of JSON, the byte order mark too
_NO_CONTENT = 204
_SHOWN = 256  # bytes of what is no answer are kept in the record


class Attempt:
    """The state of a try. Times in monotonic µs.

    ``passage`` is how its answer becomes the client's, ``heard`` what was read of it, ``held`` what the client will
    get once the try is committed (of a refusal: its body). ``before`` is what others had used of the answer that this
    try goes on with.
    """

    def __init__(self, call: Call, target: Target, keep_limit: int, now: int) -> None:
        self.target = target
        self._generates = call.operation in GENERATING
        self.account = AttemptAccount(target.provider, target.model, endpoint=target.endpoint, price=target.price)
        self.passage: Passage = passage_to(call, target)
        self.heard = Listening(keep_limit)
        self.began = now
        self.reused = False
        self.status = 0
        self.headers: Headers = []
        self.held: list[bytes] = []
        self.held_size = 0
        self.last_data = now
        self.last_piece = b""
        self.before = NO_USAGE

    def hold(self, piece: bytes) -> None:
        """Keep a piece back."""
        self.held.append(piece)
        self.held_size += len(piece)

    def take_held(self) -> bytes:
        """Return what was kept back, and forget it."""
        held, self.held, self.held_size = b"".join(self.held), [], 0
        return held

    def had_been_closed(self, now: int) -> bool:
        """Whether the connection that has died now, before a byte of an answer, had been closed before it was used."""
        return self.reused and now - self.began < STALE_WITHIN

    def is_no_answer(self) -> bool:
        """Whether what has come is none: a model's plain answer is a JSON object, any other is JSON, none is a page.

        Nothing at all is an answer only of a server that says so (204), where no model writes.
        """
        heard = self.heard
        if (failure := heard.answer.failure) is not None and not failure.raw:  # it was read out of a text
            return not heard.is_events or failure.message.startswith("<")
        if heard.is_events or failure is not None or not self.passage.untouched:
            return False
        first = next((piece for held in self.held if (piece := held.lstrip(_BLANK))), b"")
        return not first.startswith(b"{") if self._generates else not first and self.status != _NO_CONTENT

    def oddity(self) -> str:
        """What such an answer is, for the record alone."""
        begin = self.heard.kept.content()[:_SHOWN].decode("utf-8", "replace")
        return f"no answer, but {value_of(self.headers, 'content-type') or 'nothing named'}: {begin!r}"

    def is_between_events(self) -> bool:
        """Whether an event of ours may stand behind what the client has got so far."""
        return not self.passage.untouched or self.last_piece.endswith((b"\n\n", b"\r\n\r\n"))

    def close(self, outcome: Outcome, now: int, error: str | None) -> None:
        """Settle the try's own account, once."""
        if self.account.outcome is not None:
            return
        self.account.outcome, self.account.error = outcome, error
        self.account.duration_us = now - self.began
        settle_try(self.account, self._used())

    def _used(self) -> Usage:
        """What the try used, as far as it was told; some gateways tell the price of a plain answer in its head."""
        used = since(used_of(self.heard.answer), self.before)
        if used.cost is not None or self.heard.is_events:
            return used
        cost = told_cost(value_of(self.headers, COST_HEADER)) if self.headers else None
        return used if cost is None else replace(used, cost=cost)
