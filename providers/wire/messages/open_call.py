"""The tool call that is being written: its arguments go out live, and must be one JSON object in the end.

Strategy: as soon as the first character shows an object, everything goes out as it comes. Anything else (free text of a
custom tool, a bare string, nothing at all) waits for the end of the call and is made an object then: ``tool_use.input``
has no other form.
"""

from providers.wire.events import ToolCall
from providers.wire.halves import Halves
from providers.wire.neutral import Json
from providers.wire.values import parse, raw_json, whole

RAW_ARGUMENTS = "__raw_arguments"
"""The key under which arguments stand that are no JSON object."""


class WrittenIds:
    """The ids of an answer's calls. Some servers give none, or the same one to every call."""

    def __init__(self, answer_id: str) -> None:
        self._answer_id = answer_id
        self._of_part: dict[int, str] = {}
        self._used: set[str] = set()

    def of(self, call: ToolCall) -> str:
        """The id of a new call."""
        own = call.id
        if not own or own in self._used:
            own = f"toolu_{self._answer_id}_{len(self._used)}"
        self._used.add(own)
        self._of_part[call.part] = own
        return own

    def known(self, part: int | None) -> str:
        """The id of the call that is this part, "" when the part is none."""
        return "" if part is None else self._of_part.get(part, "")


class OpenCall:
    """One call. ``part`` is the event's."""

    __slots__ = ("_custom", "_halves", "_live", "_pieces", "part")

    def __init__(self, call: ToolCall) -> None:
        self.part = call.part
        self._custom = call.kind == "custom"
        self._live = False
        self._pieces: list[str] = []
        self._halves = Halves()

    def add(self, text: str) -> str:
        """Take a piece; give what may be written now, "" for nothing."""
        self._pieces.append(text)
        if self._live:
            return self._halves.join(text)
        if self._custom:
            return ""
        so_far = "".join(self._pieces)
        self._live = so_far.lstrip().startswith("{")
        return self._halves.join(so_far) if self._live else ""

    def is_complete(self) -> bool:
        """Whether the arguments are a whole object, so that another part may have the stream."""
        if not self._live or not self._pieces[-1].rstrip().endswith("}"):
            return False
        try:
            parse("".join(self._pieces))
        except ValueError:
            return False
        return True

    def rest(self) -> str:
        """What is still to be written when the call has ended."""
        return self._halves.rest() if self._live else raw_json(arguments_of("".join(self._pieces), custom=self._custom))


def arguments_of(text: str, *, custom: bool) -> Json:
    """The arguments as an object: none is an empty one, what is no object is kept as text."""
    if custom:
        return {"input": whole(text)}
    if not text.strip():
        return {}
    try:
        value = parse(text)
    except ValueError:
        value = text
    if value is None:
        return {}
    return value if isinstance(value, dict) else {RAW_ARGUMENTS: whole(text)}
