"""DESIGN section 2 as checks: who may import whom, what may be called how, what may be caught where."""

import ast
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from tests.source_tree import PRODUCT, ROOT, imports, is_below, modules

# Places where an exception of any kind is caught: the edges, where a fault of ours becomes an answer or a log line.
CATCHES_ALL: dict[str, str] = {
    "addons/relay/answering_stream.py": "2026-11-20: the pump: a piece that cannot be noted takes the long way",
    "addons/configuration.py": "2026-11-20: the watch: an edit that cannot be taken up must not end it",
    "addons/finished.py": "2026-11-20: a listener of finished calls that fails must not cost the record",
    "addons/relay/hook_dispatch.py": "2026-11-20: an addon that fails: mitmproxy's guard logs it, and the others go on",
    "addons/relay/stream.py": "2026-11-20: the driver's edge: the call is ended with an error in its dialect",
}
# (importer, imported) → why, beside the rules below.
MAY_IMPORT: dict[tuple[str, str], str] = {
    ("scripts.engine", "httpx"): "2026-11-20: asks the engine it has started for its health, before anything is served",
}

# The longest prefix of a module's name says what of ours it may import (prefixes, itself included).
OURS: dict[str, tuple[str, ...]] = {
    "providers.wire": ("providers.wire",),
    "providers.exchange": (
        "providers.exchange",
        "providers.pool",
        "providers.wire",
        "providers.errors",
        "providers.redaction",
    ),
    # How an attempt ended is the exchange's word; more of it the pool does not know.
    "providers.pool": (
        "providers.pool",
        "providers.exchange.account",
        "providers.wire",
        "providers.errors",
        "providers.redaction",
    ),
    "providers": ("providers",),
    "addons": ("addons", "providers"),
    "scripts": ("scripts", "addons", "providers"),
}
DIALECTS = ("providers.wire.chat", "providers.wire.messages", "providers.wire.responses")
# What has no sockets and no clock: the time is a parameter there.
SANS_IO = ("providers.wire", "providers.exchange", "providers.pool")
CLOCKS_AND_SOCKETS = frozenset("asyncio datetime os pathlib select socket ssl subprocess threading time".split())
NO_MITMPROXY = ("providers", "addons.telemetry", "addons.playback", "addons.views")
# Of mitmproxy's proxy core an addon may know modes and hook data; all else belongs to the relay and the listener.
KNOWS_INTERNALS = re.compile(r"addons\.(?:relay\.\w+|process\.listener)$")
INTERNALS = re.compile(r"mitmproxy\.proxy\.(?!(?:mode_specs|server_hooks)\b)|(?:mitmproxy|h11)\.(?:\w+\.)*_[a-z]")
VAGUE = frozenset("utils util helpers helper common core manager types misc base".split())


def wrong_imports(scope: tuple[str, ...], is_wrong: re.Pattern[str]) -> list[str]:
    return [
        f"{module.place}:{line} imports {name}"
        for module in modules(*PRODUCT)
        if any(is_below(module.name, room) for room in scope)
        for name, line in imports(module)
        if is_wrong.match(name) and (module.name, name.partition(".")[0]) not in MAY_IMPORT
    ]


def test_each_room_imports_only_what_stands_below_it() -> None:
    wrong = []
    for module in modules(*PRODUCT):
        room = max((room for room in OURS if is_below(module.name, room)), key=len)
        wrong += [
            f"{module.place}:{line} imports {name}; {room} may import {', '.join(OURS[room])}"
            for name, line in imports(module)
            if name.partition(".")[0] in PRODUCT and not any(is_below(name, allowed) for allowed in OURS[room])
        ]
    assert not wrong, "\n".join(wrong)


def test_no_dialect_reaches_another() -> None:
    known = {module.name: module for module in modules("providers")}
    below = {
        name: {
            other
            for imported, _ in imports(module)
            for other in known
            if imported in (other, f"{other}.{last(imported)}")
        }
        for name, module in known.items()
    }
    for dialect in DIALECTS:
        seen: set[str] = set()
        ahead = [name for name in known if is_below(name, dialect)]
        assert ahead
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += below[name]
        others = [name for name in seen for other in DIALECTS if other != dialect and is_below(name, other)]
        assert not others, f"{dialect} reaches {others}"


def last(name: str) -> str:
    return name.rpartition(".")[2]


