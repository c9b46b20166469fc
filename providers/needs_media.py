"""A call that must wait for downloads: what it needs, how much may come, and what the client is told if it does not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from providers.wire.remote import Address, Inline, path_to

if TYPE_CHECKING:
    from providers.calls import ReadCall


class NeedsMedia(Exception):
    """The call can go on when what stands at ``addresses`` has been downloaded: plan it again, ``with_media``.

    ``about`` says of a refusal who would have answered: provider, kind, model.
    """

    def __init__(self, call: "ReadCall", addresses: tuple[Address, ...], about: Mapping[str, str]) -> None:
        super().__init__(f"{len(addresses)} to download")
        self.call = call
        self.addresses = addresses
        self.about = dict(about)

    def room(self, limit: int) -> int:
        """How many bytes of base64 still fit into a request of at most ``limit`` bytes."""
        return limit - len(self.call.body) - sum(len(one.data) for one in self.call.media.values())

    def with_media(self, media: Mapping[Address, Inline]) -> "ReadCall":
        """The call with what was downloaded."""
        return replace(self.call, media={**self.call.media, **media})

    def refusal(self, address: Address, why: str) -> str:
        """What the client is told where a download failed; ``why`` names no address."""
        path = path_to(self.call.parsed.value, address.url, self.call.request.endpoint.dialect)
        return (
            f"{path or 'the request'}: the {address.kind} could not be downloaded for {self.about['provider']!r}, "
            f"which downloads nothing itself: {why}. Send it as base64 instead."
        )
