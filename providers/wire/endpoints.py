"""What a request path means: a dialect and an operation.

The model decides who answers a recognised path; every other path belongs to the local server. Recognised paths stand
under ``/v1``, under ``/api/v1`` (OpenRouter's spelling) and bare (llama-server's), as the upstreams themselves serve
them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Dialect(StrEnum):
    """A wire format. Completions, embeddings and rerank belong to ``chat``: their errors look the same."""

    CHAT = "chat"
    MESSAGES = "messages"
    RESPONSES = "responses"


class Operation(StrEnum):
    """What a recognised path asks for; the value is the name that stands in the record."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"
    RESPONSES = "responses"
    INPUT_TOKENS = "input_tokens"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    MODELS = "models"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One recognised path.

    ``suffix`` is the path behind the version prefix (``/chat/completions``), ``prefix`` what stood before it
    (``/v1``, ``/api/v1`` or nothing), ``rest`` what follows a models path (the id, unquoted by the caller).
    """

    dialect: Dialect
    operation: Operation
    suffix: str
    prefix: str = ""
    rest: str = ""


_SUFFIXES: dict[str, tuple[Dialect, Operation]] = {
    "/chat/completions": (Dialect.CHAT, Operation.CHAT),
    "/completions": (Dialect.CHAT, Operation.COMPLETIONS),
    "/embeddings": (Dialect.CHAT, Operation.EMBEDDINGS),
    "/rerank": (Dialect.CHAT, Operation.RERANK),
    "/reranking": (Dialect.CHAT, Operation.RERANK),
    "/responses": (Dialect.RESPONSES, Operation.RESPONSES),
    "/responses/input_tokens": (Dialect.RESPONSES, Operation.INPUT_TOKENS),
    "/messages": (Dialect.MESSAGES, Operation.MESSAGES),
    "/messages/count_tokens": (Dialect.MESSAGES, Operation.COUNT_TOKENS),
}
_PREFIXES = ("/api/v1", "/v1", "")
_MODELS = "/models"
_DIALECT_PATH = re.compile(r"(?:.*/v1)?/(messages|responses)(?:/|$)")


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """Say what ``method path`` asks for, or None when it is no LLM call and goes to the local server as it is.

    ``path`` is the request target in origin form, a query is ignored. Calls are POST, model lists are GET (and HEAD);
    anything else on the same paths (OPTIONS, llama-server's own ``POST /models``) is not ours.
    """
    bare = path.partition("?")[0]
    prefix = next(p for p in _PREFIXES if bare.startswith(p + "/") or not p)
    suffix = bare[len(prefix) :]
    if method == "POST" and (meaning := _SUFFIXES.get(suffix)):
        return Endpoint(*meaning, suffix=suffix, prefix=prefix)
    if method in ("GET", "HEAD") and (suffix == _MODELS or suffix.startswith(_MODELS + "/")):
        return Endpoint(Dialect.CHAT, Operation.MODELS, _MODELS, prefix, suffix[len(_MODELS) + 1 :])
    return None


def dialect_of(path: str) -> Dialect:
    """The dialect in which an error on this path is understood: every path has one, chat is the default.

    Also for paths below a recognised one (``/v1/messages/batches``) and under an unknown prefix (``/x/v1/messages``).
    """
    below = _DIALECT_PATH.match(path.partition("?")[0])
    return Dialect(below[1]) if below else Dialect.CHAT
