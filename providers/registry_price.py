"""The shape of ``price`` in ``registry.yaml``: what a provider's or a route's tokens cost."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from providers.exchange.price import Price, rates
from providers.registry_entry import Entry

REGISTRY = "registry"
"""The source of such a price, as it is recorded."""

_FREE = "free"
_Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


def _word_or_object(schema: JsonDict) -> None:
    """``free`` and 0 stand for a price of nothing."""
    inner = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"enum": [_FREE, 0]}, inner]


class PriceEntry(Entry):
    """US dollars per million tokens. What is left out costs what it is a part of: cached tokens as input, and so on."""

    model_config = ConfigDict(json_schema_extra=_word_or_object)

    input: _Dollars = Field(description="of the prompt")
    output: _Dollars = Field(description="of the answer")
    cache_read: _Dollars | None = Field(default=None, description="of the prompt, read from a cache; as input")
    cache_write: _Dollars | None = Field(default=None, description="of the prompt, written to a cache; as input")
    cache_write_1h: _Dollars | None = Field(
        default=None, description="of the prompt, written to be kept for an hour; unknown if cache_write is given"
    )
    reasoning: _Dollars | None = Field(default=None, description="of the answer, thoughts; as output")
    search: _Dollars | None = Field(
        default=None, description="a thousand web searches that the provider runs; a call with some has no known cost"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        if value == _FREE or (value == 0 and value is not False):
            return {"input": 0, "output": 0, "search": 0}
        if isinstance(value, dict):
            return value
        raise ValueError("must be free, or a mapping with input and output (US dollars per million tokens)")

    def price(self) -> Price:
        """The same as calls are priced by."""
        given = self.model_dump(exclude={"input", "output"})
        return Price(rates(self.input, self.output, **given), REGISTRY)
