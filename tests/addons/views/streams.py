"""Streams of each dialect for the views, as bodies with the times of their pieces."""

from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_events, completions_events, messages_events, responses_events

TOOLS = [("weather", {"city": "Paris", "days": [1, 2]})]
EVENTS: dict[Operation, list[bytes]] = {
    Operation.CHAT: chat_events(model="gpt-9", tools=TOOLS),
    Operation.MESSAGES: messages_events(model="gpt-9", tools=TOOLS),
    Operation.RESPONSES: responses_events(model="gpt-9", tools=TOOLS),
    Operation.COMPLETIONS: completions_events(model="gpt-9"),
}


def pieces_of(events: list[bytes]) -> list[tuple[int, int]]:
    """One piece an event: the first after 5 ms, each other 2 ms later."""
    return [(len(event), 5_000 + 2_000 * number) for number, event in enumerate(events)]
