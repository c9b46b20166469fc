"""How much a Responses provider is to think, and whether it shows it.

A budget is a share of the answer's limit, and the shares are OpenRouter's published ones: low .2, medium .5, high .8,
xhigh .95.
"""

from providers.wire.capabilities import Capabilities
from providers.wire.field_names import field_name
from providers.wire.neutral import Json, Reasoning, Request
from providers.wire.notes import Notes

_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SHARES = (("low", 0.2), ("medium", 0.5), ("high", 0.8), ("xhigh", 0.95))
_BETWEEN = "between_tools"  # on only while tools are called: there is no such thing here
_OFF = ("disabled", _BETWEEN)
_SUMMARIES = {"auto": "auto", "concise": "concise", "detailed": "detailed", "summarized": "auto"}
ENCRYPTED = "reasoning.encrypted_content"


def build_reasoning(request: Request, target: Capabilities, notes: Notes, body: Json) -> None:
    """Add ``reasoning``, and ask for the encrypted form of what the target can read again."""
    if target.signatures:
        body["include"] = [ENCRYPTED]
    asked = request.reasoning
    if asked is None:
        return
    reasoning: Json = {}
    if effort := _effort(asked, request, target, notes):
        reasoning["effort"] = effort
    summary = _summary(asked)
    if summary and effort != "none" and target.effort:
        reasoning["summary"] = summary
    if reasoning:
        body["reasoning"] = reasoning


def _effort(asked: Reasoning, request: Request, target: Capabilities, notes: Notes) -> str:
    wanted, name = _wanted(asked, request, target)
    if not wanted:
        return ""
    path = field_name(request.dialect, name)
    if not target.effort:
        notes.drop(path)
        return ""
    nearest = wanted if wanted in target.effort else _nearest(wanted, target.effort)
    if nearest != wanted or name == "reasoning.budget" or asked.mode == _BETWEEN:
        notes.approximate(path)
    return nearest


def _wanted(asked: Reasoning, request: Request, target: Capabilities) -> tuple[str, str]:
    """The effort, and the neutral name of the field that says so; adaptive thinking is the model's own choice."""
    if asked.mode in _OFF:
        return "none", "reasoning.mode"
    if asked.effort:
        return asked.effort, "reasoning.effort"
    if asked.budget is None:
        return "", ""
    share = asked.budget / max(1, request.max_tokens or target.default_max_tokens)
    return min(_SHARES, key=lambda entry: abs(entry[1] - share))[0], "reasoning.budget"


def _nearest(wanted: str, accepted: tuple[str, ...]) -> str:
    """The closest level; of two the lower one, which costs less. An unknown word is taken for the middle."""
    ranks = {level: rank for rank, level in enumerate(_LEVELS)}
    rank = ranks.get(wanted, ranks["medium"])
    return min(accepted, key=lambda level: (abs(ranks.get(level, 0) - rank), ranks.get(level, 0)))


def _summary(asked: Reasoning) -> str:
    """An Anthropic client that lets the model think is shown it, unless it asked not to."""
    if asked.summary:
        return _SUMMARIES.get(asked.summary, "")
    return "auto" if asked.mode in ("enabled", "adaptive") else ""
