"""Takes keys out of text before it reaches a log, a record or a client.

Strategy: known secrets are replaced literally (also as JSON and as a URL write them), then everything that is shaped
like a key of a known vendor. Over-redaction is accepted; a leak is not.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "[redacted]"
# Shorter ones would blank ordinary words; a real key has at least twenty characters.
_SHORTEST_SECRET = 4

# OpenAI, Anthropic and OpenRouter (sk-…), Groq, xAI, Google, Hugging Face, Perplexity, GitHub, AWS.
_KEY_SHAPES = (
    r"\bsk-[A-Za-z0-9_\-]{8,}",
    r"\bgsk_[A-Za-z0-9]{8,}",
    r"\bxai-[A-Za-z0-9]{8,}",
    r"\bAIza[A-Za-z0-9_\-]{16,}",
    r"\bhf_[A-Za-z0-9]{8,}",
    r"\bpplx-[A-Za-z0-9]{16,}",
    r"\bgh[pousr]_[A-Za-z0-9]{16,}",
    r"\bAKIA[A-Z0-9]{16}\b",
)
# "Bearer" followed by a token, but not by a word of prose ("Bearer authentication is required") or our own placeholder.
_BEARER = r"(?i:\b(bearer)(\s+|%20))(?![A-Za-z]+\b(?![A-Za-z0-9._~+/=\-]))[A-Za-z0-9._~+/=\-]{4,}"

_SHAPES = re.compile("|".join(_KEY_SHAPES))
_SHAPES_BYTES = re.compile("|".join(_KEY_SHAPES).encode())
_BEARER_TEXT = re.compile(_BEARER)
_BEARER_BYTES = re.compile(_BEARER.encode())


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and without anything shaped like a key."""
    for form in _forms(secrets):
        text = text.replace(form, REDACTED)
    text = _BEARER_TEXT.sub(rf"\1\2{REDACTED}", text)
    return _SHAPES.sub(REDACTED, text)


def redact_bytes(data: bytes, secrets: Iterable[str] = ()) -> bytes:
    """Like `redact`, for a body of any encoding that keeps ASCII; the length changes."""
    for form in _forms(secrets):
        data = data.replace(form.encode(), REDACTED.encode())
    data = _BEARER_BYTES.sub(rb"\1\2" + REDACTED.encode(), data)
    return _SHAPES_BYTES.sub(REDACTED.encode(), data)


def _forms(secrets: Iterable[str]) -> list[str]:
    """Every spelling of each secret, longest first so that no rest of a longer one stays."""
    usable = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    spelled = {form for s in usable for form in (s, quote(s, safe=""), quote(s), json.dumps(s)[1:-1])}
    return sorted(spelled, key=len, reverse=True)


def looks_like_key(text: str) -> bool:
    """Say whether ``text`` holds something that is certainly a key: a vendor's prefix and a long mixed tail."""
    return any(len(found.group()) >= 20 and any(c.isdigit() for c in found.group()) for found in _SHAPES.finditer(text))
