"""`scripts/bench translate`: what it translates is large and whole, and its table tells what was reached."""

import json

import pytest
from click.testing import CliRunner

from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect
from providers.wire.readers import reader_for
from scripts.benchmark.__main__ import bench
from scripts.benchmark.translate_command import OPERATIONS, PAIRS, Figures, plan
from scripts.benchmark.translations import MESSAGES, TOOLS, request, stream


@pytest.mark.parametrize("dialect", Dialect)
def test_the_request_has_the_size_it_claims(dialect: Dialect) -> None:
    body = request(dialect)
    listed = body["input" if dialect is Dialect.RESPONSES else "messages"]
    tools = body["tools"]
    assert isinstance(listed, list)
    assert isinstance(tools, list)
    assert len([entry for entry in listed if entry.get("role") != "system"]) == MESSAGES
    assert len(tools) == TOOLS
    assert 950_000 < len(json.dumps(body, ensure_ascii=False).encode()) < 1_050_000


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_the_request_can_be_translated_without_loss(client: Dialect, provider: Dialect) -> None:
    assert plan(client, provider, request(client)).notes.header() == ""


@pytest.mark.parametrize("dialect", Dialect)
def test_the_stream_is_whole(dialect: Dialect) -> None:
    reader, answer = reader_for(OPERATIONS[dialect], stream=True), Answer()
    for event in [*reader.feed(b"".join(stream(dialect, 5))), *reader.close()]:
        answer.add(event)
    assert answer.terminal
    (part,) = answer.message().parts
    assert part.text == " word" * 5  # type: ignore[union-attr]


def test_the_table_has_a_line_for_each_pair() -> None:
    shown = CliRunner().invoke(bench, ["translate", "--rounds", "1", "--events", "50"])
    assert shown.exit_code == 0, shown.output
    lines = [line.split()[:2] for line in shown.output.splitlines()]
    assert all([client, provider] in lines for client, provider in PAIRS)
    assert "reached" in shown.output or "MISSED" in shown.output


def test_what_is_missed_is_named() -> None:
    slow = Figures(Dialect.CHAT, Dialect.MESSAGES, 1.0, 21.0, 59_000.0, 0.3)
    assert [goal.split()[0] for goal in slow.missed()] == ["request", "stream", "first"]
    assert not [*Figures(Dialect.CHAT, Dialect.MESSAGES, 1.0, 5.0, 90_000.0, 0.1).missed()]
