"""A legacy completion request → the neutral request: one prompt is one message of a user.

Strategy: what a conversation cannot answer is refused here, because no builder could do better: several prompts at
once, token numbers, text after the gap, the prompt given back, several tries.
"""

from providers.wire.chat.parse import extra_of, sampling
from providers.wire.neutral import Request, Text, Turn
from providers.wire.notes import Rejected
from providers.wire.values import count, sequence, whole

_READ_HERE = frozenset(
    "model prompt max_tokens max_completion_tokens temperature top_p top_k stop stream stream_options user"
    " safety_identifier service_tier suffix echo best_of logprobs".split()
)
_ONLY_ITSELF = "this model is reached through a chat API, which cannot answer it"


def parse_completions(body: dict[str, object]) -> Request:
    """Read the body of ``/completions``. Raises Rejected for what no conversation can answer."""
    for name in ("suffix", "echo"):
        if body.get(name):
            raise Rejected(name, f"{name} is not supported: {_ONLY_ITSELF}")
    if (count(body.get("best_of")) or 1) > 1:
        raise Rejected("best_of", f"best_of greater than 1 is not supported: {_ONLY_ITSELF}")
    if (logprobs := body.get("logprobs")) is not None and logprobs is not False:  # 0 asks for them, too
        raise Rejected("logprobs", f"logprobs are not supported: {_ONLY_ITSELF}")
    turn = Turn("user", (Text(_prompt(body.get("prompt"))),))
    return Request(turns=(turn,), extra=extra_of(body, _READ_HERE), **sampling(body))


def _prompt(prompt: object) -> str:
    entries = sequence(prompt) or [prompt]
    if len(entries) == 1 and isinstance(entries[0], str) and entries[0]:
        return whole(entries[0])
    if len(entries) > 1 and all(isinstance(entry, str) for entry in entries):
        raise Rejected("prompt", f"send one prompt at a time: several are not supported, {_ONLY_ITSELF}")
    raise Rejected("prompt", "prompt must be a text that is not empty; token numbers are not supported here")
