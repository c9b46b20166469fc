"""`patchbay doctor`: against servers that are well and ill, a record that is whole and broken, a port that is taken."""

import asyncio
import json
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from providers.registry import load
from providers.support import Finding
from scripts import doctor_machine, doctor_providers
from scripts.doctor import lines
from scripts.impatient import run as run_impatient
from tests.fake_answers import json_answer
from tests.fake_dialects import models_body
from tests.fake_ports import black_hole
from tests.fake_requests import Request
from tests.fake_steps import Script
from tests.fake_tls import SERVERS, Authority
from tests.fake_upstream import FakeUpstream
from tests.scripts.conftest import Run
from tests.scripts.recorded import fill

KEY = "gsk_a-key-that-nobody-may-see-0001"
WELL = json_answer({"status": "ok"})
NO_SUCH = json_answer({"error": {"message": "no such path", "code": 404}}, 404)
EMPTY = json_answer({"error": {"message": "no body", "code": 400}}, 400)
LOADING = json_answer({"error": {"message": "Loading model", "code": 503}}, 503)


def local(request: Request) -> Script:
    """A llama-server that is older than messages and responses."""
    if request.method == "GET":
        return WELL if request.path == "/health" else json_answer(models_body("m"))
    return EMPTY if request.path.endswith("/chat/completions") else NO_SUCH


def loading(_: Request) -> Script:
    return LOADING


