"""The table as text: a row for each value, a column for each way, then what was reached and what is doubtful."""

from collections.abc import Iterator, Sequence

from scripts.benchmark.figures import Sizes
from scripts.benchmark.rounds import Results
from scripts.benchmark.rows import GOALS, ROWS, Beside, Goal, Row
from scripts.benchmark.summary import Spread, differences, ratios, spread
from scripts.benchmark.ways import BARE, DIRECT

_NOTHING = "–"
_SATURATED = ("requests", "chunks")
_HEADROOM = 3  # how far direct must be above the fastest way
_BUSY = 0.85  # a saturated proxy that used less of its core was kept from it
_BESIDE = {Beside.RATIO: ratios, Beside.DIFFERENCE: differences}


def render(results: Results, ways: Sequence[str], sizes: Sizes) -> list[str]:
    """The whole text, without the head that tells of the machine."""
    compared = [way for way in ways if way not in (DIRECT, BARE)] if BARE in ways else []
    header = ["", *ways, *(f"{way} : {BARE}" for way in compared)]
    rows = [[_title(row), *_cells(results, row, ways, compared)] for row in ROWS if _measured(results, row, ways)]
    errors = ["errors", *(str(sum(results.errors(way).values())) for way in ways), *("" for _ in compared)]
    judged = [goal for goal in GOALS if sizes.whole_burst or not goal.value.startswith("burst")]
    reached = [line for goal in judged if (line := _verdict(results, goal))]
    if len(judged) < len(GOALS):
        reached.append("The goals of the streams at once are meant for longer streams than these and are not judged.")
    sections = (_explain(sizes), align([header, *rows, errors]), reached, list(_cautions(results, ways)))
    return [line for section in sections if section for line in (*section, "")]


def _explain(sizes: Sizes) -> list[str]:
    paced, burst = sizes.paced_events / sizes.paced_rate, sizes.burst_events / sizes.burst_rate
    return [
        f"Medians of {sizes.rounds} rounds (streams at once: of {sizes.burst_rounds}); ratios and differences to "
        f"{BARE} are taken round by round, [least, greatest].",
        f"{sizes.connections} connections · {sizes.floods} saturated streams × {sizes.flood_events:,} events · "
        f"{sizes.paced_streams} × {sizes.paced_rate}/s for {paced:g} s · "
        f"{sizes.burst_streams:,} at once × {sizes.burst_rate}/s for {burst:g} s",
    ]


def _measured(results: Results, row: Row, ways: Sequence[str]) -> bool:
    return any(results.of(row.value, way) for way in ways)


def _title(row: Row) -> str:
    return f"{row.title}, {row.unit}"


def _cells(results: Results, row: Row, ways: Sequence[str], compared: Sequence[str]) -> Iterator[str]:
    for way in ways:
        yield _number(_shown(results, row, way), row.digits)
    for way in compared:
        yield _comparison(row, beside(results, row, way, BARE))


def _shown(results: Results, row: Row, way: str) -> Spread | None:
    """What a way's cell tells: for an added value, direct's own is the whole time."""
    own = results.of(row.value, way)
    direct = results.of(row.value, DIRECT)
    return spread(differences(own, direct)) if row.added and way != DIRECT and direct else spread(list(own.values()))


def beside(results: Results, row: Row, way: str, base: str) -> Spread | None:
    """A row's value of one way beside another's."""
    if row.beside is Beside.NOT:
        return None
    return spread(_BESIDE[row.beside](results.of(row.value, way), results.of(row.value, base)))


def _number(shown: Spread | None, digits: int) -> str:
    return _NOTHING if shown is None else f"{shown.middle:,.{digits}f}"


def _comparison(row: Row, shown: Spread | None) -> str:
    if shown is None:
        return ""
    form = "+.2f" if row.beside is Beside.DIFFERENCE else ".2f"
    return f"{shown.middle:{form}} [{shown.least:{form}}, {shown.greatest:{form}}]"


def _verdict(results: Results, goal: Goal) -> str:
    own = results.of(goal.value, goal.way)
    if goal.base is None:
        found = spread(list(own.values()))
    else:
        found = spread(_BESIDE[goal.beside](own, results.of(goal.base_value or goal.value, goal.base)))
    if found is None:
        return ""
    good = found.middle >= goal.bound if goal.at_least else found.middle <= goal.bound
    return f"{'reached' if good else 'MISSED '}  {goal.way:<6} {goal.words}: {found.middle:,.2f}"


def _cautions(results: Results, ways: Sequence[str]) -> Iterator[str]:
    """What makes a number doubtful."""
    for way in ways:
        for error, count in results.errors(way).items():
            yield f"error  {way}: {count} × {error}"
    for value in _SATURATED:
        yield from _too_close(results, value, ways)
        for way in ways:
            shares = spread(results.busy(value, way))
            if shares is not None and shares.least < _BUSY:
                yield (
                    f"doubt  {way}, {value}: the proxy had only {shares.least:.0%} of its core in one round; something "
                    "else ran on it, or upstream and generator were the limit"
                )


def _too_close(results: Results, value: str, ways: Sequence[str]) -> Iterator[str]:
    direct = spread(list(results.of(value, DIRECT).values()))
    for way in ways:
        own = spread(list(results.of(value, way).values()))
        if way != DIRECT and direct and own and own.middle * _HEADROOM > direct.middle:
            yield f"doubt  {way}, {value}: direct is only {direct.middle / own.middle:.1f} times as fast"


def align(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Make columns of rows that are equally long: the first ``left`` of them begin together, the others end so."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
