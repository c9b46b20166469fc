"""Statistics: quantiles within a sample, medians over rounds, and each way beside another one round by round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


def quantile(values: Sequence[float], at: float) -> float:
    """The value below which a share ``at`` (0 to 1) of the values lies, interpolated; there must be values."""
    ordered = sorted(values)
    place = at * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True)
class Spread:
    """A median with the least and the greatest of the rounds."""

    middle: float
    least: float
    greatest: float


def spread(values: Sequence[float]) -> Spread | None:
    """Summarise; None for no values."""
    return Spread(median(values), min(values), max(values)) if values else None


Rounds = Mapping[int, float]  # round → value


def ratios(way: Rounds, base: Rounds) -> list[float]:
    """Each round's value over the base's of the same round."""
    return [way[turn] / base[turn] for turn in sorted(way) if base.get(turn)]


def differences(way: Rounds, base: Rounds) -> list[float]:
    """Each round's value less the base's of the same round."""
    return [way[turn] - base[turn] for turn in sorted(way) if turn in base]