@pytest.fixture(name="quiet_port", autouse=True)
def fixture_quiet_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen where nobody else does, unless a test says where."""
    monkeypatch.setenv("PATCHBAY_LISTEN", "127.0.0.1:0")


@pytest.fixture(name="llama")
def fixture_llama() -> Iterator[FakeUpstream]:
    with FakeUpstream(local) as upstream:
        yield upstream


def configure(folder: Path, local_url: str, *more: str, models: str = "") -> None:
    entries = "".join(f"  {line}\n" for line in (f"local: {{kind: llamacpp, base_url: {local_url}}}", *more))
    (folder / "registry.yaml").write_text(f"providers:\n{entries}{models}")


def compatible(name: str, url: str, key: str = "GROQ_API_KEY") -> str:
    return f"{name}: {{kind: compatible, base_url: {url}, api_key: ${{{key}}}}}".replace("${", '"${').replace(
        "}}", '}"}'
    )


def examined(run: Run, code: int) -> dict[str, list[tuple[str, str]]]:
    """What was found: about → level and text, in order."""
    result = run("doctor", "--json")
    assert result.exit_code == code, result.output
    assert KEY not in result.output
    told = json.loads(result.stdout)
    assert told["ok"] == (code == 0)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in told["findings"]:
        assert one.keys() == {"about", "level", "said", "advice"}
        found.setdefault(one["about"], []).append((one["level"], f"{one['said']}. {one['advice']}"))
    return found


def test_everything_is_well(folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with FakeUpstream(local) as groq:
        configure(folder, llama.url, compatible("groq", f"{groq.url}/openai/v1"), models="models: {fast: groq/m}\n")
        found = examined(run, 0)
        assert [request.get("authorization") for request in groq.requests] == [f"Bearer {KEY}"]
    assert {name for name, told in found.items() if told[0][0] != "ok"} <= {"SQLite", "Python"}
    for name, said in {
        "mitmproxy": "12.2",
        "descriptors": "at once",
        "configuration": str(folder / "registry.yaml"),
        "local": f"{llama.url} answers in ",
        "groq": f"key in GROQ_API_KEY, {groq.url}/openai/v1 answers in ",
        "openai": "off, no key: set OPENAI_API_KEY",
        "demo": "built in",
        "listen": "127.0.0.1:0 is free",
        "record": f"{folder / 'patchbay.db'} will be made",
    }.items():
        ((level, text),) = found[name]
        assert level == "ok"
        assert said in text
    assert "speaks chat (messages, responses calls are translated)" in found["local"][0][1]


def test_a_person_gets_a_line_for_each_and_a_sum(folder: Path, run: Run, llama: FakeUpstream) -> None:
    configure(folder, llama.url)
    result = run("doctor")
    assert result.exit_code == 0
    *told, last = result.output.splitlines()
    assert any(line.startswith("ok       local ") for line in told)
    levels = [line.split()[0] for line in told]
    assert last == f"{levels.count('ok')} ok, {levels.count('warning')} to look at, 0 wrong"
    assert [*lines([Finding("x", "wrong", "broke", "Mend it"), Finding("long name", "ok", "well")])] == [
        "wrong    x          broke. Mend it",
        "ok       long name  well",
        "1 ok, 0 to look at, 1 wrong",
    ]


def test_keys_that_are_missing_or_stand_ins_are_named(
    folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "changeme")
    rules = 'models: {fast: groq/m, "big-*": openai, both: {targets: [groq/m, local/m]}}\ndefault_provider: groq\n'
    configure(folder, llama.url, compatible("groq", "http://127.0.0.1:9/v1"), models=rules)
    found = examined(run, 1)
    assert found["groq"] == [("warning", "off, no key: set GROQ_API_KEY. ")]
    assert found["openai"] == [("ok", "off, no key: set OPENAI_API_KEY. ")]
    assert [text for level, text in found["configuration"] if level == "warning"] == [
        "OPENAI_API_KEY is empty or a placeholder, so it counts as not set. "
    ]
    assert found["model fast"] == [("warning", "nobody can answer it: groq has no key: set GROQ_API_KEY. ")]
    assert found["model big-*"][0][0] == "warning"
    assert "model both" not in found
    assert "model claude-*" not in found  # nobody asked for it
    assert found["default provider"] == [("wrong", "groq has no key: set GROQ_API_KEY. ")]


def test_a_wrong_configuration_is_told_as_check_does(folder: Path, run: Run) -> None:
    (folder / "registry.yaml").write_text("default_provder: local\nmodles: {}\n")
    found = examined(run, 1)
    assert [level for level, _ in found["configuration"]] == ["wrong", "wrong"]
    assert "registry.yaml:1:1: default_provder: is no field here" in found["configuration"][0][1]
    assert "local" not in found


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            401,
            "unauthorized: it refuses the key in GROQ_API_KEY (status 401). Put a key that is valid into GROQ_API_KEY",
        ),
        (500, "unreachable: answered 500. Look at its base_url, and at its own log"),
    ],
)
def test_a_provider_that_says_no(
    folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with FakeUpstream(lambda _: json_answer({"error": KEY}, status)) as groq:
        configure(folder, llama.url, compatible("groq", groq.url))
        ((level, text),) = examined(run, 1)["groq"]
    assert level == "wrong"
    assert text == f"key in GROQ_API_KEY, {groq.url} {said}"


def test_a_server_that_wants_a_key_nobody_has_named(folder: Path, run: Run, llama: FakeUpstream) -> None:
    with FakeUpstream(lambda _: json_answer({}, 401)) as keyed:
        configure(folder, llama.url, f"far: {{kind: compatible, base_url: {keyed.url}}}")
        ((level, text),) = examined(run, 1)["far"]
    assert (level, "Name the variable of its key under api_key" in text) == ("wrong", True)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("an expired certificate", "(certificate has expired)"),
        ("a certificate of its own making", "(self-signed certificate)"),
        ("a certificate for another name", "Hostname mismatch"),
    ],
)
def test_trouble_with_tls_is_told(
    folder: Path, run: Run, llama: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, said: str
) -> None:
    authority = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with FakeUpstream(local, tls=SERVERS[fault](authority)) as server:
        configure(folder, llama.url, f"far: {{kind: compatible, base_url: https://localhost:{server.port}/v1}}")
        ((level, text),) = examined(run, 1)["far"]
    assert level == "wrong"
    assert "no trusted TLS connection" in text
    assert said in text
    assert "SSL_CERT_FILE" in text


def test_a_llama_server_that_is_not_there(folder: Path, run: Run) -> None:
    ((level, text),) = examined(run, 1)["local"]
    assert (level, "connection refused. Start llama-server there, set PATCHBAY_LOCAL_BASE_URL" in text) == (
        "wrong",
        True,
    )
    (folder / "registry.yaml").unlink()
    # In its usual place, of which nobody has said a word, it need not be there.
    assert doctor_providers._level(load({}, folder, root=None).local) == "warning"


def test_a_llama_server_that_loads_its_model(folder: Path, run: Run) -> None:
    with FakeUpstream(loading) as upstream:
        configure(folder, upstream.url)
        ((level, text),) = examined(run, 0)["local"]
    assert (level, text) == (
        "warning",
        f"{upstream.url} is loading its model. Calls wait for it; look again in a minute",
    )


def test_each_of_several_servers_is_asked(folder: Path, run: Run, llama: FakeUpstream) -> None:
    far = f"gpu: {{kind: llamacpp, endpoints: [{{base_url: {llama.url}}}, {{base_url: http://127.0.0.1:9}}]}}"
    configure(folder, llama.url, far.replace("url: http", 'url: "http').replace("}, {", '"}, {').replace("}]", '"}]'))
    found = examined(run, 1)
    assert (found["gpu 1"][0][0], found["gpu 2"][0][0]) == ("ok", "wrong")


def test_a_black_hole_does_not_hold_it_up(folder: Path, run: Run, llama: FakeUpstream) -> None:
    with black_hole() as port:
        configure(folder, llama.url, f"far: {{kind: llamacpp, base_url: http://127.0.0.1:{port}}}")
        began = time.monotonic()
        ((level, text),) = examined(run, 1)["far"]
        assert time.monotonic() - began < 8  # 2 s and some
    assert (level, "no answer within 2 s. Look at the network" in text) == ("wrong", True)


def test_nobody_waits_for_a_look_up_that_takes_long() -> None:
    released = threading.Event()

    async def ask() -> str:
        slow = asyncio.get_running_loop().run_in_executor(None, released.wait, 30)
        await asyncio.wait([slow], timeout=0.05)
        with pytest.raises(ValueError, match="nothing"):
            await asyncio.to_thread(fail)
        return await asyncio.to_thread(str, "done")

    def fail() -> None:
        raise ValueError("nothing")

    assert run_impatient(ask()) == "done"
    assert not released.is_set()
    released.set()


def test_the_record_is_read(folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(folder, llama.url)
    path = folder / "patchbay.db"
    fill(path)
    ((level, text),) = examined(run, 0)["record"]
    assert (level, "MiB, version " in text, text.endswith(", whole. ")) == ("ok", True, True)

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert "the next start brings it to version " in examined(run, 0)["record"][0][1]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    ((level, text),) = examined(run, 1)["record"]
    assert (level, "made by a newer Patchbay (version 999). Bring Patchbay up to date" in text) == ("wrong", True)

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    monkeypatch.setattr(doctor_machine, "CHECK_SECONDS", -1.0)
    monkeypatch.setattr(doctor_machine, "_STEPS", 1)
    assert "no damage found within -1 s of reading" in examined(run, 0)["record"][0][1]


def test_a_record_that_is_damaged_or_none(folder: Path, run: Run, llama: FakeUpstream) -> None:
    configure(folder, llama.url)
    path = folder / "patchbay.db"
    fill(path)
    whole = path.read_bytes()
    page = len(whole) // 4096 // 2 * 4096
    path.write_bytes(whole[:page] + b"\xff" * 4096 + whole[page + 4096 :])
    ((level, text),) = examined(run, 1)["record"]
    assert (level, "The next start moves it aside" in text) == ("wrong", True)
    path.write_bytes(b"this is a text, and no database at all; " * 200)
    ((level, text),) = examined(run, 1)["record"]
    assert (level, "cannot be read: file is not a database" in text) == ("wrong", True)


def test_a_record_that_somebody_holds(folder: Path, run: Run, llama: FakeUpstream) -> None:
    configure(folder, llama.url)
    path = folder / "patchbay.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE one (x)")
        holder.execute("BEGIN EXCLUSIVE")
        ((level, text),) = examined(run, 0)["record"]
    assert (level, "database is locked. Look again" in text) == ("warning", True)


def test_what_stops_a_check_is_not_taken_for_want_of_time(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as holder,
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as reader,
    ):
        holder.execute("CREATE TABLE one (x)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            doctor_machine._check(reader)


def test_a_record_that_cannot_be_written(
    folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, llama.url)
    monkeypatch.setenv("PATCHBAY_DB", "gone/patchbay.db")
    ((level, text),) = examined(run, 1)["record"]
    assert (level, "cannot be written: No such file or directory" in text) == ("wrong", True)


@pytest.mark.parametrize(
    ("health", "level", "said"),
    [
        ({"status": "ok", "version": "0.1.0", "reasons": []}, "ok", "Patchbay 0.1.0 serves on "),
        (
            {"status": "degraded", "version": "0.1.0", "reasons": ["a is ill.", "b, too."]},
            "warning",
            "a is ill. b, too.",
        ),
        ({"status": "up"}, "wrong", "is in use (another Patchbay?)"),
        (["nothing"], "wrong", "is in use"),
    ],
)
def test_who_has_the_port_is_told(
    folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch, health: object, level: str, said: str
) -> None:
    with FakeUpstream(lambda _: json_answer(health)) as other:
        monkeypatch.setenv("PATCHBAY_LISTEN", f"127.0.0.1:{other.port}")
        configure(folder, llama.url)
        found = examined(run, 1 if level == "wrong" else 0)["listen"]
        assert [request.path for request in other.requests] == ["/patchbay/health"]
    assert found[0][0] == level
    assert said in found[0][1]


def test_a_port_that_says_nothing_is_in_use(
    folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, llama.url)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PATCHBAY_LISTEN", f"127.0.0.1:{silent.getsockname()[1]}")
        assert examined(run, 1)["listen"][0][0] == "wrong"


def test_an_open_address_is_wrong(folder: Path, run: Run, llama: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHBAY_LISTEN", "0.0.0.0:0")
    configure(folder, llama.url)
    assert "PATCHBAY_ALLOW_REMOTE=1" in examined(run, 1)["listen"][0][1]


def test_few_descriptors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "raise_file_limit", lambda: 1024)
    assert doctor_machine.descriptors() == Finding(
        "descriptors",
        "warning",
        "1,024 at once: enough for about 480 calls",
        "`ulimit -n` (its hard limit), or LimitNOFILE= of systemd, gives more",
    )
    monkeypatch.undo()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert doctor_machine.descriptors().said.endswith("at once") == (limit[1] >= doctor_machine.FEW_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
