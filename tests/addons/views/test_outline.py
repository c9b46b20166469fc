"""A body as YAML: its layout, and its bounds."""

from addons.views.outline import Outline


def lines(**body: object) -> list[str]:
    return Outline(body).text.splitlines()


def test_its_layout() -> None:
    assert lines(model="m", stop=["a", "b"], options={"x": 1, "y": None}) == [
        "model: m",
        "stop: [a, b]",
        'options: {x: 1, "y": null}',
    ]
    assert lines(messages=[{"role": "user", "content": "a\nb"}]) == [
        "messages:",
        "- role: user",
        "  content: |-",
        "    a",
        "    b",
    ]
    assert lines(x=[[["deep", {"a": [1, {"b": 2}]}]]])[:3] == ["x:", "-", "  -"]
    assert lines() == ["{}"]
    assert Outline({}).is_whole


def test_of_a_long_conversation_the_last_turns_are_shown() -> None:
    turns = [{"role": "user", "content": f"turn {number} " * 100} for number in range(1_000)]
    outline = Outline({"model": "m", "messages": turns})
    said = outline.text.splitlines()
    assert said[2].startswith('- !kept.1 "the first 8')
    assert outline.kept[0].is_run
    assert "turn 999 " in outline.text
    assert 100_000 < len(outline.text) < 200_000


def test_the_last_turn_is_shown_however_long() -> None:
    turns = [{"role": "user", "content": [{"type": "text", "text": "x" * 19_000}] * 20}] * 2
    outline = Outline({"input": turns})
    assert 'the first 1 of 2"' in outline.text
    assert "type: text" in outline.text
    assert '- !kept.12 "2 fields"' in outline.text  # what there was no room for
    assert len(outline.text) < 300_000


def test_the_rest_has_room_of_its_own() -> None:
    tools = [{"name": f"t{number}", "description": "word " * 500} for number in range(100)]
    outline = Outline({"tools": tools, "messages": [{"role": "user", "content": "hi"}]})
    assert "name: t0" in outline.text
    assert '"2 fields"' in outline.text
    assert "  content: hi" in outline.text
    assert len(outline.text) < 120_000


def test_what_is_too_deep_or_has_odd_names_is_named() -> None:
    deep: object = 1
    for _ in range(100):
        deep = {"a": deep}
    assert Outline({"x": deep}).text.rstrip().endswith('"1 fields"')
    assert lines(x={"k" * 600: 1}) == ['x: !kept.1 "1 fields"']


def test_fields_that_cannot_be_shown_are_counted() -> None:
    outline = Outline({**{f"f{number}": number for number in range(400)}, "k" * 600: 1})
    assert outline.text.endswith("# 101 more fields are not shown\n")
    assert not outline.is_whole
