"""Lists of calls: every filter agrees with a walk over all rows, pages meet, searches show the place."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from addons.telemetry import history
from addons.telemetry.database import open_for_reading
from addons.telemetry.history import Wanted, page
from addons.telemetry.store import Store
from providers.exchange.account import Outcome
from tests.addons.telemetry.accounts import answered, begun, ended, record, request, settled

PROVIDERS = ("local", "openai", "anthropic")
OUTCOMES = (Outcome.OK, Outcome.OK, Outcome.RATE_LIMITED)
CLIENTS = ("curl", "sdk")
START = 1_700_000_000.0


def fill(store: Store) -> None:
    """Thirty-six calls, every combination twice, a minute apart."""
    mixed = itertools.product(range(2), PROVIDERS, OUTCOMES, CLIENTS)
    for number, (_, provider, outcome, client) in enumerate(mixed):
        account = begun(
            f"id-{number:03d}", provider=provider, model=f"model-{number % 4}", client=client, kind="compatible"
        )
        account.requested_model = "smart" if number % 3 == 0 else account.model
        account.started_at = START + 60 * number
        store.admit(account)
        asked = request(f"question {number} about rain", system="be brief")
        store.complete(ended(account, outcome), asked, None, answered(f"answer {number}"), None)
    store.admit(begun("id-open", provider="local", model="model-0", client="curl"))
    settled(store)


@pytest.fixture(name="rows", scope="module")
def fixture_rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("history") / "rows.db"
    store = Store(path, retention_days=0)
    store.start()
    fill(store)
    with closing(open_for_reading(path)) as connection:
        yield connection
    store.close(5)


def ids(rows: sqlite3.Connection, **wanted: Any) -> list[str]:
    found, following = page(rows, Wanted(**wanted), 200)
    assert following is None
    return [str(row["id"]) for row in found]


def expected(rows: sqlite3.Connection, where: str) -> list[str]:
    return [row[0] for row in rows.execute(f"SELECT id FROM exchanges WHERE {where} ORDER BY seq DESC")]


CONDITIONS = {
    "provider": ("openai", "provider = 'openai'"),
    "model": ("model-1", "(model = 'model-1' OR requested_model = 'model-1')"),
    "outcome": ("rate_limited", "outcome = 'rate_limited'"),
    "client": ("sdk", "client = 'sdk'"),
    "until": (START + 60 * 20, f"started_at < {START + 60 * 20}"),
    "since": (START + 60 * 5, f"started_at >= {START + 60 * 5}"),
}
SUBSETS = [some for size in range(len(CONDITIONS) + 1) for some in itertools.combinations(CONDITIONS, size)]


# Whatever is asked for together, and whichever index is chosen: the rows are those of a walk over all.
@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "+".join(names) or "all")
def test_every_combination_of_filters(rows: sqlite3.Connection, names: tuple[str, ...]) -> None:
    wanted = {name: CONDITIONS[name][0] for name in names}
    where = " AND ".join(CONDITIONS[name][1] for name in names) or "1"
    assert len(expected(rows, "1")) == 37
    assert ids(rows, **wanted) == expected(rows, where)
    assert ids(rows, **wanted, search="rain") == expected(rows, f"{where} AND outcome IS NOT NULL")


def test_an_alias_a_good_end_and_an_open_one(rows: sqlite3.Connection) -> None:
    assert ids(rows, model="smart") == expected(rows, "requested_model = 'smart'")
    assert ids(rows, outcome="ok", provider="local") == expected(rows, "outcome = 'ok' AND provider = 'local'")
    assert ids(rows, outcome="open") == ids(rows, outcome="open", provider="local") == ["id-open"]
    assert ids(rows, provider="nobody") == []


@pytest.mark.parametrize("wanted", [{}, {"model": "model-1"}, {"search": "question"}])
def test_pages_meet(rows: sqlite3.Connection, wanted: dict[str, str]) -> None:
    seen: list[object] = []
    below: int | None = None
    while True:
        found, below = page(rows, Wanted(**wanted, below=below), 5)  # type: ignore[arg-type]  # texts, all of them
        assert len(found) == 5 or below is None
        seen += [row["id"] for row in found]
        if below is None:
            break
    assert seen == ids(rows, **wanted)


def test_a_row_shows_its_first_words_and_nothing_internal(rows: sqlite3.Connection) -> None:
    row = page(rows, Wanted(provider="openai"), 1)[0][0]
    assert str(row["snippet"]).startswith("question ")
    assert not {"run", "prompt_hash", "answer_hash"} & row.keys()
    opened = page(rows, Wanted(outcome="open"), 1)[0][0]
    assert opened["snippet"] == ""


def test_a_search_shows_the_place(rows: sqlite3.Connection) -> None:
    found, _ = page(rows, Wanted(search="answer 7"), 9)
    assert [(row["id"], row["snippet"]) for row in found] == [("id-007", "answer 7")]
    assert ids(rows, search="brief") == ids(rows, search="rain")  # said before, in the same requests
    for nothing in ("nowhere", '"', " * "):
        assert ids(rows, search=nothing) == []


def test_a_place_far_into_a_text(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.db")
    store.start()
    record(store, request("well " * 200 + "Résumé of the Needle " + "hay " * 200), "y", "far")
    record(store, request("x" * 300 + "needle"), "y", "unbroken")
    settled(store)
    with closing(open_for_reading(tmp_path / "rows.db")) as rows:
        snippet = {
            name: str(page(rows, Wanted(search=name), 1)[0][0]["snippet"]) for name in ("needle", "resume", "need*")
        }
        (deep,) = (row for row in page(rows, Wanted(search="x" * 300 + "needle"), 1)[0])
    store.close(5)
    assert snippet["needle"].startswith("… well well")
    assert snippet["needle"] == snippet["need*"]
    assert "of the Needle hay" in snippet["needle"]
    assert snippet["resume"].startswith("well well")
    assert len(snippet["needle"]) == history.SNIPPET
    assert str(deep["snippet"]).startswith("… xxx")


def test_what_was_said_very_long_ago_belongs_to_no_call(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.db")
    store.start()
    record(store, request("beginning", *["and"] * 30, "middle", *["on"] * 60), "y", "long")
    settled(store)
    with closing(open_for_reading(tmp_path / "rows.db")) as rows:
        assert ids(rows, search="beginning") == []
        assert ids(rows, search="middle") == ["long"]
    store.close(5)


def test_one_call_and_what_stands_beside_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.db")
    store.start()
    for number in range(3):
        record(store, request("the same"), f"another {number}", f"same-{number}", session_id="talk")
    record(store, request("x" * 500 + " end"), "y", "long")
    tool = {"role": "tool", "tool_call_id": "c", "content": "result"}
    record(store, {"messages": [{"role": "user", "content": "look"}, tool, tool]}, "seen", "tools")
    record(store, {"messages": [{"role": "assistant", "content": "only me"}]}, "", "nobody")
    settled(store)
    with closing(open_for_reading(tmp_path / "rows.db")) as rows:
        one = history.exchange(rows, "same-1")
        assert history.siblings(rows, one) == ["same-2", "same-0"]
        assert [row["id"] for row in history.same_conversation(rows, one)] == ["same-2", "same-0"]
        assert one["snippet"] == "the same"
        assert history.exchange(rows, "tools")["snippet"] == "look"
        assert history.exchange(rows, "nobody")["snippet"] == "only me"
        long = str(history.exchange(rows, "long")["snippet"])
        assert (len(long), long[-1]) == (history.SNIPPET, "…")
        assert history.kept_request(rows, "long") is None
        with pytest.raises(KeyError):
            history.exchange(rows, "none")
        assert history.siblings(rows, {"prompt_hash": None}) == []
    store.close(5)
