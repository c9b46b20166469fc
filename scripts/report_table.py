"""The report as text: one table where the terminal is wide enough, else two that fit 80 columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from scripts.report_figures import Figures

NARROW = 80
_MANY_ERRORS = 0.05  # a rate that is shown in red
_SHORTEST_KEY = 12


@dataclass(frozen=True, slots=True)
class _Column:
    """A head of one or two words, above and beside each other; a column of which nothing is known is left out."""

    head: str
    cell: Callable[[Figures], str]
    style: Callable[[Figures], str | None] = lambda _figures: None


def _at(name: str, part: str, write: Callable[[object], str]) -> Callable[[Figures], str]:
    def cell(figures: Figures) -> str:
        spread = figures[name]
        assert isinstance(spread, dict)
        return write(spread[part])

    return cell


def _of(name: str, write: Callable[[object], str]) -> Callable[[Figures], str]:
    return lambda figures: write(figures[name])


def short(value: object) -> str:
    """Write a count in five characters or fewer."""
    if value is None:
        return "–"
    number = float(str(value))
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.2f}"[:4].rstrip(".") + unit
    return f"{number:.0f}"


def seconds(micros: object) -> str:
    """Write a span given in microseconds as seconds."""
    return "–" if micros is None else _figure(float(str(micros)) / 1e6)


def _figure(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def _speed(value: object) -> str:
    return "–" if value is None else _figure(float(str(value)))


def _rate(value: object) -> str:
    return "–" if value is None else f"{float(str(value)):.1%}"


def money(dollars: object) -> str:
    """Write US dollars; less than a cent keeps its digits."""
    if dollars is None:
        return "–"
    amount = float(str(dollars))
    return f"${amount:,.2f}" if amount >= 0.995 or not amount else f"${amount:.4f}"


def _red(figures: Figures) -> str | None:
    rate = figures["error_rate"]
    return "red" if isinstance(rate, float) and rate > _MANY_ERRORS else None


def _unpriced(figures: Figures) -> str | None:
    return "yellow" if figures["unpriced"] else None


_COUNTS = (
    _Column("CALLS", _of("requests", short)),
    _Column("ERRORS", _of("error_rate", _rate), _red),
    _Column("IN", _of("input_tokens", short)),
    _Column("CACHED", _of("cache_read_tokens", short)),
    _Column("OUT", _of("output_tokens", short)),
    _Column("COST", _of("cost", money)),
    _Column("UNPRICED", _of("unpriced", short), _unpriced),
)
_TIMES = (
    _Column("TTFT 50", _at("ttft_us", "p50", seconds)),
    _Column("95", _at("ttft_us", "p95", seconds)),
    _Column("99", _at("ttft_us", "p99", seconds)),
    _Column("TIME 50", _at("duration_us", "p50", seconds)),
    _Column("95", _at("duration_us", "p95", seconds)),
    _Column("99", _at("duration_us", "p99", seconds)),
    _Column("TOK/S", _at("tokens_per_second", "p50", _speed)),
    _Column("PROMPT", _at("prompt_us", "p50", seconds)),
    _Column("DECODE", _at("decode_us", "p50", seconds)),
)
_SOMETIMES = {"PROMPT", "DECODE", "CACHED"}
NOTE = (
    "TTFT, TIME, PROMPT and DECODE are seconds: percentiles 50, 95 and 99, or the\n"
    "median; PROMPT and DECODE as llama-server measures itself. UNPRICED counts calls\n"
    "whose price is not known."
)


def table(figures: Sequence[Figures], by: str, width: int) -> Iterator[str]:
    """Yield the lines of the report, styled; ``figures`` ends with the total. No line is longer than ``width``."""
    counts, times = (_known(columns, figures) for columns in (_COUNTS, _TIMES))
    keys = [str(one["key"]) for one in figures]
    whole = _width((*counts, *times), figures) + max(map(len, (*keys, by)))
    if whole <= width:
        yield from _lines((*counts, *times), figures, by, width)
    else:
        yield from _lines(counts, figures, by, width)
        yield ""
        yield from _lines(times, figures, by, width)


def _known(columns: Sequence[_Column], figures: Sequence[Figures]) -> list[_Column]:
    return [
        column for column in columns if column.head not in _SOMETIMES or any(column.cell(one) != "–" for one in figures)
    ]


def _widths(columns: Sequence[_Column], figures: Sequence[Figures]) -> list[int]:
    return [max(len(column.head), *(len(column.cell(one)) for one in figures)) for column in columns]


def _width(columns: Sequence[_Column], figures: Sequence[Figures]) -> int:
    return sum(width + 2 for width in _widths(columns, figures))


def _lines(columns: Sequence[_Column], figures: Sequence[Figures], by: str, width: int) -> Iterator[str]:
    widths = _widths(columns, figures)
    room = max(width - _width(columns, figures), _SHORTEST_KEY)
    keys = [_cut(str(one["key"]), room) for one in figures]
    first = max(map(len, (*keys, by)))
    heads = "".join("  " + column.head.rjust(size) for column, size in zip(columns, widths, strict=True))
    yield click.style(by.upper().ljust(first) + heads, bold=True)
    for key, one in zip(keys, figures, strict=True):
        cells = (
            "  " + click.style(column.cell(one).rjust(size), fg=column.style(one))
            for column, size in zip(columns, widths, strict=True)
        )
        yield click.style(key.ljust(first), bold=one is figures[-1]) + "".join(cells)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