def test_the_sans_io_rooms_have_no_sockets_no_clock_and_no_packages() -> None:
    wrong = []
    for module in modules("providers"):
        if not any(is_below(module.name, room) for room in SANS_IO):
            continue
        for name, line in imports(module):
            top = name.partition(".")[0]
            if top != "providers" and (top not in sys.stdlib_module_names or top in CLOCKS_AND_SOCKETS):
                wrong.append(f"{module.place}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("scope", "pattern"),
    [
        (NO_MITMPROXY, r"mitmproxy\b"),
        (("providers.wire", "providers.exchange", "providers.pool", "addons", "scripts"), r"httpx\b"),
        (PRODUCT, r"addons\.route$"),
        (PRODUCT, r"(?:tests|pytest|hypothesis|openai|anthropic)\b"),
    ],
)
def test_what_is_never_imported(scope: tuple[str, ...], pattern: str) -> None:
    wrong = wrong_imports(scope, re.compile(pattern))
    if pattern == r"mitmproxy\b":  # a capture reads flows: that is its job
        wrong = [line for line in wrong if not line.startswith("addons/playback/capture.py:")]
    assert not wrong, "\n".join(wrong)


def test_httpx_has_one_importer_in_providers() -> None:
    importers = {
        module.place for module in modules("providers") for name, _ in imports(module) if is_below(name, "httpx")
    }
    assert importers == {"providers/client.py"}


def test_only_the_relay_and_the_listener_know_the_internals_of_mitmproxy() -> None:
    wrong = []
    for module in modules("addons"):
        if KNOWS_INTERNALS.match(module.name):
            continue
        wrong += [f"{module.place}:{line} imports {name}" for name, line in imports(module) if INTERNALS.match(name)]
        wrong += [
            f"{module.place}:{node.lineno} reads .{node.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute)
            and re.match(r"_[a-z]", node.attr)
            and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
            and f"def {node.attr}(" not in module.text  # another instance of a class of this file
        ]
    assert not wrong, "\n".join(wrong)


def test_nothing_in_addons_hides_the_standard_library() -> None:
    """The script loader puts addons/ in front of everything: a queue.py in it would be everybody's queue."""
    names = {path.stem for path in (ROOT / "addons").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names & sys.stdlib_module_names == {"__init__"} & sys.stdlib_module_names


def test_names_say_what_a_module_is_for() -> None:
    wrong = [module.place for module in modules(*PRODUCT, "tests") if VAGUE & set(module.name.split("."))]
    assert not wrong, "\n".join(wrong)


def test_the_path_is_edited_in_route_alone() -> None:
    editors = {
        module.place
        for module in modules(*PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "path" and isinstance(node.value, ast.Name)
        if node.value.id == "sys"
    }
    assert editors == {"addons/route.py"}


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything and keeps it; cleaning up and raising again is fine."""
    if handler.body and isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None:
        return False
    caught = [handler.type] if not isinstance(handler.type, ast.Tuple) else handler.type.elts
    return any(
        one is None or (isinstance(one, ast.Name) and one.id in ("Exception", "BaseException")) for one in caught
    )


def test_everything_is_caught_only_at_the_edges() -> None:
    found = {
        module.place
        for module in modules(*PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and catches_all(node)
    }
    assert found == set(CATCHES_ALL)


def test_a_type_error_is_ignored_by_its_code_and_with_a_reason() -> None:
    wrong = []
    for module in modules(*PRODUCT):
        with tokenize.open(module.path) as source:
            for token in tokenize.generate_tokens(source.readline):
                is_ignore = token.type == tokenize.COMMENT and re.match(r"#\s*type:\s*ignore", token.string)
                if is_ignore and not re.match(r"# type: ignore\[[a-z, -]+\]  # \w", token.string):
                    wrong.append(f"{module.place}:{token.start[0]}: {token.string}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("providers/x.py", "import mitmproxy"),
        ("providers/x.py", "from mitmproxy.proxy import events"),
        ("providers/x.py", "import addons.gate"),
        ("providers/x.py", "import scripts"),
        ("providers/x.py", "import httpx"),
        ("providers/wire/x.py", "from providers.errors import error_body"),
        ("providers/wire/x.py", "import httpx"),
        ("providers/wire/chat/x.py", "import mitmproxy"),
        ("addons/telemetry/x.py", "from mitmproxy import http"),
        ("addons/views/x.py", "from mitmproxy import http"),
    ],
)
def test_the_linter_says_it_too(place: str, line: str) -> None:
    """The editor shows it at once: nested ruff.toml files with banned-api."""
    ruff = Path(sys.executable).with_name("ruff")
    command = [str(ruff), "check", "--select", "TID251", "--no-cache", "--stdin-filename", place, "-"]
    done = subprocess.run(command, input=line + "\n", cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "TID251" in done.stdout
