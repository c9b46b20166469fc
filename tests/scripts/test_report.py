"""``patchbay report``: what it says is what a recount of the rows says."""

import csv
import json
import math
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy
import pytest
from click import unstyle

from addons.telemetry.schema import newest_version
from providers.exchange.account import Outcome
from scripts.report import command
from scripts.report_table import money, seconds, short, table
from tests.addons.telemetry.accounts import begun, ended, rows
from tests.scripts.recorded import run, store_at

ROOT = Path(__file__).parents[2]
CALLS = 400
OUTCOMES = (*[Outcome.OK] * 7, Outcome.RATE_LIMITED, Outcome.UPSTREAM_TRUNCATED, Outcome.CLIENT_DISCONNECTED)


@pytest.fixture(name="path", scope="module")
def fixture_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hundred calls of three days, one of a month ago, and one that is open."""
    path = tmp_path_factory.mktemp("report") / "p.db"
    chance = random.Random(5)
    now = time.time()
    with store_at(path) as store:
        for number in range(CALLS):
            store.complete(_call(chance, now - number * 600), None, None, None, None)
        store.complete(ended(begun(started_at=now - 40 * 86400, provider="openai")), None, None, None, None)
        store.admit(begun())
    return path


def _call(chance: random.Random, started_at: float) -> Any:
    local = chance.random() < 0.5
    account = begun(
        started_at=started_at,
        provider="local" if local else "anthropic",
        model=chance.choice(("qwen3-8b", "llama") if local else ("claude",)),
        client=chance.choice(("curl/8", "")),
    )
    ttft = int(chance.lognormvariate(12, 1))
    return ended(
        account,
        chance.choice(OUTCOMES),
        input_tokens=chance.randrange(10, 9000),
        output_tokens=chance.choice((None, 2, 700)),
        cache_read_tokens=chance.choice((None, 5)),
        cost=None if local or chance.random() < 0.2 else chance.random() / 10,
        ttft_us=ttft,
        duration_us=ttft + int(chance.lognormvariate(14, 1)),
        decode_us=int(chance.lognormvariate(13, 1)) if local else None,
        prompt_us=int(chance.lognormvariate(11, 1)) if local else None,
    )


def report(path: Path, *arguments: str) -> dict[str, Any]:
    result = run(command, path, "--json", *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert isinstance(found, dict)
    return found


KEYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "provider": lambda row: str(row["provider"]),
    "model": lambda row: f"{row['provider']}/{row['model']}",
    "day": lambda row: time.strftime("%Y-%m-%d", time.localtime(row["started_at"])),
    "client": lambda row: str(row["client"] or "(none)"),
}


@pytest.mark.parametrize("by", KEYS)
def test_it_agrees_with_the_rows(path: Path, by: str) -> None:
    found = report(path, "--by", by)
    recent = [row for row in rows(path, "select * from exchanges") if row["started_at"] > found["since"]]
    recent = [row for row in recent if row["outcome"] not in (None, "shutdown")]
    assert found["total"]["requests"] - 1 == len(recent) == CALLS  # and the one that the shutdown ended
    lines = {line["key"]: line for line in found["rows"]}
    assert list(lines) == sorted(lines)
    for key, line in lines.items():
        mine = [row for row in recent if KEYS[by](row) == key]
        assert_same(line, mine, rest=line["requests"] - len(mine))


def assert_same(line: dict[str, Any], mine: list[dict[str, Any]], rest: int) -> None:
    """``rest``: how many calls the shutdown ended; they have no numbers."""
    failed = sum(row["outcome"] not in ("ok", "client_disconnected") for row in mine) + rest
    assert (line["failed"], line["error_rate"]) == (failed, pytest.approx(failed / line["requests"]))
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cost"):
        known = [row[name] for row in mine if row[name] is not None]
        assert line[name] == (pytest.approx(sum(known)) if known else None), name
    assert line["unpriced"] == sum(row["cost"] is None for row in mine)
    for name in ("ttft_us", "duration_us", "decode_us", "prompt_us"):
        known = [row[name] for row in mine if row[name] is not None]
        assert line[name]["count"] == len(known)
        if known:
            exact = numpy.percentile(known, (50, 95, 99), method="inverted_cdf").tolist()
            assert [line[name][part] for part in ("p50", "p95", "p99")] == exact


def test_since_and_until(path: Path) -> None:
    assert report(path, "--since", "60d")["total"]["requests"] == CALLS + 2
    assert report(path, "--since", "60d", "--until", "30d")["total"]["requests"] == 1
    assert run(command, path, "--since", "soon").exit_code == 2


def test_speed_of_local_answers_is_their_own_measure(path: Path) -> None:
    local = next(line for line in report(path)["rows"] if line["key"] == "local")
    known = rows(path, "select output_tokens, decode_us from exchanges where provider = 'local' and output_tokens")
    speeds = [row["output_tokens"] * 1e6 / row["decode_us"] for row in known]
    assert local["tokens_per_second"]["p50"] == pytest.approx(
        float(numpy.percentile(speeds, 50, method="inverted_cdf"))
    )


@pytest.mark.parametrize("by", KEYS)
def test_the_table_fits(path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    narrow = run(command, path, "--by", by).output
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.count(by.upper()) == 2
    monkeypatch.setenv("COLUMNS", "160")
    wide = run(command, path, "--by", by).output
    assert 80 < max(map(len, wide.splitlines())) <= 160
    assert wide.count(by.upper()) == 1
    for text in (narrow, wide):
        assert "\x1b" not in text
        for word in ("CALLS", "ERRORS", "UNPRICED", "TTFT 50", "TOK/S", "PROMPT", "DECODE", "total"):
            assert word in text
    figures = report(path, "--by", by)["total"]
    total = next(line for line in wide.splitlines() if line.startswith("total")).split()
    assert total[1:3] == [short(figures["requests"]), f"{figures['error_rate']:.1%}"]
    assert money(figures["cost"]) in total
    assert seconds(figures["ttft_us"]["p99"]) in total


def test_colour_and_long_names(path: Path) -> None:
    figures = report(path, "--by", "model")
    lines = [
        {**figures["rows"][0], "key": "provider/" + "x" * 90},
        {**figures["total"], "error_rate": 0.01, "unpriced": 0},
    ]
    text = list(table(lines, "model", 80))
    assert max(len(unstyle(line)) for line in text) <= 80
    assert any("…" in line for line in text)
    assert "\x1b[31m" in "".join(text)
    assert "\x1b[31m" not in text[2]


def test_what_is_not_known_has_no_column(tmp_path: Path) -> None:
    with store_at(tmp_path / "p.db") as store:
        store.complete(ended(begun()), None, None, None, None)
    text = run(command, tmp_path / "p.db").output
    assert "PROMPT " not in text.split("\n\n")[0]
    assert "–" in text
    assert "$" not in text
    assert run(command, tmp_path / "p.db", "--png", str(tmp_path / "plot.png")).exit_code == 0


def test_nothing_in_this_time(path: Path) -> None:
    assert "--since goes further back" in run(command, path, "--until", "100d", "--since", "200d").output
    empty = report(path, "--until", "100d", "--since", "200d")
    assert (empty["rows"], empty["total"]["requests"], empty["total"]["error_rate"]) == ([], None, None)
    assert len(run(command, path, "--csv", "--until", "100d", "--since", "200d").output.splitlines()) == 1


def test_csv(path: Path) -> None:
    lines = list(csv.DictReader(run(command, path, "--csv").output.splitlines()))
    figures = report(path)["rows"]
    assert [line["key"] for line in lines] == [one["key"] for one in figures]
    for line, one in zip(lines, figures, strict=True):
        assert None not in line.values()
        assert line["ttft_us_p95"] == str(one["ttft_us"]["p95"])
        assert math.isclose(float(line["error_rate"]), one["error_rate"])
        assert line["cost"] == ("" if one["cost"] is None else str(one["cost"]))


@pytest.mark.parametrize("by", ["day", "provider"])
def test_a_picture(path: Path, tmp_path: Path, by: str) -> None:
    result = run(command, path, "--png", str(tmp_path / "plot.png"), "--by", by)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert [file.name for file in tmp_path.iterdir()] == ["plot.png"]
    result = run(command, path, "--png", str(tmp_path / "none" / "plot.png"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output


@pytest.mark.parametrize(("hidden", "told"), [("matplotlib", "patchbay[plot]"), ("scripts.report_plot", "")])
def test_without_matplotlib(path: Path, hidden: str, told: str) -> None:
    program = f"import sys; sys.modules[{hidden!r}] = None; from scripts.report import command; command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--png", "x.png"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert not Path(ROOT / "x.png").exists()
    if told:
        assert told in done.stderr
        assert ".venv/bin/python -m pip install matplotlib" in done.stderr
        assert "Traceback" not in done.stderr
    else:
        assert "Traceback" in done.stderr  # a fault of ours is not called a missing package


def test_one_form_at_a_time(path: Path) -> None:
    result = run(command, path, "--json", "--csv")
    assert result.exit_code == 2
    assert "choose one of" in result.output


def test_a_file_that_lacks_its_tables(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "p.db")) as connection:
        connection.execute(f"PRAGMA user_version = {newest_version()}")
    result = run(command, tmp_path / "p.db")
    assert result.exit_code == 1
    assert "cannot be read" in result.output


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (999, "999"), (1204, "1.20k"), (12_040, "12.0k"), (999_000, "999k"), (3.2e9, "3.20G")],
)
def test_short_counts(value: float | None, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "$0.00"), (0.0123, "$0.0123"), (1.0, "$1.00"), (12_345.678, "$12,345.68")]
)
def test_money(value: float | None, text: str) -> None:
    assert money(value) == text
    assert re.fullmatch(r"–|\$[\d,.]+", text)
