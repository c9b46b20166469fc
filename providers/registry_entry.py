"""What every entry of ``registry.yaml`` is made of, and the deadlines that providers and models both have."""

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from providers.provider import Deadlines

# Names that we look up: providers, headers.
PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a number of seconds")
    return value


Seconds = Annotated[float, Field(gt=0), AfterValidator(_finite)]


class Entry(BaseModel):
    """Strict: no field that is not known, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DeadlineEntry(Entry):
    """Seconds; what is not given comes from the provider, and there from its kind. `head` also sets `first_content`."""

    connect: Seconds | None = Field(default=None, description="until the connection stands")
    head: Seconds | None = Field(default=None, description="until the answer's headers are here")
    first_content: Seconds | None = Field(
        default=None, description="until a stream says something; as `head` if not given"
    )
    gap: Seconds | None = Field(default=None, description="between two pieces of an answer")
    total: Seconds | None = Field(default=None, description="for the whole call")

    def over(self, base: Deadlines) -> Deadlines:
        """Return ``base`` with what is given here."""
        given = self.model_dump(exclude_none=True)
        if "head" in given:
            given.setdefault("first_content", given["head"])
        return Deadlines(**({name: getattr(base, name) for name in Deadlines.__slots__} | given))
