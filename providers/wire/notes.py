"""What a translation could not carry, graded per field and never silent (specs: translation, section 1.3)."""

from dataclasses import dataclass, field


class Rejected(ValueError):
    """The answer's shape, its safety or its bill would change: the call is answered 400 in the client's dialect.

    ``field`` is the client's own name of what cannot be said, as a path.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Unfetched(Rejected):
    """A part stands behind an address, and the target downloads nothing: it must be sent inline."""


@dataclass(slots=True)
class Notes:
    """Field paths by grade, in the client's own names, each once and in order."""

    dropped: dict[str, None] = field(default_factory=dict)
    approximated: dict[str, None] = field(default_factory=dict)

    def drop(self, path: str) -> None:
        """Leave a field out: a hint or an optimisation."""
        self.dropped[path] = None

    def approximate(self, path: str) -> None:
        """Keep a field's meaning roughly."""
        self.approximated[path] = None

    def header(self) -> str:
        """The value of ``x-patchbay-translation``, "" when nothing was lost."""
        grades = (("dropped", self.dropped), ("approximated", self.approximated))
        return "; ".join(f"{grade}={','.join(paths)}" for grade, paths in grades if paths)
