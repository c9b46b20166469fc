"""One try at one target: what it was sent to, and what has come back so far."""

from providers.exchange.account import AttemptAccount, Outcome
from providers.exchange.answer_head import Headers
from providers.exchange.listening import Listening
from providers.exchange.passage import Call, Passage, passage_to
from providers.exchange.plan import Target


class Attempt:
    """The state of a try. Times in monotonic µs.

    ``passage`` is how its answer becomes the client's, ``heard`` what was read of it, ``held`` what the client will
    get once the try is committed (of a refusal: its body).
    """

    def __init__(self, call: Call, target: Target, keep_limit: int, now: int) -> None:
        self.target = target
        self.account = AttemptAccount(target.provider, target.model)
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

    def hold(self, piece: bytes) -> None:
        """Keep a piece back."""
        self.held.append(piece)
        self.held_size += len(piece)

    def take_held(self) -> bytes:
        """Return what was kept back, and forget it."""
        held, self.held, self.held_size = b"".join(self.held), [], 0
        return held

    def is_between_events(self) -> bool:
        """Whether an event of ours may stand behind what the client has got so far."""
        return not self.passage.untouched or self.last_piece.endswith((b"\n\n", b"\r\n\r\n"))

    def close(self, outcome: Outcome, now: int, error: str | None) -> None:
        """Settle the try's own account, once."""
        if self.account.outcome is not None:
            return
        self.account.outcome, self.account.error = outcome, error
        self.account.duration_us = now - self.began
