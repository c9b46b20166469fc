"""The documents are tested like code: what they name exists, what exists is named, and what they claim is true.

Commands are in test_docs_commands.py, variables, settings, providers and routes in test_docs_configuration.py.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from providers.exchange.account import Outcome
from providers.exchange.faults import FAULTS
from providers.redaction import looks_like_key
from providers.wire.endpoints import Operation, endpoint_of
from tests.documents import DOCS, ROOT, TEXTS, bare, codes, section, table, text_of

# Every host that a text may name: the providers, the projects we stand on, and those that cannot exist.
HOSTS = frozenset(
    """127.0.0.1 api.anthropic.com api.openai.com openrouter.ai api.groq.com api.mistral.ai
    github.com mitmproxy.org keepachangelog.com semver.org example.invalid""".split()
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|TBD|XXX|coming soon|lorem ipsum)\b")
PRAISE = re.compile(
    r"\b(?:blazing\w*|seamless\w*|powerful|effortless\w*|cutting.edge|world.class|robust)\b", re.IGNORECASE
)
# Ended by somebody: the connection is closed, so there is no status to tell.
UNTOLD = (Outcome.KILLED, Outcome.SHUTDOWN)


def test_the_paths_of_the_dialects_are_true() -> None:
    met = set()
    for dialect, _, paths in table("dialect", "what it is"):
        for path in codes(paths):
            for prefix in ("/v1", "/api/v1", ""):
                endpoint = endpoint_of("POST", prefix + path)
                assert endpoint is not None, path
                assert endpoint.dialect == bare(dialect)
                met.add(endpoint.operation)
    assert met == set(Operation) - {Operation.MODELS}


def test_every_outcome_is_told_with_its_status_and_code() -> None:
    rows = {bare(row[0]): row for row in table("outcome", "status")}
    assert set(rows) == {str(outcome) for outcome in Outcome}
    for outcome, fault in FAULTS.items():
        _, status, code, what = rows[outcome]
        assert fault.code in codes(code) + codes(what), outcome
        assert outcome in UNTOLD or str(fault.status) in (status, *re.findall(r"\d{3}", what)), outcome


def told_codes() -> Iterator[str]:
    """Every stable word for programs that our own errors carry."""
    yield from (fault.code for fault in FAULTS.values())
    for path in (path for folder in ("addons", "providers") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                given += node.args[2:3] if isinstance(node.func, ast.Name) and node.func.id == "Refused" else []
                yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_code_of_an_error_is_told() -> None:
    found = set(told_codes())
    assert len(found) > 12, "the walk looks in the wrong place"
    assert {code for code in found if f"`{code}`" not in section("Errors")} == set()


def test_every_header_of_ours_is_told() -> None:
    sources = [path.read_text("utf-8") for folder in ("addons", "providers") for path in (ROOT / folder).rglob("*.py")]
    sent = {name for source in sources for name in re.findall(r'"(x-patchbay-[a-z-]+)"', source)}
    told = {bare(row[0]) for row in table("header", "meaning")}
    assert sent == {name for name in told if name.startswith("x-patchbay-")}
    assert told - sent == {"x-request-id", "retry-after", "x-should-retry"}


# The texts themselves


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", DOCS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), target


@pytest.mark.parametrize("name", TEXTS)
def test_paths_exist(name: str) -> None:
    places = r"(?<![\w/.~-])(?:\./)?((?:addons|providers|scripts|tests|docs|\.ci)/[\w./-]*\w/?)"
    missing = [path for path in re.findall(places, text_of(name)) if not (ROOT / path).exists()]
    assert not missing
    files = r"`((?:\.?[\w-]+)\.(?:toml|lock|yaml|md|json|example))`"
    local = {path for path in re.findall(files, text_of(name)) if not (ROOT / path).exists()}
    assert local <= {"ruff.toml"}  # it stands in several folders


@pytest.mark.parametrize("name", TEXTS)
def test_only_known_hosts_are_named(name: str) -> None:
    hosts = set(re.findall(r"https?://(?:\[::1\]|([\w.-]+))", text_of(name))) - {""}
    assert {host for host in hosts if not (host in HOSTS or host.endswith(".example"))} == set()


@pytest.mark.parametrize("name", TEXTS)
def test_no_key_and_nothing_unfinished_is_left(name: str) -> None:
    text = text_of(name)
    assert not [line for line in text.splitlines() if looks_like_key(line)]
    assert not UNFINISHED.findall(text)
    assert not PRAISE.findall(text)
    assert not re.findall(r"(?<![\w.])/(?:work|tmp|root)/", text)


def test_every_decision_is_kept_by_number() -> None:
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    assert {f"docs/adr/{name}" for name in records} == {name for name in DOCS if name.startswith("docs/adr/")}
