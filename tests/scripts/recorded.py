"""A record to try the commands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from addons.telemetry.store import Store
from providers.exchange.account import AttemptAccount, Outcome
from providers.wire import events
from providers.wire.answer import Answer
from tests.addons.telemetry.accounts import begun, ended, record, request

QUESTION = "What is the weather in Bergen?"


@contextmanager
def store_at(path: Path) -> Iterator[Store]:
    store = Store(path)
    store.start()
    try:
        yield store
    finally:
        store.close(5)


def weather() -> Answer:
    """An answer with reasoning, text and a tool call."""
    answer = Answer()
    for event in (
        events.Reasoning("it will rain", 0),
        events.Text("Let me look.", 1),
        events.ToolCall(2, "call_1", "get_weather"),
        events.ToolArguments(2, '{"city":"Bergen","days":[1,2]}'),
        events.Finish(events.FinishReason.TOOL_CALLS, "tool_use"),
        events.Terminal(),
    ):
        answer.add(event)
    return answer


def fill(path: Path) -> None:
    """Three calls: a good one with everything, a failed one, one that is open for a store that has gone."""
    with store_at(path) as store:
        account = begun("aaaa0001", provider="anthropic", model="claude-9", requested_model="smart", session_id="s1")
        account.started_at -= 3 * 86400
        account.attempts.append(AttemptAccount("local", "tiny", None, Outcome.UPSTREAM_REFUSED, "connection refused"))
        numbers: dict[str, Any] = {
            "input_tokens": 1204,
            "output_tokens": 356,
            "cache_read_tokens": 1100,
            "usage_source": "upstream",
        }
        ended(account, ttft_us=320_000, duration_us=4_200_000, finish_reason="tool_calls", **numbers)
        store.complete(account, request(QUESTION, system="be brief"), None, weather(), None)
        record(store, request("hello"), "hi", "aaaa0002")
        failed = ended(begun("bbbb0001"), Outcome.UPSTREAM_TRUNCATED, error="the answer was cut")
        store.complete(failed, request("tell"), b'{"messages":[]}', None, b"data: {}")


def run(command: object, path: Path, *arguments: str, answer: str | None = None) -> Result:
    """Run a command on the file."""
    return CliRunner().invoke(command, ["--db", str(path), *arguments], input=answer)  # type: ignore[arg-type]  # click
