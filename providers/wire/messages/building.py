"""What every step of building a Messages request works with: the request, the target, and where losses are said."""

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.field_names import field_name
from providers.wire.messages.call_ids import CallIds
from providers.wire.neutral import Cache, Json, Request, ToolUse
from providers.wire.notes import Notes, Rejected, Unfetched
from providers.wire.side_channel import ANTHROPIC
from providers.wire.tool_names import sent_names

_SPEAKS = {Dialect.CHAT: "Chat Completions", Dialect.MESSAGES: "Messages", Dialect.RESPONSES: "Responses"}


class Building:
    """One request on its way. ``renamed`` leads from a tool's own name to the one that is sent, where they differ."""

    def __init__(self, request: Request, target: Capabilities, notes: Notes) -> None:
        self.request = request
        self.target = target
        self.notes = notes
        self.renamed = renamed_tools(request, target)
        self.call_ids = CallIds(target)
        self.is_anthropic = target.signatures == ANTHROPIC

    def tool_name(self, own: str) -> str:
        """A tool's name as it is sent."""
        return self.renamed.get(own, own)

    def named(self, neutral: str, below: str = "") -> str:
        """The client's name of a neutral field, with a path below it."""
        return field_name(self.request.dialect, neutral) + below

    def drop(self, neutral: str, below: str = "") -> None:
        """Note that a field is left out."""
        self.notes.drop(self.named(neutral, below))

    def approximate(self, neutral: str, below: str = "") -> None:
        """Note that a field is kept roughly."""
        self.notes.approximate(self.named(neutral, below))

    def rejected(self, what: str, neutral: str, below: str = "") -> Rejected:
        """The refusal of a field: ``what`` says what cannot be had, as the beginning of a sentence."""
        return self.refused(what, self.named(neutral, below))

    def refused(self, what: str, own_name: str) -> Rejected:
        """The same for a field under the client's own name."""
        advice = f"leave it out, or choose a model of a provider that speaks {_SPEAKS[self.request.dialect]}"
        return Rejected(own_name, f"{what} cannot be had from a provider that speaks Anthropic Messages: {advice}")

    def unfetched(self, below: str) -> Unfetched:
        """The refusal of an address that the target does not follow, to be raised."""
        return Unfetched(self.named("turns", below), "this provider downloads nothing: send it inline, as base64")

    def mark(self, block: Json, cache: Cache | None) -> Json:
        """The block, with a cache mark if it has one and the target knows marks."""
        if cache is None:
            return block
        if self.target.cache_marks != "anthropic":
            self.drop("cache")
            return block
        block["cache_control"] = {"type": "ephemeral", "ttl": cache.ttl} if cache.ttl else {"type": "ephemeral"}
        return block


def renamed_tools(request: Request, target: Capabilities) -> dict[str, str]:
    """Own name → sent name of every tool that cannot be called what it is: on offer, chosen, or called earlier."""
    names = [tool.name for tool in request.tools]
    names += request.tool_choice.names if request.tool_choice else ()
    names += [part.name for turn in request.turns for part in turn.parts if type(part) is ToolUse]
    return sent_names(names, target.tool_name_length)
