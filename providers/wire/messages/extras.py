"""What becomes of the fields that the neutral request has no place for, per dialect of the client.

Strategy: a table from dialect and field to a decision. A value that asks for nothing (``n: 1``, ``logprobs: false``)
needs none. A field that is not in the table is a hint of some server's own: it is left out and noted.
"""

from collections.abc import Callable

from providers.wire.endpoints import Dialect
from providers.wire.messages.build_tools import web_search
from providers.wire.messages.building import Building
from providers.wire.neutral import Json
from providers.wire.values import mapping, sequence, string

Decision = Callable[[Building, Json, str, object], None]

_CHAT, _RESPONSES = Dialect.CHAT, Dialect.RESPONSES
_HERE_ANYWAY = frozenset(("reasoning.encrypted_content",))  # of Responses' include: signatures are always sent
_LOGPROBS = "message.output_text.logprobs"


def add_extras(building: Building, body: Json) -> None:
    """Decide on each field; some have a place in the body. Raises Rejected."""
    dialect = building.request.dialect
    for name, value in building.request.extra.items():
        if value is None or value == _ASKS_NOTHING.get(name) or value is False or value in ("", [], {}):
            continue
        DECISIONS.get((dialect, name), drop)(building, body, name, value)


def drop(building: Building, _body: Json, name: str, _value: object) -> None:
    """A hint or an optimisation: left out, noted."""
    building.notes.drop(name)


def reject(building: Building, _body: Json, name: str, _value: object) -> None:
    """The answer would have another shape, or its safety or its bill would change."""
    raise building.refused(name, name)


def silent(_building: Building, _body: Json, _name: str, _value: object) -> None:
    """Has no meaning for the answer (padding of a stream), or is decided by the writer."""


def _modalities(building: Building, body: Json, name: str, value: object) -> None:
    if any(modality != "text" for modality in sequence(value)):
        reject(building, body, name, value)


def _moderation(building: Building, body: Json, name: str, value: object) -> None:
    policy = mapping(mapping(value).get("policy"))
    if any(mapping(side).get("mode") == "block" for side in policy.values()):
        reject(building, body, f"{name}.policy", value)
    drop(building, body, name, value)


def _web_search(building: Building, body: Json, name: str, value: object) -> None:
    tools = body["tools"] if isinstance(body.get("tools"), list) else []
    body["tools"] = [*sequence(tools), web_search(building, mapping(value), name)]


def _include(building: Building, body: Json, name: str, value: object) -> None:
    for entry in map(string, sequence(value)):
        if entry == _LOGPROBS:
            reject(building, body, f"{name}.{_LOGPROBS}", value)
        if entry not in _HERE_ANYWAY:
            drop(building, body, f"{name}.{entry}", value)


def _cache_options(building: Building, body: Json, name: str, value: object) -> None:
    """``prewarm`` has a twin: a request that may answer with no token."""
    if mapping(value).get("prewarm") is True:
        body["max_tokens"] = 0
    if any(option != "prewarm" for option in mapping(value)):
        drop(building, body, name, value)


# Values that ask for what happens anyway.
_ASKS_NOTHING: dict[str, object] = {
    "n": 1,
    "top_logprobs": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "truncation": "disabled",
}
DECISIONS: dict[tuple[Dialect, str], Decision] = {
    (_CHAT, "n"): reject,
    (_CHAT, "best_of"): reject,
    (_CHAT, "echo"): reject,
    (_CHAT, "suffix"): reject,
    (_CHAT, "logprobs"): reject,
    (_CHAT, "top_logprobs"): reject,
    (_CHAT, "audio"): reject,
    (_CHAT, "modalities"): _modalities,
    (_CHAT, "moderation"): _moderation,
    (_CHAT, "web_search_options"): _web_search,
    (_CHAT, "logit_bias"): drop,
    (_CHAT, "seed"): drop,
    (_CHAT, "presence_penalty"): drop,
    (_CHAT, "frequency_penalty"): drop,
    (_CHAT, "prediction"): drop,
    (_CHAT, "verbosity"): drop,
    (_CHAT, "metadata"): drop,
    (_CHAT, "store"): drop,
    (_CHAT, "prompt_cache_key"): drop,
    (_CHAT, "prompt_cache_retention"): drop,
    (_CHAT, "prompt_cache_options"): drop,
    (_CHAT, "reasoning.exclude"): drop,
    (_CHAT, "stream_options.include_obfuscation"): silent,
    (_RESPONSES, "previous_response_id"): reject,
    (_RESPONSES, "item_reference"): reject,
    (_RESPONSES, "conversation"): reject,
    (_RESPONSES, "prompt"): reject,
    (_RESPONSES, "background"): reject,
    (_RESPONSES, "top_logprobs"): reject,
    (_RESPONSES, "moderation"): _moderation,
    (_RESPONSES, "include"): _include,
    (_RESPONSES, "prompt_cache_options"): _cache_options,
    (_RESPONSES, "access_programs"): drop,
    (_RESPONSES, "context_management"): drop,
    (_RESPONSES, "image"): drop,
    (_RESPONSES, "max_tool_calls"): drop,
    (_RESPONSES, "metadata"): drop,
    (_RESPONSES, "prompt_cache_key"): drop,
    (_RESPONSES, "prompt_cache_retention"): drop,
    (_RESPONSES, "store"): drop,
    (_RESPONSES, "text.verbosity"): drop,
    (_RESPONSES, "truncation"): drop,
    (_RESPONSES, "stream_options.include_obfuscation"): silent,
}
