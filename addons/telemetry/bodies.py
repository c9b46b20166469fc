"""Raw bodies: which are kept, and in what form."""

from typing import Literal

import zstandard

from addons.telemetry.cleaning import Cleaner
from providers.exchange.account import Outcome

BodyPolicy = Literal["none", "errors", "all"]
Side = Literal["request", "answer"]
BODY_LIMIT = 256 << 20  # bytes of one body that are given back


def keeps(policy: BodyPolicy, outcome: Outcome | None) -> bool:
    """Say whether the bodies of an exchange that ended so are kept."""
    return policy == "all" or (policy == "errors" and outcome != Outcome.OK)


class Packer:
    """Makes bodies small; keys are taken out first. Belongs to one thread."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=3)

    def pack(self, body: bytes, cleaner: Cleaner) -> bytes:
        """Return the body as it is stored."""
        return self._compressor.compress(cleaner.bytes(body))


def unpack(data: bytes) -> bytes:
    """Return a stored body. Raises zstandard.ZstdError when it is damaged."""
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=BODY_LIMIT)
