"""What the parts of the chat builder share: the request, its target, and notes in the client's own names."""

from dataclasses import dataclass

from providers.wire.capabilities import Capabilities
from providers.wire.field_names import field_name
from providers.wire.neutral import Request
from providers.wire.notes import Notes, Rejected, Unfetched
from providers.wire.tool_names import sent_id


@dataclass(frozen=True, slots=True)
class Building:
    """One request on its way. ``names`` leads from a tool's own name to the one that is sent, where they differ."""

    request: Request
    target: Capabilities
    notes: Notes
    names: dict[str, str]

    def path(self, neutral_name: str, below: str = "") -> str:
        """The client's name of a field, and of what stands below it."""
        name = field_name(self.request.dialect, neutral_name)
        return f"{name}.{below}" if below else name

    def drop(self, neutral_name: str, below: str = "") -> None:
        """Note that a field is left out."""
        self.notes.drop(self.path(neutral_name, below))

    def approximate(self, neutral_name: str, below: str = "") -> None:
        """Note that a field's meaning is kept roughly."""
        self.notes.approximate(self.path(neutral_name, below))

    def rejected(self, neutral_name: str, below: str, why: str) -> Rejected:
        """The refusal of a field, to be raised; ``why`` says what to do instead."""
        path = self.path(neutral_name, below)
        return Rejected(path, f"{path}: {why}")

    def unfetched(self, below: str) -> Unfetched:
        """The refusal of an address that the target does not follow, to be raised."""
        path = self.path("turns", below)
        return Unfetched(path, f"{path}: this provider downloads nothing; send it as base64")

    def tool_name(self, own: str) -> str:
        """A tool's name as it is sent."""
        return self.names.get(own, own)

    def call_id(self, own: str) -> str:
        """A call's id as it is sent, the same on the call and on its result."""
        return sent_id(own, self.target.tool_id, self.target.tool_id_length)
