"""How long the model may answer, how much it thinks, and how it samples → Messages.

Sources: specs translation 2.2, 5 and 6.1; the API refuses a temperature other than 1, top_k, and a top_p below 0.95
together with thinking, and any forced tool choice (Anthropic's documentation of extended thinking, 2026-11-20).

Strategy: Anthropic's own words for thinking (a client may use them in any dialect) go as they are, and what the API
says against them is the client's to read. Thinking that is made here of another dialect's effort yields instead.
"""

from providers.wire.messages.building import Building
from providers.wire.neutral import Json, Reasoning

_ORDER = ("low", "medium", "high", "xhigh", "max")
_RATIOS = dict(zip(_ORDER, (0.2, 0.5, 0.8, 0.95, 0.95), strict=True))  # of max_tokens; OpenRouter's published scale
_SMALLEST_BUDGET = 1024
_SMALLEST_TOP_P = 0.95
_THINKS = ("enabled", "adaptive", "between_tools")
_OWN_WORDS = frozenset((*_THINKS, "disabled"))
_FORCED = ("any", "tool")


def bound(building: Building) -> int:
    """``max_tokens``, which Anthropic demands."""
    asked = building.request.max_tokens
    if asked is None:
        return building.target.default_max_tokens
    if asked < 1:
        raise building.rejected(f"a bound of {asked} tokens", "max_tokens")
    return asked


def add_reasoning(building: Building, body: Json, *, in_tool_loop: bool) -> None:
    """Put ``thinking`` and ``output_config.effort`` into the body, which has ``max_tokens`` and ``tool_choice``."""
    reasoning = building.request.reasoning
    if reasoning is None:
        return
    limit = int(str(body["max_tokens"]))
    if reasoning.mode in _OWN_WORDS:
        thinking, effort = _own_words(building, reasoning, limit)
    else:
        thinking, effort = _made(building, reasoning, limit)
        if thinking is not None and _must_yield(thinking, body, in_tool_loop=in_tool_loop):
            building.approximate("reasoning")
            thinking = None
    if thinking is not None:
        _add_display(building, reasoning, thinking)
        body["thinking"] = thinking
    if effort:
        body["output_config"] = {"effort": effort}


def add_sampling(building: Building, body: Json) -> None:
    """Put the sampling parameters and stop sequences into the body, which has ``thinking``."""
    request, target = building.request, building.target
    thinking = body.get("thinking")
    thinks = isinstance(thinking, dict) and thinking["type"] in _THINKS
    if request.temperature is not None:
        most = min(1.0, target.temperature_max)
        if not target.temperature or (thinks and request.temperature != 1):
            building.drop("temperature")
        else:
            body["temperature"] = min(request.temperature, most)
            if request.temperature > most:
                building.approximate("temperature")
    if request.top_p is not None:
        # some models refuse both; temperature is what clients mean
        if not target.top_p or "temperature" in body or (thinks and request.top_p < _SMALLEST_TOP_P):
            building.drop("top_p")
        else:
            body["top_p"] = request.top_p
    if request.top_k is not None:
        if not target.top_k or thinks:
            building.drop("top_k")
        else:
            body["top_k"] = request.top_k
    _add_stop(building, body)


def _add_stop(building: Building, body: Json) -> None:
    stop = [text for text in building.request.stop if text.strip()]
    if len(stop) < len(building.request.stop):
        building.drop("stop")
    if len(stop) > building.target.stop_most:
        raise building.rejected(f"more than {building.target.stop_most} stop sequences", "stop")
    if stop:
        body["stop_sequences"] = stop


def _own_words(building: Building, reasoning: Reasoning, limit: int) -> tuple[Json | None, str]:
    effort = reasoning.effort if reasoning.effort in _ORDER else ""
    if reasoning.mode != "enabled":
        return {"type": reasoning.mode}, effort
    return _enabled(building, reasoning.budget or round(_RATIOS[effort or "medium"] * limit), limit), effort


def _made(building: Building, reasoning: Reasoning, limit: int) -> tuple[Json | None, str]:
    """Thinking and effort of another dialect's words."""
    if reasoning.effort == "none":
        if building.target.thinking_disabled:
            return {"type": "disabled"}, ""
        building.approximate("reasoning.effort")
        return None, _accepted(building, "low") if building.target.adaptive_thinking else ""
    wanted = _wanted(building, reasoning, limit)
    if not wanted:
        return None, ""
    level = _accepted(building, wanted)
    if not level:
        building.drop("reasoning.effort")
        return None, ""
    if level != reasoning.effort and reasoning.effort:
        building.approximate("reasoning.effort")
    if building.target.adaptive_thinking:
        return {"type": "adaptive"}, level
    if reasoning.budget is None:
        building.approximate("reasoning.effort")
    return _enabled(building, reasoning.budget or round(_RATIOS[level] * limit), limit), ""


def _wanted(building: Building, reasoning: Reasoning, limit: int) -> str:
    """The effort that is asked for, in Anthropic's words, "" for none."""
    if reasoning.effort:
        return reasoning.effort if reasoning.effort in _ORDER else "low"  # minimal, or a word yet unknown
    if reasoning.budget is None:
        return ""
    if building.target.adaptive_thinking:
        building.approximate("reasoning.budget")
    share = reasoning.budget / limit
    return min(_ORDER, key=lambda level: abs(_RATIOS[level] - share))


def _accepted(building: Building, wanted: str) -> str:
    """The highest effort up to the wanted one that the model takes, else its lowest; "" when it takes none."""
    taken = [level for level in _ORDER if level in building.target.effort]
    below = [level for level in taken if _ORDER.index(level) <= _ORDER.index(wanted)]
    return below[-1] if below else taken[0] if taken else ""


def _enabled(building: Building, budget: int, limit: int) -> Json | None:
    """A budget that is at least the smallest and below the bound of the answer; None where there is no such one."""
    if limit <= _SMALLEST_BUDGET:
        building.drop("reasoning")
        return None
    kept = max(_SMALLEST_BUDGET, min(budget, limit - 1))
    if building.request.reasoning is not None and building.request.reasoning.budget not in (None, kept):
        building.approximate("reasoning.budget")
    return {"type": "enabled", "budget_tokens": kept}


def _must_yield(thinking: Json, body: Json, *, in_tool_loop: bool) -> bool:
    """Whether the API would refuse it: beside a forced tool choice, or in a round of calls that began without it."""
    choice = body.get("tool_choice")
    forced = isinstance(choice, dict) and choice["type"] in _FORCED
    return thinking["type"] != "disabled" and (forced or (in_tool_loop and thinking["type"] == "enabled"))


def _add_display(building: Building, reasoning: Reasoning, thinking: Json) -> None:
    if not reasoning.summary or not building.target.adaptive_thinking or thinking["type"] not in _THINKS[:2]:
        return
    thinking["display"] = "summarized"
    if reasoning.summary != "auto":
        building.approximate("reasoning.summary")
