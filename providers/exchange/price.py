"""What tokens cost: prices in US dollars, and what a call comes to at them.

Strategy: a price has a rate for each kind of token that is charged by its own; a rate that nobody knows is None, and a
call that needs it has no known cost. Tokens of a kind stand within those of a larger one (`providers.wire.events`), so
each is taken out of the larger count before that is priced. What a provider counts in contradiction (more cached tokens
than there were) is never subtracted below zero.
"""

from dataclasses import dataclass

from providers.wire.events import Usage

_MILLION = 1e6
_THOUSAND = 1e3


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for a million tokens of a kind, for a thousand ``search``es and ``request``s; None: nobody knows."""

    input: float | None
    output: float | None
    cache_read: float | None
    cache_write: float | None
    cache_write_1h: float | None
    reasoning: float | None
    search: float | None = None
    request: float | None = None

    def cost(self, used: Usage) -> float | None:
        """US dollars for what was used, None where a rate is missing."""
        prompt, hour, written = used.input or 0, used.cache_write_1h or 0, used.cache_write or 0
        read, thought = min(used.cache_read or 0, prompt), min(used.reasoning or 0, used.output or 0)
        written = min(max(written, hour), prompt - read)
        hour = min(hour, written)
        tokens = 0.0
        for amount, rate in (
            (prompt - read - written, self.input),
            (read, self.cache_read),
            (written - hour, self.cache_write),
            (hour, self.cache_write_1h),
            ((used.output or 0) - thought, self.output),
            (thought, self.reasoning),
        ):
            if amount:
                if rate is None:
                    return None
                tokens += amount * rate
        if used.searches and self.search is None:
            return None
        apart = (used.searches or 0) * (self.search or 0.0) + (self.request or 0.0)
        return tokens / _MILLION + apart / _THOUSAND


@dataclass(frozen=True, slots=True)
class Price:
    """The rates of a model, and whose word they are.

    ``source`` is ``registry``, ``provider list`` or ``genai-prices``. ``above`` are the rates for a whole call whose
    prompt has more than so many tokens, the largest number first.
    """

    rates: Rates
    source: str
    above: tuple[tuple[int, Rates], ...] = ()

    def cost(self, used: Usage) -> float | None:
        """US dollars for what was used; None where the prompt was not counted, or a rate is missing."""
        if used.input is None:
            return None
        for size, rates in self.above:
            if used.input > size:
                return rates.cost(used)
        return self.rates.cost(used)

    @property
    def input(self) -> float | None:
        """US dollars for a million tokens of a short prompt; the next ones likewise."""
        return self.rates.input

    @property
    def output(self) -> float | None:
        """Of an answer."""
        return self.rates.output

    @property
    def cache_read(self) -> float | None:
        """Of a prompt that was read from the cache."""
        return self.rates.cache_read

    @property
    def cache_write(self) -> float | None:
        """Of a prompt that was written to the cache."""
        return self.rates.cache_write

    @property
    def reasoning(self) -> float | None:
        """Of thoughts."""
        return self.rates.reasoning


def rates(
    prompt: float | None,
    answer: float | None,
    *,
    cache_read: float | None = None,
    cache_write: float | None = None,
    cache_write_1h: float | None = None,
    reasoning: float | None = None,
    search: float | None = None,
    request: float | None = None,
) -> Rates:
    """Make rates of what a list says: kinds without a rate of their own are charged as what they are a part of.

    Except for what is kept for an hour where the usual writing has a rate of its own: it costs more than that.
    """
    return Rates(
        input=prompt,
        output=answer,
        cache_read=prompt if cache_read is None else cache_read,
        cache_write=prompt if cache_write is None else cache_write,
        cache_write_1h=prompt if cache_write_1h is None and cache_write is None else cache_write_1h,
        reasoning=answer if reasoning is None else reasoning,
        search=search,
        request=request,
    )
