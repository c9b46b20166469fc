"""Plays one exchange without a driver: ``>>`` says what happens, ``<<`` says what must be asked for, in order.

The playbook itself holds what is true of every exchange, whatever is played: nothing goes to the client before its
head and nothing after its end, an exchange is settled once, and then it asks for nothing any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from providers.exchange.account import EndedBy, ExchangeAccount, Outcome
from providers.exchange.commands import Command, Cut, Data, End, Head, SetTimer, Timer
from providers.exchange.course import Course
from providers.exchange.machine import Exchange, Phase, Settings
from providers.exchange.plan import Plan, Target
from providers.provider import Deadlines
from providers.wire.endpoints import Dialect, Operation
from providers.wire.readers import reader_for
from tests.fake_dialects import chat_events, completions_events, messages_events, responses_events

SECOND = 1_000_000  # µs
BEGAN = 50 * SECOND
DEADLINES = Deadlines(connect=1, head=2, first_content=3, gap=4, total=10)
SECRET = "canary-0123456789abcdef"
TARGET = Target(
    provider="acme",
    kind="compatible",
    model="big",
    deadlines=DEADLINES,
    scheme="https",
    host="api.acme.example",
    port=443,
    path="/v1/chat/completions",
    headers=[("authorization", "Bearer <ACME_API_KEY>")],
    body=b"{}",
)
SSE = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]
NAMED = [
    ("x-patchbay-id", "pb-1"),
    ("x-patchbay-provider", "acme"),
    ("x-patchbay-model", "big"),
    ("x-patchbay-attempts", "1"),
    ("x-patchbay-reason", "because"),
]
UNNUMBERED = [*NAMED, ("x-request-id", "pb-1")]  # behind a provider that gave the call no id of its own
UNBUFFERED = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]
OPERATIONS = {
    Operation.CHAT: Dialect.CHAT,
    Operation.COMPLETIONS: Dialect.CHAT,
    Operation.MESSAGES: Dialect.MESSAGES,
    Operation.RESPONSES: Dialect.RESPONSES,
}
WORDS = ("Hé", " you")
STREAMS: dict[Operation, list[bytes]] = {
    Operation.CHAT: chat_events(WORDS),
    Operation.COMPLETIONS: completions_events(WORDS),
    Operation.MESSAGES: messages_events(WORDS),
    Operation.RESPONSES: responses_events(WORDS),
}


@dataclass(frozen=True)
class Input:
    """Something that happens to an exchange."""

    play: Callable[[Exchange], list[Command]]


def account(operation: Operation = Operation.CHAT, *, stream: bool = True) -> ExchangeAccount:
    return ExchangeAccount(
        id="pb-1",
        started_at=1.0,
        provider="acme",
        kind="compatible",
        dialect=OPERATIONS.get(operation, Dialect.CHAT),
        operation=operation,
        requested_model="big",
        model="big",
        stream=stream,
    )


def exchange(
    operation: Operation = Operation.CHAT,
    *,
    target: Target = TARGET,
    settings: Settings | None = None,
    stream: bool = True,
    course: Course | None = None,
) -> Exchange:
    settings = settings or Settings(secrets=lambda: [SECRET])
    plan = Plan(target, "because")
    return Exchange(account(operation, stream=stream), plan, reader_for, settings, course)


# What happens, each at a time in seconds since the beginning.


def _at(seconds: float) -> int:
    return BEGAN + int(seconds * SECOND)


def begin(at: float = 0) -> Input:
    return Input(lambda x: x.begin(_at(at)))


def opened(at: float = 0, *, reused: bool = False) -> Input:
    return Input(lambda x: x.opened(_at(at), reused=reused))


def head(status: int = 200, headers: Sequence[tuple[str, str]] = SSE, at: float = 0) -> Input:
    return Input(lambda x: x.head(status, list(headers), _at(at)))


def data(piece: bytes, at: float = 0) -> Input:
    return Input(lambda x: x.data(piece, _at(at)))


def ended(at: float = 0) -> Input:
    return Input(lambda x: x.ended(_at(at)))


def failed(outcome: Outcome = Outcome.UPSTREAM_RESET, detail: str = "", at: float = 0) -> Input:
    return Input(lambda x: x.failed(outcome, _at(at), detail))


def timer(name: Timer, at: float = 0) -> Input:
    return Input(lambda x: x.timer(name, _at(at)))


def client_gone(at: float = 0) -> Input:
    return Input(lambda x: x.client_gone(_at(at)))


def abandon(outcome: Outcome, detail: str = "", at: float = 0) -> Input:
    return Input(lambda x: x.abandon(outcome, _at(at), detail))


class Playbook:
    """One exchange in play. ``body`` is what the client got, ``head`` its head, ``end`` how it ended for the client."""

    def __init__(self, played: Exchange | None = None) -> None:
        self.exchange = played or exchange()
        self.asked: list[Command] = []
        self.head: Head | None = None
        self.body = b""
        self.end: End | Cut | None = None
        self.timers: dict[Timer, float] = {}
        self._settled: tuple[Outcome | None, EndedBy | None] | None = None

    @property
    def account(self) -> ExchangeAccount:
        return self.exchange.account

    def __rshift__(self, said: Input) -> Self:
        commands = said.play(self.exchange)
        if self._settled is not None:
            assert not commands, f"after the end: {commands}"
        for command in commands:
            self._take(command)
        self.asked += commands
        if self.exchange.phase is Phase.OVER:
            self._settle()
        else:
            assert self.account.outcome is None
            assert self.end is None
        return self

    def _take(self, command: Command) -> None:
        match command:
            case Head():
                assert self.head is None, "two heads"
                self.head = command
            case Data():
                assert self.head is not None, "data ahead of the head"
                assert self.end is None, "data behind the end"
                assert command.data, "an empty piece would end a chunked body"
                self.body += command.data
            case End() | Cut():
                assert self.head is not None
                assert self.end is None, "two ends"
                self.end = command
            case SetTimer():
                assert command.seconds > 0
                self.timers[command.name] = command.seconds

    def _settle(self) -> None:
        settled = (self.account.outcome, self.account.who_ended)
        assert None not in settled
        assert self._settled in (None, settled), "settled twice"
        self._settled = settled
        assert self.account.bytes_out == len(self.body)
        assert self.account.duration_us is not None
        assert self.account.duration_us >= 0

    def __lshift__(self, expected: Sequence[Command]) -> Self:
        asked, self.asked = self.asked, []
        assert asked == list(expected)
        return self

    def facts(self) -> dict[str, object]:
        """The account without its times."""
        flat = asdict(self.account)
        attempts = flat.pop("attempts")
        return {
            **{name: value for name, value in flat.items() if not name.endswith("_us")},
            "attempts": [{k: v for k, v in attempt.items() if not k.endswith("_us")} for attempt in attempts],
        }


def committed(operation: Operation = Operation.CHAT, pieces: int | None = None) -> Playbook:
    """A stream of which ``pieces`` events have come (None: as many as it takes until the head leaves)."""
    play = Playbook(exchange(operation)) >> begin() >> opened() >> head()
    for count, event in enumerate(STREAMS[operation], 1):
        play >> data(event)
        if count == pieces or (pieces is None and play.head is not None):
            break
    return play
