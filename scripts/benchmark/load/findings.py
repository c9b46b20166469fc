"""What a scenario has found, beside the bar that it must keep, as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.benchmark.table import align

_VERDICTS = {True: "reached", False: "MISSED", None: ""}


@dataclass(frozen=True, slots=True)
class Finding:
    """One row; ``reached`` is None for what is only told. ``fault`` is the row of the specification."""

    fault: str
    what: str
    found: str
    bar: str = ""
    reached: bool | None = None


def at_most(fault: str, what: str, found: float, bar: float, unit: str, digits: int = 0) -> Finding:
    """A number that may not be above its bar; it is judged as it is shown."""
    return Finding(fault, what, f"{found:,.{digits}f} {unit}", f"≤ {bar:g} {unit}", round(found, digits) <= bar)


def at_least(fault: str, what: str, found: float, bar: float, unit: str, digits: int = 0) -> Finding:
    """A number that may not be below its bar; it is judged as it is shown."""
    return Finding(fault, what, f"{found:,.{digits}f} {unit}", f"≥ {bar:g} {unit}", round(found, digits) >= bar)


def exactly(fault: str, what: str, found: int, bar: int) -> Finding:
    """A count that must be this one."""
    return Finding(fault, what, f"{found:,}", f"= {bar:,}", found == bar)


def told(fault: str, what: str, found: str) -> Finding:
    """Something to know beside the others."""
    return Finding(fault, what, found)


def render(findings: Sequence[Finding]) -> Iterator[str]:
    """The table, a line for each finding."""
    head = ["", "figure", "found", "bar", "verdict"]
    rows = [[one.fault, one.what, one.found, one.bar, _VERDICTS[one.reached]] for one in findings]
    yield from align([head, *rows], left=2)
