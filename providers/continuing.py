"""A call with the beginning of its answer: what a provider is sent that goes on with what another one broke off.

The text so far is the last turn of the conversation, an assistant's (a prefill); the rest of the call stays the
client's own. Nobody goes on with an answer of a prescribed form (a grammar begins anew), nor where the client has begun
the answer itself (whether the first provider took that for its own words cannot be known).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from providers.calls import ReadCall
from providers.resolve import Target
from providers.wire.endpoints import Operation
from providers.wire.estimate import text_tokens
from providers.wire.neutral import Json
from providers.wire.notes import Rejected
from providers.wire.splice import read_object
from providers.wire.translate import PARSERS
from providers.wire.values import count, mapping, sequence

_LEAST = 16  # tokens: several providers refuse a smaller bound
_BOUNDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# Log probabilities stand on the pieces of a text: an answer that is written anew cannot keep them.
_NOT_ANEW = ("logprobs", "top_logprobs")


def _chat(body: Json, said: str) -> Json:
    effort: Json = {"reasoning_effort": "none"} if "reasoning_effort" in body else {}
    return {"messages": [*sequence(body.get("messages")), {"role": "assistant", "content": said}], **effort}


def _messages(body: Json, said: str) -> Json:
    # A model that thinks begins with its thoughts: Anthropic refuses to let it go on with a text.
    thinking: Json = {"thinking": {"type": "disabled"}} if "thinking" in body else {}
    return {"messages": [*sequence(body.get("messages")), {"role": "assistant", "content": said}], **thinking}


def _responses(body: Json, said: str) -> Json:
    asked = body.get("input")
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else sequence(asked)
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]}
    effort: Json = {"reasoning": {**mapping(body["reasoning"]), "effort": "none"}} if body.get("reasoning") else {}
    return {"input": [*turns, answer], **effort}


_CONTINUED: dict[Operation, Callable[[Json, str], Json]] = {
    Operation.CHAT: _chat,
    Operation.MESSAGES: _messages,
    Operation.RESPONSES: _responses,
}


def resumable(targets: Sequence[Target], call: ReadCall) -> tuple[Target, ...]:
    """Return a plan's targets; only those keep ``rescue`` behind which one stands that can go on with their answer."""
    if not any(target.rescue for target in targets):
        return tuple(targets)
    can_be, behind = _can_be_continued(call), False
    out: list[Target] = []
    for target in reversed(targets):
        out.append(target if can_be and behind else replace(target, rescue=""))
        behind = behind or target.capabilities(call.model).prefill
    return tuple(reversed(out))


def with_answer(call: ReadCall, said: str) -> ReadCall:
    """Return the call, of which the client has ``said`` of its answer; the bound of the answer shrinks with it."""
    body = call.parsed.value
    changes = _CONTINUED[call.request.endpoint.operation](body, said)
    for name in _BOUNDS:
        if (bound := count(body.get(name))) is not None:
            changes[name] = max(min(bound, _LEAST), bound - text_tokens(said))
    text = call.parsed.replace(changes)
    return replace(call, body=text, parsed=read_object(text))


def _can_be_continued(call: ReadCall) -> bool:
    operation, body = call.request.endpoint.operation, call.parsed.value
    if operation not in _CONTINUED or body.get("stream") is not True or any(body.get(name) for name in _NOT_ANEW):
        return False
    if (count(body.get("n")) or 1) > 1:
        return False
    try:
        request = PARSERS[operation](body)
    except Rejected:
        return False
    is_free = request.output is None or request.output.kind == "text"
    return is_free and bool(request.turns) and request.turns[-1].role != "assistant"
