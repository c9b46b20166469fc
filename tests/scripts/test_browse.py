"""``patchbay browse``: Datasette answers with what is in the record, to this machine alone, and writes nothing."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from addons.telemetry.database import open_for_reading, open_for_writing
from scripts.browse_metadata import QUERIES, TABLES
from tests.addons.telemetry.accounts import record, request, settled
from tests.scripts.recorded import QUESTION, fill, store_at

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="path", scope="module")
def fixture_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browse") / "p.db"
    fill(path)
    return path


@pytest.fixture(name="site", scope="module")
def fixture_site(path: Path) -> Iterator[str]:
    """Where it is served; it ends well at Ctrl-C."""
    program = "from scripts.browse import command; command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--port", "0"]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:\d+)/ ", process.stdout.readline())
        assert found
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def get(url: str, **query: str) -> Any:
    with urllib.request.urlopen(
        f"{url}.json?{urllib.parse.urlencode({'_shape': 'array', **query})}", timeout=20
    ) as got:
        return json.load(got)


def test_tables_with_their_columns_explained(site: str) -> None:
    found = get(f"{site}/p/exchanges", _sort="seq")
    assert [row["id"] for row in found] == ["aaaa0001", "aaaa0002", "bbbb0001"]
    assert found[0]["input_tokens"] == 1204
    told = get(f"{site}/-/metadata", _shape="objects")["databases"]["p"]
    assert told["tables"]["exchanges"]["columns"]["outcome"] == "how it ended; empty: still open"
    with urllib.request.urlopen(f"{site}/p/exchanges", timeout=20) as page:
        text = page.read().decode()
    assert "facet-results" in text
    assert "how it ended" in text


def test_what_is_told_exists(path: Path) -> None:
    with closing(open_for_reading(path)) as connection:
        every: dict[str, dict[str, Any]] = {**TABLES}
        for table, told in every.items():
            columns = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}
            assert columns, table
            named = {*told.get("columns", ()), *told.get("facets", ()), told.get("sort_desc", next(iter(columns)))}
            assert named <= columns, table
            if table in ("exchanges", "attempts"):
                assert columns - set(told["columns"]) <= {"seq"}


@pytest.mark.parametrize("name", QUERIES)
def test_ready_questions_have_answers(site: str, name: str) -> None:
    query = {"words": "weather", "id": "aaaa0001"}
    found = get(f"{site}/p/{name}", **{key: value for key, value in query.items() if f":{key}" in str(QUERIES[name])})
    assert found
    if name == "conversation":
        assert [row["role"] for row in found] == ["system", "user", "assistant"]
        assert found[1]["text"] == QUESTION


def test_it_sees_what_a_proxy_writes_meanwhile(site: str, path: Path) -> None:
    with store_at(path) as store:
        record(store, request("and now?"), "later", "zzzz0001")
        settled(store)
        assert get(f"{site}/p/exchanges", id="zzzz0001")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM exchanges WHERE id = 'zzzz0001'")
        connection.commit()


def test_it_only_reads(site: str, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(urllib.error.HTTPError):
        get(f"{site}/p", sql="delete from exchanges")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site}/p.db", timeout=20)
    assert refused.value.code == 403
    refused.value.close()
    assert path.read_bytes() == before


def test_it_answers_to_its_own_name_alone(site: str) -> None:
    asked = urllib.request.Request(f"{site}/p.json", headers={"host": "patchbay.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    assert refused.value.code == 403
    refused.value.close()


@pytest.mark.parametrize(("hidden", "told"), [("datasette", True), ("scripts.browse_metadata", False)])
def test_without_datasette(path: Path, hidden: str, told: bool) -> None:
    program = f"import sys; sys.modules[{hidden!r}] = None; from scripts.browse import command; command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--port", "0"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert ("patchbay[browse]" in done.stderr) is told
    assert ("Traceback" in done.stderr) is not told


def test_no_record_and_no_port(tmp_path: Path) -> None:
    assert "there is no record" in refused(tmp_path / "p.db", 0)
    open_for_writing(tmp_path / "p.db").close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port names another" in refused(tmp_path / "p.db", taken.getsockname()[1])


def refused(path: Path, port: int) -> str:
    program = "from scripts.browse import command; command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--port", str(port)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr
