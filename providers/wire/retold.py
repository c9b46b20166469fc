"""A provider's error in words that the client's dialect has for it (specs: translation, section 9).

Strategy: what went wrong is read from the code, the type, the message and at last the status, in that order; the status
then says it in either vocabulary (`providers.errors` has the words for each). Only a prompt that is too long needs
more: clients act on its very wording (compaction, a larger model), so each dialect gets the form that its clients know.
"""

import re
from dataclasses import dataclass

from providers.wire.endpoints import Dialect
from providers.wire.events import Failure
from providers.wire.reader import failure_of
from providers.wire.values import count, mapping, parse

TOO_LONG = "context_length_exceeded"
_QUOTE_LIMIT = 500  # characters of a body that is no JSON: enough to recognise it
_UNTOLD = 502  # a failure inside a stream that does not say what it is

_TOO_LONG_CODES = frozenset(
    (
        TOO_LONG,
        "context_window_exceeded",
        "model_context_window_exceeded",
        "exceed_context_size_error",
        "string_above_max_length",
    )
)
_TOO_LONG_WORDS = re.compile(
    r"prompt is too long|context (?:length|window|size)|input is too long|too many (?:input )?tokens"
    r"|exceeds? the (?:model's )?(?:available |maximum )?context",
    re.IGNORECASE,
)
# Two numbers in the messages of Anthropic ("N tokens > M maximum"), OpenAI ("maximum context length is M tokens.
# However, your messages resulted in N tokens") and llama-server ("(N tokens) exceeds the available context size (M …").
_NUMBERS = (
    re.compile(r"(?P<sent>\d[\d,]*) tokens > (?P<most>\d[\d,]*)"),
    re.compile(r"context length is (?P<most>\d[\d,]*) tokens\D+?(?P<sent>\d[\d,]*) tokens", re.DOTALL),
    re.compile(r"\((?P<sent>\d[\d,]*) tokens\) exceeds the available context size \((?P<most>\d[\d,]*)"),
)
# What a code or type means as a status; the words of both vendors and those of common servers. The one such table:
# whatever asks for the status of a failure inside a 200 asks `status_of`.
_STATUS: dict[str, int] = {
    # What ends a response for a reason that stands in its request (openai 3.52, `ResponseError.code`, 2026-11-20).
    **dict.fromkeys(
        """data_residency_mismatch bio_policy misalignment_policy_violation invalid_image invalid_image_format
        invalid_base64_image invalid_image_url image_too_large image_too_small image_parse_error
        image_content_policy_violation invalid_image_mode image_file_too_large unsupported_image_media_type
        empty_image_file failed_to_download_image image_file_not_found""".split(),
        400,
    ),
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "conflict_error": 409,
    "memory_path_conflict_error": 409,
    "memory_precondition_failed_error": 412,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "tokens": 429,
    "requests": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "vector_store_timeout": 504,
    "timeout_error": 504,
    "timeout": 504,
    "overloaded_error": 529,
    "server_overloaded": 529,
    "engine_overloaded_error": 529,
}
# What is told in its own place, and what is nobody's business: OpenRouter says whose account it was. ``param`` is no
# such word: it names a field of a request that the client never saw.
_TOLD = frozenset("message type code error object sequence_number user_id".split())
_CONTAINERS = ("details", "metadata")  # Anthropic's and OpenRouter's place for such fields


@dataclass(frozen=True, slots=True)
class Retold:
    """An error for the client: the HTTP status that its dialect has, what to tell, and a stable word for programs.

    ``code`` is None where the status has said it all. ``detail`` are the provider's further fields, for the place
    where a dialect keeps such (``error.metadata`` in chat and responses, ``error.details`` in messages):
    `providers.errors` puts them there, and takes keys and addresses out.
    """

    status: int
    message: str
    code: str | None
    detail: dict[str, object]


