"""The shape of an entry below ``models`` in ``registry.yaml``: where a name leads, when, and what if that fails."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic.config import JsonDict

from providers.pool.conditions import Conditions, parse_span
from providers.registry_entry import PLAIN_NAME, DeadlineEntry, Entry
from providers.registry_price import PriceEntry
from providers.registry_quirks import QuirksEntry

# Set by the route itself, so a parameter of these names would contradict it.
_RESERVED_PARAMS = ("model", "stream")
# The failures that another target may be named for: `providers.pool.error_class` without what nobody else can mend.
Failed = Literal[
    "refused", "dns", "tls", "connect_timeout", "reset", "cut", "stall", "server_error", "gateway_timeout",
    "overloaded", "loading", "rate_limit", "spend_limit", "auth", "context_length", "content_filter", "malformed",
    "unsupported",
]  # fmt: skip
Rescue = Literal["none", "prefill"]
_Name = Annotated[str, Field(min_length=1)]


def _span(text: str) -> str:
    parse_span(text)
    return text


class WhenEntry(Entry):
    """The conditions of a target; all of them must hold. Patterns have * ? [..], case counts."""

    has_tools: bool | None = Field(default=None, description="the call offers tools; false: it offers none")
    has_images: bool | None = Field(default=None, description="the conversation holds images; false: it holds none")
    tokens_over: int | None = Field(default=None, ge=0, description="the prompt is longer, by a rough estimate")
    header: dict[Annotated[str, Field(pattern=PLAIN_NAME)], str] = Field(
        default={}, description="header of the request → pattern of its value"
    )
    session: _Name | None = Field(default=None, description="pattern of the session that the client names")
    time: Annotated[str, AfterValidator(_span)] | None = Field(
        default=None, description="a span of this machine's local time, such as 22:00-06:00"
    )

    @model_validator(mode="after")
    def _not_empty(self) -> "WhenEntry":
        if self.conditions() == Conditions():
            raise ValueError("has no condition: leave `when` out for a target that takes every call")
        return self

    def conditions(self) -> Conditions:
        """The same as the policies read it."""
        return Conditions(
            has_tools=self.has_tools,
            has_images=self.has_images,
            tokens_over=self.tokens_over,
            header=tuple((name.lower(), pattern) for name, pattern in self.header.items()),
            session=self.session,
            time=None if self.time is None else parse_span(self.time),
        )


def _string_or_object(schema: JsonDict) -> None:
    """A bare ``provider/model`` stands for ``{target: provider/model}``."""
    inner = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, inner]


class Overrides(Entry):
    """What a route sets for the targets it leads to."""

    params: dict[str, JsonValue] = Field(default={}, description="set in the request's body, replacing the client's")
    deadlines: DeadlineEntry | None = None
    quirks: QuirksEntry | None = Field(default=None, description="as a provider's, for this route alone")
    price: PriceEntry | None = Field(default=None, description="as a provider's, for this route alone")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"target": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _without_reserved(self) -> "Overrides":
        for name in _RESERVED_PARAMS:
            if name in self.params:
                raise ValueError(f"params cannot hold {name!r}: the route or the client sets it")
        return self


class TargetEntry(Overrides):
    """One of several targets; params, deadlines, quirks and price here win over those of the whole entry."""

    model_config = ConfigDict(json_schema_extra=_string_or_object)

    target: _Name = Field(description="provider/model, a provider alone (name unchanged), or an alias")
    when: WhenEntry | None = Field(default=None, description="left out for calls that do not meet this")


def _one_of_two(schema: JsonDict) -> None:
    schema["oneOf"] = [{"required": ["target"]}, {"required": ["targets"]}]
    _string_or_object(schema)


class ModelEntry(Overrides):
    """Where a name or a pattern leads."""

    model_config = ConfigDict(json_schema_extra=_one_of_two)

    target: _Name | None = Field(
        default=None, description="provider/model, a provider alone (name unchanged), or an alias"
    )
    targets: list[TargetEntry] | None = Field(
        default=None, min_length=1, description="instead of target: several, asked in this order until one answers"
    )
    fallback_on: dict[Failed, _Name] = Field(
        default={}, description="kind of failure → who is asked then, instead of the next target"
    )
    rescue: Rescue | None = Field(
        default=None, description="prefill: a stream that breaks off goes on at the next target that can continue it"
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "ModelEntry":
        if self.target is None and self.targets is None:
            raise ValueError("leads nowhere: it needs target, or targets (a list in the order to ask)")
        if self.target is not None and self.targets is not None:
            raise ValueError("has target and targets: write them all into targets, in the order to ask")
        entries = self.targets or []
        if twice := next((one.target for n, one in enumerate(entries) if one in entries[:n]), None):
            raise ValueError(f"has {twice!r} twice in targets: one failure would be tried again at once")
        return self

    def entries(self) -> list[TargetEntry]:
        """The targets in order, also where there is only one."""
        return self.targets or [TargetEntry(target=self.target or "")]
