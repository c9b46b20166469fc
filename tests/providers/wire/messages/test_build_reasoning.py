"""How long, how much thinking, and sampling (specs: translation 2.2, 5, 6.1)."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.neutral import Reasoning, Text, Tool, ToolChoice, ToolResult, ToolUse
from providers.wire.notes import Rejected
from tests.providers.wire.messages.building_play import CLAUDE, HI, OLD, assistant, body_of, noted, user

TOOLS = (Tool("function", "f"),)
LOOP = (HI, assistant(ToolUse("c", "f", "{}")), user(ToolResult("c", (Text("a"),))))


def asked(reasoning: Reasoning, target: Capabilities = CLAUDE, *turns: Any, **more: Any) -> tuple[Any, Any, str]:
    """Thinking, effort and notes."""
    body = body_of(*turns, reasoning=reasoning, target=target, **more)
    note = noted(*turns, reasoning=reasoning, target=target, **more)
    return body.get("thinking"), body.get("output_config", {}).get("effort"), note


def enabled(budget: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget}


ADAPTIVE = {"type": "adaptive"}
EFFORT = "approximated=reasoning_effort"
BUDGET = "approximated=reasoning.max_tokens"


def test_max_tokens() -> None:
    assert body_of()["max_tokens"] == CLAUDE.default_max_tokens
    assert body_of(max_tokens=7)["max_tokens"] == 7
    with pytest.raises(Rejected) as refused:
        body_of(max_tokens=0)
    assert refused.value.field.startswith("max_")


@pytest.mark.parametrize(
    ("reasoning", "wanted"),
    [
        (Reasoning("none"), ({"type": "disabled"}, None, "")),
        (Reasoning("minimal"), (ADAPTIVE, "low", EFFORT)),
        (Reasoning("high"), (ADAPTIVE, "high", "")),
        (Reasoning("max"), (ADAPTIVE, "max", "")),
        (Reasoning(budget=4000), (ADAPTIVE, "medium", BUDGET)),
        (Reasoning(), (None, None, "")),
        (Reasoning("high", summary="auto"), ({**ADAPTIVE, "display": "summarized"}, "high", "")),
        (Reasoning("", None, "adaptive"), (ADAPTIVE, None, "")),
        (Reasoning("max", None, "between_tools", "auto"), ({"type": "between_tools"}, "max", "")),
        (Reasoning("minimal", None, "disabled"), ({"type": "disabled"}, None, "")),
        (Reasoning("", 3000, "enabled"), (enabled(3000), None, "")),
        (Reasoning("high", None, "a word of another server's"), (ADAPTIVE, "high", "")),
    ],
)
def test_todays_models(reasoning: Reasoning, wanted: Any) -> None:
    assert asked(reasoning) == wanted


@pytest.mark.parametrize(
    ("reasoning", "limit", "wanted"),
    [
        (Reasoning("low"), None, (enabled(1638), None, EFFORT)),
        (Reasoning("medium"), 10000, (enabled(5000), None, EFFORT)),
        (Reasoning("high"), 1100, (enabled(1024), None, EFFORT)),
        (Reasoning("max"), 20000, (enabled(16000), None, EFFORT)),
        (Reasoning("low"), 1024, (None, None, "dropped=reasoning_effort; " + EFFORT)),
        (Reasoning(budget=2000), 8000, (enabled(2000), None, "")),
        (Reasoning(budget=9000), 8000, (enabled(7999), None, BUDGET)),
        (Reasoning("", None, "enabled"), 8000, (enabled(4000), None, "")),
        (Reasoning("none"), None, (None, None, EFFORT)),
    ],
)
def test_models_with_a_budget(reasoning: Reasoning, limit: int | None, wanted: Any) -> None:
    assert asked(reasoning, OLD, max_tokens=limit) == wanted


@pytest.mark.parametrize(
    ("effort", "reasoning", "wanted"),
    [
        (("low", "high"), Reasoning("medium"), (ADAPTIVE, "low", EFFORT)),
        (("high", "max"), Reasoning("low"), (ADAPTIVE, "high", EFFORT)),
        ((), Reasoning("low"), (None, None, "dropped=reasoning_effort")),
        (("low",), Reasoning("none"), (None, "low", EFFORT)),
    ],
)
def test_efforts_that_a_model_takes(effort: tuple[str, ...], reasoning: Reasoning, wanted: Any) -> None:
    target = Capabilities(effort=effort, adaptive_thinking=True, thinking_disabled=False)
    assert asked(reasoning, target) == wanted


def test_a_summary_in_other_words() -> None:
    thinking, _, note = asked(Reasoning("high", summary="detailed"))
    assert thinking["display"] == "summarized"
    assert note.startswith("approximated=reasoning")
    assert "display" not in asked(Reasoning("high", summary="auto"), OLD)[0]


@pytest.mark.parametrize("choice", [ToolChoice("any"), ToolChoice("tool", ("f",))])
def test_a_forced_choice_wins_over_thinking_of_ours(choice: ToolChoice) -> None:
    assert asked(Reasoning("high"), tools=TOOLS, tool_choice=choice) == (None, "high", EFFORT)
    explicit = Reasoning("", 2000, "enabled")
    assert asked(explicit, tools=TOOLS, tool_choice=choice)[0] == enabled(2000)
    assert asked(Reasoning("none"), tools=TOOLS, tool_choice=choice)[0] == {"type": "disabled"}


def test_thinking_does_not_begin_inside_of_a_round_of_calls() -> None:
    assert asked(Reasoning("low"), OLD, *LOOP)[0] is None
    assert asked(Reasoning("low"), CLAUDE, *LOOP)[0] == ADAPTIVE


@pytest.mark.parametrize(
    ("target", "more", "wanted", "note"),
    [
        (CLAUDE, {"temperature": 0.5}, {"temperature": 0.5}, ""),
        (CLAUDE, {"temperature": 0}, {"temperature": 0}, ""),
        (CLAUDE, {"temperature": 1.5}, {"temperature": 1.0}, "approximated=temperature"),
        (CLAUDE, {"temperature": 1, "top_p": 0.9}, {"temperature": 1}, "dropped=top_p"),
        (CLAUDE, {"top_p": 0.9, "top_k": 5}, {"top_p": 0.9, "top_k": 5}, ""),
        (
            Capabilities(temperature=False, top_p=False, top_k=False),
            {"temperature": 1, "top_p": 1, "top_k": 5},
            {},
            "dropped=temperature,top_p,top_k",
        ),
        (
            CLAUDE,
            {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "reasoning": Reasoning("low")},
            {},
            "dropped=temperature,top_p,top_k",
        ),
        (CLAUDE, {"top_p": 0.95, "reasoning": Reasoning("low")}, {"top_p": 0.95}, ""),
        (CLAUDE, {"temperature": 1, "reasoning": Reasoning("low")}, {"temperature": 1}, ""),
        (CLAUDE, {"temperature": 0.5, "reasoning": Reasoning("none")}, {"temperature": 0.5}, ""),
        (CLAUDE, {"stop": ("END", " \n", "")}, {"stop_sequences": ["END"]}, "dropped=stop"),
        (CLAUDE, {"stop": ("\n",)}, {}, "dropped=stop"),
    ],
)
def test_sampling(target: Capabilities, more: dict[str, Any], wanted: dict[str, Any], note: str) -> None:
    body = body_of(target=target, **more)
    names = ("temperature", "top_p", "top_k", "stop_sequences")
    assert {name: body[name] for name in names if name in body} == wanted
    assert noted(target=target, **more) == note


def test_too_many_stop_sequences() -> None:
    with pytest.raises(Rejected) as refused:
        body_of(stop=tuple("abcde"))
    assert refused.value.field == "stop"
