"""`scripts/bench page`: the record it makes is what it says, every view is asked for, a miss is named."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from addons.telemetry.database import open_for_reading
from scripts.benchmark.__main__ import bench
from scripts.benchmark.page_command import Figure, View, measure, views
from scripts.benchmark.past import make_past
from scripts.benchmark.ways import WayFailed

UNTIL = 1_700_000_000.0


def test_the_record_is_what_the_program_itself_writes(tmp_path: Path) -> None:
    path, told = tmp_path / "past.db", list[int]()
    make_past(path, 2100, UNTIL, told.append)
    assert told == [2000, 2100]
    with closing(open_for_reading(path)) as rows:

        def one(sql: str) -> object:
            return rows.execute(sql).fetchone()[0]

        assert one("SELECT count(*) FROM exchanges") == one("SELECT sum(exchanges) FROM usage") == 2100
        assert one("SELECT count(*) FROM attempts") == 2100
        assert one("SELECT count(DISTINCT provider) FROM exchanges") in (4, 5)
        assert one("SELECT count(*) FROM exchanges WHERE outcome <> 'ok'")
        assert one("SELECT count(DISTINCT conversation) < count(*) FROM exchanges")
        assert one(f"SELECT max(started_at) <= {UNTIL} FROM exchanges")
        assert one("SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'zeugma'")


def test_every_view_is_measured_and_the_record_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    arguments = ["page", "--exchanges", "2000", "--times", "2", "--keep", str(kept)]
    shown = CliRunner().invoke(bench, arguments)
    assert shown.exit_code in (0, 1), shown.output
    assert "the record: 2,000 calls" in shown.output
    for view in views(2000):
        assert f"\n{view.name} " in shown.output
    made = kept.stat().st_mtime_ns
    again = CliRunner().invoke(bench, arguments)
    assert again.exit_code in (0, 1), again.output
    assert kept.stat().st_mtime_ns == made


def test_what_is_missed_is_named() -> None:
    assert Figure("x", [1.0, 2.0], 2500).row() == ["x", "1.5", "1.9", "2.0", "2", "reached"]
    assert Figure("x", [150.0], 10).row()[-1] == "MISSED"


class _Unwell(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"error": "no"}).encode()
        self.send_response(503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(name="unwell")
def fixture_unwell() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Unwell) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_answer_that_is_none_ends_it(unwell: int) -> None:
    view = View("history", lambda _turn: "history")
    with pytest.raises(WayFailed, match="status 503"):
        measure(unwell, view, 1)
    with pytest.raises(WayFailed, match="history: "):
        measure(1, view, 1)
