"""Fields of a request that have no neutral place: a decision on each, by the client's dialect.

What no table names is dropped with a note: a new field is a hint until somebody decides otherwise.
"""

from collections.abc import Callable

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Request
from providers.wire.notes import Notes, Rejected
from providers.wire.values import mapping

_OWN_WORDS = "the provider cannot do this, and the answer would not be what was asked for"


def add_extra(request: Request, target: Capabilities, notes: Notes, body: Json) -> None:
    """Add what Responses has, too; note or refuse the rest."""
    for name, value in request.extra.items():
        decide = _DECISIONS.get((request.dialect, name), _drop)
        decide(name, value, target, notes, body)


def _drop(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    if value not in _MEANS_NOTHING.get(name, ()):
        notes.drop(name)


def _refuse(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    if value not in (None, False, *_MEANS_NOTHING.get(name, ())):
        raise Rejected(name, f"{name}: {_OWN_WORDS}. Leave it out, or ask a model of a provider that has it.")


def _ignore(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    """Said elsewhere, or no loss."""


def _same(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    """OpenAI's own field, which Responses has under the same name."""
    if target.openai_extras:
        body[name] = value
    else:
        notes.drop(name)


def _verbosity(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    if target.openai_extras:
        body["text"] = {**mapping(body.get("text")), "verbosity": value}
    else:
        notes.drop(name)


def _obfuscation(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    """Padding against listeners; only a stream has it."""
    if target.openai_extras and body.get("stream"):
        body["stream_options"] = {"include_obfuscation": value}


def _moderation(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    """Blocking is a matter of safety; a score is not, but nobody is told it."""
    if target.openai_extras:
        body[name] = value
    elif any(mapping(rule).get("mode") == "block" for rule in mapping(mapping(value).get("policy")).values()):
        raise Rejected(name, f"{name}: the provider cannot block what it should")
    else:
        notes.drop(name)


def _modalities(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    if value != ["text"]:
        raise Rejected(name, f"{name}: the provider's Responses API answers with text only")


def _thread(name: str, value: object, target: Capabilities, notes: Notes, body: Json) -> None:
    if mapping(value).get("type") == "create" or "create" in mapping(value):
        notes.drop(name)
    else:
        raise Rejected(name, f"{name}: the provider does not have the earlier messages of this thread")


_MEANS_NOTHING: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "top_logprobs": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "store": (False,),
    "speed": ("standard",),
    "billing_policy": ({},),
}
_Decision = Callable[[str, object, Capabilities, Notes, Json], None]
_CHAT: dict[str, _Decision] = {
    "n": _refuse,
    "best_of": _refuse,
    "logprobs": _refuse,
    "top_logprobs": _refuse,
    "audio": _refuse,
    "modalities": _modalities,
    "moderation": _moderation,
    "seed": _drop,
    "logit_bias": _drop,
    "presence_penalty": _drop,
    "frequency_penalty": _drop,
    "prediction": _drop,
    "store": _drop,
    "metadata": _same,
    "prompt_cache_key": _same,
    "prompt_cache_options": _same,
    "prompt_cache_retention": _same,
    "verbosity": _verbosity,
    "stream_options.include_obfuscation": _obfuscation,
    "reasoning.exclude": _ignore,  # reasoning is shown only where a summary is asked for
    "web_search_options": _ignore,  # it is a tool here
}
_MESSAGES: dict[str, _Decision] = {
    "container": _refuse,
    "compaction": _refuse,
    "inference_geo": _refuse,
    "workspace_id": _refuse,
    "user_profile_id": _refuse,
    "billing_policy": _refuse,
    "thread": _thread,
    "mcp_servers": _ignore,  # it stands with its tools
    "context_management": _drop,
    "diagnostics": _drop,
    "fallbacks": _drop,
    "fallback_credit_token": _drop,
    "speed": _drop,
}
_DECISIONS: dict[tuple[Dialect, str], _Decision] = {
    **{(Dialect.CHAT, name): decide for name, decide in _CHAT.items()},
    **{(Dialect.MESSAGES, name): decide for name, decide in _MESSAGES.items()},
}
