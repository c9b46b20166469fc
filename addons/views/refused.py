"""What is said to somebody whose edit cannot be taken."""


class EditRefused(ValueError):
    """An edit that cannot be taken: nothing was changed. ``line`` counts from 1, ``field`` is a path; both as known."""

    def __init__(self, message: str, *, line: int | None = None, field: str = "") -> None:
        place = ", ".join(([f"line {line}"] if line is not None else []) + ([field] if field else []))
        super().__init__(f"{place}: {message}" if place else message)
        self.line = line
        self.field = field
