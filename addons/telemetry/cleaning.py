"""Redaction made cheap enough for every message: most texts hold no key, and a few substring searches can tell.

Strategy: `providers.redaction` is the one authority on what a key looks like, but its patterns cost some 40 ns per
character with the interpreter's lock held. So a text is handed to it only if it holds a mark without which no pattern
can match, or the core of a known secret: its longest run of letters and digits, which is the same however the secret
is spelled.
"""

import re
from collections.abc import Sequence

from providers.redaction import redact, redact_bytes

# Without one of these no pattern of providers.redaction matches; a test holds the two lists together.
MARKS = ("sk-", "gsk_", "xai-", "AIza", "hf_", "pplx-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "AKIA")
MARKS_LOWER = ("bearer",)
_SHORTEST_CORE = 4


class Cleaner:
    """Takes keys out of texts and bytes; made anew when the known secrets change."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = tuple(secrets)
        self._marks = MARKS + tuple(_core(secret) for secret in self.secrets if len(secret) >= _SHORTEST_CORE)
        self._marks_bytes = tuple(mark.encode() for mark in self._marks)
        self._lower_bytes = tuple(mark.encode() for mark in MARKS_LOWER)

    def suspects(self, text: str) -> bool:
        """Say whether ``text`` may hold a key, in whatever spelling."""
        for mark in self._marks:  # a loop, as every text of every call passes here
            if mark in text:
                return True
        lower = text.lower()
        return any(mark in lower for mark in MARKS_LOWER)

    def text(self, text: str) -> str:
        """Return ``text`` without keys; the same object when there is nothing to suspect."""
        return redact(text, self.secrets) if self.suspects(text) else text

    def bytes(self, data: bytes) -> bytes:
        """Return ``data`` without keys, whatever its encoding is, as long as it keeps ASCII."""
        if any(mark in data for mark in self._marks_bytes) or any(mark in data.lower() for mark in self._lower_bytes):
            return redact_bytes(data, self.secrets)
        return data


def _core(secret: str) -> str:
    """Find the part of a secret that no spelling changes; "" (always found) when there is none to speak of."""
    return max(re.findall(r"[A-Za-z0-9]+", secret), key=len, default="")
