"""The page's own modules, in the browser that runs them: numbers as text, events out of bytes, dialects, addresses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.fake_dialects import WORDS, chat_events, completions_events, messages_events, responses_events
from tests.page_fixture import STATIC, page_fixture
from tests.rig_browser import Visit, visit

SAID = "".join(WORDS)
TOOLS = [("get_weather", {"city": "Bergen"})]
EVENTS = {
    "chat": chat_events(tools=TOOLS),
    "messages": messages_events(tools=TOOLS),
    "responses": responses_events(tools=TOOLS),
}


@pytest.fixture(name="visited", scope="module")
def fixture_visited(chromium: Browser) -> Iterator[Visit]:
    """One page for all: its modules keep nothing."""
    with page_fixture() as fixture, visit(chromium, fixture.url) as visited:
        fixture.api["models"] = {"models": []}
        visited.go("models")
        yield visited


def run(visited: Visit, module: str, code: str, given: Any = None) -> Any:
    """What ``code`` returns; it sees the module as ``m`` and ``given`` as ``x``."""
    return visited.page.evaluate(
        f"async (x) => {{ const m = await import('/patchbay/static/{module}.js'); {code} }}", given
    )


FORMATS: list[tuple[str, Any, str]] = [
    ("count", 1_204_567, "1,204,567"), ("count", 0, "0"), ("count", None, "–"),
    ("short", 9_999, "9,999"), ("short", 63_600_000, "63.6M"), ("short", None, "–"),
    ("span", 0, "0 ms"), ("span", 420, "0.42 ms"), ("span", 320_000, "320 ms"), ("span", 4_321_000, "4.32 s"),
    ("span", 12_345_000, "12.3 s"), ("span", 59_999_000, "1 min 00 s"), ("span", 125_000_000, "2 min 05 s"),
    ("span", 7_380_000_000, "2 h 03 min"), ("span", 999_600, "1.00 s"), ("span", None, "–"),
    ("dollars", 0, "$0"), ("dollars", 0.0123, "$0.0123"), ("dollars", 0.000042, "$0.000042"),
    ("dollars", 1e-9, "< $0.000001"), ("dollars", 1234.5, "$1,234.50"), ("dollars", None, "–"),
    ("price", 3, "$3"), ("price", 0.3, "$0.30"), ("price", 0.075, "$0.075"), ("price", None, "–"),
    ("speed", 48.24, "48.2 tok/s"), ("speed", 120.4, "120 tok/s"), ("speed", None, "–"),
    ("bytes", 999, "999 B"), ("bytes", 61_234, "61.2 kB"), ("bytes", 5_120, "5.12 kB"), ("bytes", None, "–"),
    ("shortDay", "2026-11-20", "20 Nov"), ("clock", 0, "00:00:00"), ("clock", None, "–"), ("day", None, "–"),
]  # fmt: skip


def test_numbers_have_units_and_separators_and_what_is_unknown_is_never_zero(visited: Visit) -> None:
    got = run(visited, "format", "return x.map(([f, v]) => m[f](v));", [[name, value] for name, value, _ in FORMATS])
    assert dict(zip(map(repr, FORMATS), got, strict=True)) == {repr(line): line[2] for line in FORMATS}
    assert run(visited, "format", "return [m.share(1, 8), m.share(0, 0)];") == ["12.5 %", "–"]


def test_the_speed_of_an_answer_is_said_only_where_it_was_measured(visited: Visit) -> None:
    rows = [
        {"output_tokens": 101, "duration_us": 3_000_000, "ttft_us": 1_000_000},
        {"output_tokens": 101, "duration_us": 3_000_000, "ttft_us": None},
        {"output_tokens": 1, "duration_us": 3_000_000, "ttft_us": 1_000_000},
    ]
    assert run(visited, "format", "return x.map(m.pace);", rows) == [50.5, None, None]


# Events are the same however the text is cut.
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_events_come_out_of_text_in_pieces_of_any_size(visited: Visit, size: int) -> None:
    text = (
        "\r\n: hello\r\n\r\nevent: call\r\ndata: {\"a\":\r\ndata:1}\r\n\r\n"
        "data: é\n\ndata\n\nid: 7\nretry: 1\nevent: lost\n\ndata: last\r\rdata: cut"
    )  # fmt: skip
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    code = "const d = new m.Decoder(); return x.flatMap((piece) => [...d.feed(piece)]);"
    assert run(visited, "sse", code, pieces) == [
        {"event": "call", "data": '{"a":\n1}'},
        {"event": "message", "data": "é"},
        {"event": "message", "data": ""},
        {"event": "message", "data": "last"},
    ]


def read_stream(visited: Visit, dialect: str, events: list[bytes]) -> Any:
    """The pieces, failure and end that the page reads from a stream."""
    code = """
      const { Decoder } = await import('/patchbay/static/sse.js');
      const reader = new m.Reader(x.dialect), decoder = new Decoder(), pieces = [];
      for (const event of decoder.feed(x.text)) pieces.push(...reader.read(event).pieces);
      return { pieces, failure: reader.failure, ended: reader.ended };"""
    return run(visited, "dialects", code, {"dialect": dialect, "text": b"".join(events).decode()})


@pytest.mark.parametrize("dialect", EVENTS)
def test_each_dialect_is_read_as_far_as_it_can_be_shown(visited: Visit, dialect: str) -> None:
    read = read_stream(visited, dialect, EVENTS[dialect])
    assert "".join(piece["text"] for piece in read["pieces"] if piece["kind"] == "text") == SAID
    tools = [piece for piece in read["pieces"] if piece["kind"] == "tool"]
    assert {piece["name"] for piece in tools} == {"get_weather"}
    assert json.loads("".join(piece["text"] for piece in tools)) == {"city": "Bergen"}
    assert (read["failure"], read["ended"]) == ("", True)


@pytest.mark.parametrize("dialect", EVENTS)
def test_a_stream_that_breaks_off_has_not_ended(visited: Visit, dialect: str) -> None:
    assert read_stream(visited, dialect, EVENTS[dialect][:4])["ended"] is False


def test_old_completions_are_read_too(visited: Visit) -> None:
    pieces = read_stream(visited, "chat", completions_events())["pieces"]
    assert "".join(piece["text"] for piece in pieces) == SAID


ERRORS = {
    "chat": b'data: {"error":{"message":"too busy"}}\n\n',
    "messages": b'event: error\ndata: {"type":"error","error":{"message":"too busy"}}\n\n',
    "responses": b'data: {"type":"response.failed","response":{"error":{"message":"too busy"}}}\n\n',
}


@pytest.mark.parametrize("dialect", ERRORS)
def test_an_error_in_a_stream_is_told(visited: Visit, dialect: str) -> None:
    read = read_stream(visited, dialect, [ERRORS[dialect]])
    assert (read["failure"], read["ended"]) == ("too busy", False)


def test_addresses_inside_the_page_go_there_and_back(visited: Visit) -> None:
    code = """
      const hash = m.link(["history", "a/b ?#"], { search: "x y&z", day: "" });
      const { path, query } = m.parse(hash);
      return [hash, path, query.get("search"), m.parse("").path, m.parse("#/history/%").path];"""
    assert run(visited, "router", code) == [
        "#/history/a%2Fb%20%3F%23?search=x+y%26z",
        ["history", "a/b ?#"],
        "x y&z",
        ["live"],
        ["history", "%"],
    ]


def test_elements_take_text_and_nothing_that_runs(visited: Visit) -> None:
    code = """
      const refused = (make) => { try { make(); return false; } catch { return true; } };
      return [
        m.el("p", {}, "<b>x</b>").innerHTML,
        refused(() => m.el("a", { href: "javascript:alert(1)" })),
        refused(() => m.el("a", { href: "//elsewhere" })),
        refused(() => m.el("p", { onclick: "alert(1)" })),
        refused(() => m.el("p", { style: "color: red" })),
      ];"""
    assert run(visited, "dom", code) == ["&lt;b&gt;x&lt;/b&gt;", True, True, True, True]


def test_axes_end_at_round_numbers(visited: Visit) -> None:
    values = [0, 0.003, 1, 1.1, 3.9, 4.6, 7, 9, 384, 1_000_000]
    tops = run(visited, "chart", "return x.map((value) => m.niceTop(value));", values)
    assert tops == pytest.approx([1, 0.003, 1, 1.2, 4, 6, 8, 10, 400, 1_000_000])
    whole = run(visited, "chart", "return x.map((value) => m.niceTop(value, true));", values)
    assert whole == [4, 4, 4, 4, 4, 8, 8, 12, 400, 1_000_000]


def test_the_stretches_of_a_call_add_up_to_all_of_it(visited: Visit) -> None:
    call = {"overhead_us": 900, "connect_us": 21_000, "ttfb_us": None, "ttft_us": 412_000, "duration_us": 7_612_000}
    stretches = run(visited, "timing", "return m.cut(x);", call)
    assert sum(stretch["us"] for stretch in stretches) == 7_612_000
    assert [stretch["name"] for stretch in stretches] == [
        "Patchbay", "Connecting", "Waiting for the first token", "Answering",
    ]  # fmt: skip


def test_no_file_of_the_page_can_hold_markup_from_outside_or_reach_out() -> None:
    """What a policy forbids at run time, no file tries."""
    for file in STATIC.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "https://",
            "http:",
        ):
            assert forbidden not in text, (file.name, forbidden)
        assert text.count("\n") <= 300, file.name
