"""A request of another dialect as a Responses provider is asked.

Strategy: every neutral field has its line here or in the file of its kind (items, tools, reasoning, extra fields), and
its decision: mapped, dropped or approximated with a note, or refused. Nothing is kept at the provider
(``store: false``); its reasoning comes encrypted instead, so that the client's history carries it.
"""

from hashlib import sha256

from providers.wire import neutral
from providers.wire.capabilities import Capabilities
from providers.wire.field_names import field_name
from providers.wire.notes import Notes, Rejected
from providers.wire.responses.build_extra import add_extra
from providers.wire.responses.build_input import build_input
from providers.wire.responses.build_reasoning import build_reasoning
from providers.wire.responses.build_text import add_format
from providers.wire.responses.build_tools import add_tools, tool_names

__all__ = ["build_request", "tool_names"]

Json = dict[str, object]
_ID_LENGTH = 128  # of safety_identifier, in characters
_KEY_LENGTH = 64  # of prompt_cache_key
_FEWEST_TOKENS = 16  # what OpenAI accepts for max_output_tokens (observed, 2025)
# The client's word → OpenAI's; what is none of them would be refused (openai 3.52, 2026-11-20).
_TIERS = {"standard_only": "default"} | {
    tier: tier for tier in ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
}


def build_request(request: neutral.Request, target: Capabilities, notes: Notes) -> Json:
    """The body for a Responses provider. Raises Rejected, with the client's own name of the field."""
    body: Json = {"model": request.model, "store": False}
    names = {own: sent for sent, own in tool_names(request, target).items()}
    build_input(request, target, notes, names, body)
    _add_sampling(request, target, notes, body)
    _refuse_stop(request, notes)
    build_reasoning(request, target, notes, body)
    add_format(request, target, notes, body)
    add_tools(request, notes, names, body)
    _add_user(request, target, notes, body)
    if request.stream:
        body["stream"] = True
    add_extra(request, target, notes, body)
    return body


def _add_sampling(request: neutral.Request, target: Capabilities, notes: Notes, body: Json) -> None:
    if request.max_tokens is not None:
        body["max_output_tokens"] = _token_limit(request.max_tokens, request, target, notes)
    if request.temperature is not None:
        if not target.temperature:
            notes.drop("temperature")
        elif request.temperature > target.temperature_max:
            notes.approximate("temperature")
            body["temperature"] = target.temperature_max
        else:
            body["temperature"] = request.temperature
    if request.top_p is not None:
        if target.top_p:
            body["top_p"] = request.top_p
        else:
            notes.drop("top_p")
    if request.top_k is not None:
        notes.drop("top_k")


def _token_limit(limit: int, request: neutral.Request, target: Capabilities, notes: Notes) -> int:
    name = field_name(request.dialect, "max_tokens")
    if limit < 1:
        raise Rejected(name, f"{name} must be at least 1 for this provider: it cannot fill a cache without answering")
    if limit < _FEWEST_TOKENS and target.openai_extras:
        notes.approximate(name)
        return _FEWEST_TOKENS
    return limit


def _refuse_stop(request: neutral.Request, notes: Notes) -> None:
    """Responses has no stop sequences: the answer would run on."""
    name = field_name(request.dialect, "stop")
    if any(sequence.strip() for sequence in request.stop):
        raise Rejected(name, f"{name} cannot be kept: the provider's Responses API has no stop sequences")
    if request.stop:
        notes.drop(name)


def _add_user(request: neutral.Request, target: Capabilities, notes: Notes, body: Json) -> None:
    if request.user:
        body["safety_identifier" if target.openai_extras else "user"] = _short(request.user, _ID_LENGTH)
    if request.session and target.openai_extras:
        body["prompt_cache_key"] = _short(request.session, _KEY_LENGTH)
    if not request.service_tier:
        return
    if target.openai_extras:
        body["service_tier"] = _TIERS.get(request.service_tier, "auto")
        if request.service_tier not in _TIERS:
            notes.approximate("service_tier")
    else:
        notes.drop("service_tier")


def _short(id_: str, most: int) -> str:
    """An id as it is, or its hash where it is too long (Claude Code's are)."""
    return id_ if len(id_) <= most else sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
