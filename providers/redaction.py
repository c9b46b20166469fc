"""Takes keys out of text before it reaches a log, a record or a client.

Strategy: known secrets are replaced literally (also as JSON and as a URL write them), then everything that is shaped
like a key of a known vendor. Over-redaction is accepted; a leak is not.
"""

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

REDACTED = "[redacted]"
# Shorter ones would blank ordinary words; a real key has at least twenty characters.
_SHORTEST_SECRET = 4

# OpenAI, Anthropic and OpenRouter (sk-…), Groq, xAI, Google, Hugging Face, Perplexity, GitHub, AWS.
_KEY_SHAPES = (
    r"sk-[A-Za-z0-9_\-]{8,}",
    r"gsk_[A-Za-z0-9]{8,}",
    r"xai-[A-Za-z0-9]{8,}",
    r"AIza[A-Za-z0-9_\-]{16,}",
    r"hf_[A-Za-z0-9]{8,}",
    r"pplx-[A-Za-z0-9]{16,}",
    r"gh[pousr]_[A-Za-z0-9]{16,}",
    r"AKIA[A-Z0-9]{16}\b",
)
# Where a word begins; in JSON text also behind an escaped line break, whose letter looks like the word's own.
_START = r"(?:\b|(?<=\\[bfnrt]))"
# Both patterns look at a character first before they ask whether a word begins there: that halves their time.
_KEY = rf"(?=[sgxAhp]){_START}(?:{'|'.join(_KEY_SHAPES)})"
# "Bearer" followed by a token, but not by a word of prose ("Bearer authentication is required") or our own placeholder.
_BEARER = (
    rf"(?=[bB]){_START}(?i:(bearer)(\s+|%20))"
    r"(?![A-Za-z]+\b(?![A-Za-z0-9._~+/=\-]))[A-Za-z0-9._~+/=\-]{4,}"
)

_SHAPES = re.compile(_KEY)
_SHAPES_BYTES = re.compile(_KEY.encode())
_BEARER_TEXT = re.compile(_BEARER)
_BEARER_BYTES = re.compile(_BEARER.encode())


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and without anything shaped like a key."""
    return redactor(secrets)(text)


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """Return `redact` for many texts: the spellings of the secrets are made once."""
    forms = _forms(secrets)

    def clean(text: str) -> str:
        for form in forms:
            text = text.replace(form, REDACTED)
        text = _BEARER_TEXT.sub(rf"\1\2{REDACTED}", text)
        return _SHAPES.sub(REDACTED, text)

    return clean


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
