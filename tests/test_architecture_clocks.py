"""Wall time jumps: nothing that waits, ends, ages or is limited goes by it (specs: faults, F44).

Each place that reads it is listed with what it is for. What people read, what goes to a client as a date, and what
comes from a provider as one is wall time; deadlines, waits, breakers, budgets and keep-alives are not.
"""

import ast

from tests.source_tree import Module, modules

WALL: dict[str, str] = {
    "addons/relay/feed_stream.py": "a flow's time stamps, which people see in mitmweb",
    "addons/relay/forward_stream.py": "a flow's time stamps, which people see in mitmweb",
    "addons/recorder.py": "when a turn of a conversation was remembered; forgotten by its age in hours",
    "addons/router.py": "`created` of a list of models",
    "addons/web/api.py": "the days of a chart are days of the calendar",
    "addons/telemetry/retention.py": "rows are kept for so many days of wall time",
    "addons/telemetry/runs.py": "when a run was last seen, for people and for other machines",
    "providers/admission.py": "`started_at` of a row, and the id that sorts by it",
    "providers/demo.py": "`created` of an answer",
    "providers/failover.py": "a provider's `Retry-After` may be a date",
    "providers/pricing.py": "a vendor's prices have dates",
    "providers/targeting.py": "a route's `time` condition is the hour on the wall",
}
CALLS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
RELAY = {"addons.relay.answering_stream", "addons.relay.http1", "addons.relay.layer", "addons.relay.stream"}
IMPORTS = {"time.time", "time.time_ns"}


def reads_the_wall(module: Module) -> bool:
    """Whether it reads wall time by its usual names."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in CALLS or node.attr == "CLOCK_REALTIME":
                return True
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            assert not {f"time.{alias.name}" for alias in node.names} & IMPORTS, f"{module.place}: write time.time()"
    return False


def test_wall_time_is_read_where_it_is_meant_and_nowhere_else() -> None:
    found = {module.place for module in modules("addons", "providers") if reads_the_wall(module)}
    assert found == set(WALL)


def test_the_relay_has_one_clock() -> None:
    """Its tests, and everything that hears the time from it, rely on there being no other."""
    others = [
        f"{module.place}:{node.lineno}"
        for module in modules("addons")
        if module.name.startswith(
            ("addons.relay.stream", "addons.answering", "addons.relay.layer", "addons.relay.http1")
        )
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time"
    ]
    assert not others


def test_the_reader_of_clocks_sees_them() -> None:
    for text, expected in (
        ("import time\nx = time.time()", True),
        ("import datetime\nx = datetime.datetime.now()", True),
        ("def f(wall=time.time): ...", True),
        ("import time\nx = time.clock_gettime(time.CLOCK_REALTIME)", True),
        ("import time\nx = time.monotonic()", False),
    ):
        module = Module("x", modules("addons")[0].path, text, ast.parse(text))
        assert reads_the_wall(module) is expected, text
