"""Every field of a request that has no neutral place, and what becomes of it towards a chat provider.

Strategy: one table per client dialect, from the field's path to a decision; a path that is not there is dropped with a
note. Fields of OpenAI's own that chat has under the same name are carried where the target knows them. What would
change the answer's shape, its safety or its bill is refused (specs: translation, sections 2.1 and 2.2).
"""

from collections.abc import Callable
from typing import Any

from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.values import mapping, sequence

Decision = Callable[[Building, str, object, dict[str, Any]], None]

_STATE = "this provider keeps no earlier answers; send the whole conversation"
_ELSEWHERE = "this provider has nothing like it; leave it out, or choose a model of a provider that has it"


def decide_extra(building: Building, body: dict[str, Any]) -> None:
    """Decide on each field of ``extra``: set it in the body, note it, or raise Rejected."""
    dialect = building.request.dialect
    default = carry if dialect is Dialect.CHAT else drop
    for name, value in building.request.extra.items():
        DECISIONS.get((dialect, name), default)(building, name, value, body)


def drop(building: Building, name: str, _value: object, _body: dict[str, Any]) -> None:
    """A hint, or an optimisation: left out with a note."""
    building.notes.drop(name)


def ignore(_building: Building, _name: str, _value: object, _body: dict[str, Any]) -> None:
    """It asks for what happens anyway, or for the shape of the client's own dialect, which its writer knows."""


def carry(_building: Building, name: str, value: object, body: dict[str, Any]) -> None:
    """The same field means the same there."""
    body.setdefault(name, value)


def carry_to_openai(building: Building, name: str, value: object, body: dict[str, Any]) -> None:
    """A field of OpenAI's own: strict servers refuse what they do not know."""
    if building.target.openai_extras:
        carry(building, name, value, body)
    else:
        drop(building, name, value, body)


def refuse(why: str = _ELSEWHERE) -> Decision:
    """Refuse the field where it is set; false is as good as absent."""

    def decision(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
        if value not in (False, [], {}, ""):
            raise building.rejected(name, "", why)

    return decision


def _include(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
    """Responses' list of additions: sealed reasoning is there anyway, probabilities are not, others are hints."""
    for entry in sequence(value):
        if entry == "message.output_text.logprobs":
            raise building.rejected(name, str(entry), "log probabilities are lost in translation; leave them out")
        if entry != "reasoning.encrypted_content":
            building.drop(name, str(entry))


def _truncation(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
    if value != "disabled":
        building.drop(name)


def _store(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
    """``true`` promises that the answer can be asked for later; it cannot."""
    if value:
        building.drop(name)


def _verbosity(building: Building, name: str, value: object, body: dict[str, Any]) -> None:
    if building.target.openai_extras:
        body["verbosity"] = value
    else:
        building.drop(name)


def _moderation(building: Building, name: str, value: object, body: dict[str, Any]) -> None:
    """Blocking is safety: it is done, or the call is refused."""
    policy = mapping(mapping(value).get("policy"))
    blocks = any(mapping(policy.get(side)).get("mode") == "block" for side in ("input", "output"))
    if blocks and not building.target.openai_extras:
        raise building.rejected(name, "policy", "this provider blocks nothing; leave it out, or choose another model")
    carry_to_openai(building, name, value, body)


def _thread(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
    if mapping(value).get("type") == "continue":
        raise building.rejected(name, "", _STATE)
    building.drop(name)


def _billing(building: Building, name: str, value: object, _body: dict[str, Any]) -> None:
    if mapping(value).get("bill_to") != "self":
        raise building.rejected(name, "", "this provider bills nobody but its own customer; leave it out")


DECISIONS: dict[tuple[Dialect, str], Decision] = {
    # messages
    (Dialect.MESSAGES, "betas"): drop,
    (Dialect.MESSAGES, "billing_policy"): _billing,
    (Dialect.MESSAGES, "compaction"): refuse(),
    (Dialect.MESSAGES, "container"): refuse(),
    (Dialect.MESSAGES, "context_management"): drop,  # Claude Code sends it unasked
    (Dialect.MESSAGES, "diagnostics"): drop,
    (Dialect.MESSAGES, "fallback_credit_token"): drop,
    (Dialect.MESSAGES, "fallbacks"): drop,
    (Dialect.MESSAGES, "inference_geo"): refuse("where this provider computes is not known"),
    (Dialect.MESSAGES, "mcp_servers"): refuse("this provider calls no MCP servers; call them yourself, as tools"),
    (Dialect.MESSAGES, "metadata"): drop,
    (Dialect.MESSAGES, "output_config.task_budget"): drop,
    (Dialect.MESSAGES, "speed"): drop,  # another price
    (Dialect.MESSAGES, "thread"): _thread,
    (Dialect.MESSAGES, "user_profile_id"): refuse(),
    (Dialect.MESSAGES, "workspace_id"): refuse("this provider bills no such workspace"),
    # responses
    (Dialect.RESPONSES, "access_programs"): drop,
    (Dialect.RESPONSES, "background"): refuse("this provider answers at once only"),
    (Dialect.RESPONSES, "client_metadata"): drop,  # Codex sends it
    (Dialect.RESPONSES, "context_management"): drop,
    (Dialect.RESPONSES, "conversation"): refuse(_STATE),
    (Dialect.RESPONSES, "image"): drop,
    (Dialect.RESPONSES, "include"): _include,
    (Dialect.RESPONSES, "item_reference"): refuse(_STATE),
    (Dialect.RESPONSES, "max_tool_calls"): drop,
    (Dialect.RESPONSES, "metadata"): carry_to_openai,
    (Dialect.RESPONSES, "moderation"): _moderation,
    (Dialect.RESPONSES, "previous_response_id"): refuse(_STATE),
    (Dialect.RESPONSES, "prompt"): refuse("this provider stores no prompts; send its text"),
    (Dialect.RESPONSES, "prompt_cache_key"): carry_to_openai,
    (Dialect.RESPONSES, "prompt_cache_options"): carry_to_openai,
    (Dialect.RESPONSES, "prompt_cache_retention"): carry_to_openai,
    (Dialect.RESPONSES, "store"): _store,
    (Dialect.RESPONSES, "text.verbosity"): _verbosity,
    (Dialect.RESPONSES, "top_logprobs"): refuse("log probabilities are lost in translation; leave them out"),
    (Dialect.RESPONSES, "truncation"): _truncation,
    # completions; what is refused of them is refused by their parser
    (Dialect.CHAT, "n"): refuse("one answer at a time"),
    (Dialect.CHAT, "stream_options.include_obfuscation"): ignore,
}