def retell_body(client: Dialect, status: int, body: bytes, provider: str) -> Retold:
    """Retell a whole answer of ``status`` (400 and above); ``provider`` is named where the body says nothing."""
    text = body.decode("utf-8", "replace").strip()
    try:
        value = parse(text)
    except ValueError:
        value = None
    if isinstance(value, list) and len(value) == 1:  # Google's chat endpoint answers so
        value = value[0]
    failure = failure_of(value)
    if failure is None:
        said = "" if not isinstance(value, str | None) or text.startswith("<") else text[:_QUOTE_LIMIT]
        failure = Failure(said, raw=text if isinstance(value, dict) else "")
    return _retold(client, status, failure, provider)


def retell_failure(client: Dialect, failure: Failure, provider: str) -> Retold:
    """Retell what a provider said inside a stream of status 200; the status is the one that it would have had."""
    return _retold(client, status_of(failure), failure, provider)


def status_of(failure: Failure) -> int:
    """The HTTP status that a failure inside a stream would have had; 502 if it does not say."""
    if failure.code.isdecimal() and 400 <= int(failure.code) <= 599:
        return int(failure.code)
    found = (_STATUS.get(word) for word in (failure.code, failure.type))
    return 400 if is_too_long(400, failure) else next((status for status in found if status), _UNTOLD)


def _retold(client: Dialect, status: int, failure: Failure, provider: str) -> Retold:
    detail = detail_of(failure)
    if is_too_long(status, failure):
        return Retold(400, _too_long(client, failure, detail), TOO_LONG, detail)
    message = failure.message or f"{provider} answered with status {status}."
    code = failure.code if failure.code and not failure.code.isdecimal() else None
    return Retold(status, message, code, detail)


def is_too_long(status: int, failure: Failure) -> bool:
    """Whether an answer of ``status`` says that the prompt is longer than the model can read."""
    if _TOO_LONG_CODES & {failure.code, failure.type}:
        return True
    return status in (400, 413, 422) and _TOO_LONG_WORDS.search(failure.message) is not None


def _too_long(client: Dialect, failure: Failure, detail: dict[str, object]) -> str:
    """The message in the form that clients of the dialect know: with both numbers where the provider gave them."""
    sent, most = count(detail.get("n_prompt_tokens")), count(detail.get("n_ctx"))
    for numbers in _NUMBERS:
        if sent is None and (found := numbers.search(failure.message)):
            sent, most = (int(found[name].replace(",", "")) for name in ("sent", "most"))
    if client is Dialect.MESSAGES:
        told = (
            f"{sent} tokens > {most} maximum"
            if sent and most
            else failure.message.partition("too long: ")[2] or failure.message
        )
        return f"prompt is too long: {told}"
    if sent and most:
        return (
            f"This model's maximum context length is {most} tokens. However, your messages resulted in {sent} tokens."
        )
    return failure.message


def detail_of(failure: Failure) -> dict[str, object]:
    """The fields of the error beside those that every dialect has, without the container that a dialect has for them.

    Anthropic's ``error_code``, a stable cause, is among them. A page of HTML is not, nor what the message says already.
    """
    if not failure.raw:
        return {}
    body = mapping(parse(failure.raw))
    error = mapping(body.get("error"))
    # Without an error in it the body is the complaint, but for a choice that ended badly: that is the answer.
    told = error or ({} if "finish_reason" in body else body)
    detail = {name: value for container in _CONTAINERS for name, value in mapping(told.get(container)).items()}
    detail |= {
        name: value
        for name, value in told.items()
        if name not in _TOLD and not (name in _CONTAINERS and isinstance(value, dict))
    }
    if error and body.get("request_id"):
        detail["request_id"] = body["request_id"]
    return {name: value for name, value in detail.items() if not _is_idle(value, failure.message)}


def _is_idle(value: object, message: str) -> bool:
    return value is None or value == message or (isinstance(value, str) and value.lstrip().startswith("<"))
