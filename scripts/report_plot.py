"""The report as a picture: calls, tokens, cost and time to first token, side by side for each key."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from scripts.report_figures import Figures

_LEFT, _RIGHT = -0.2, 0.2
_MOST = 40  # keys with a place of their own
_GOOD, _BAD, _IN, _OUT = "#2f7d4f", "#c0392b", "#4a6fa5", "#d08c2f"


def draw(figures: Sequence[Figures], by: str, title: str, path: Path) -> None:
    """Write a PNG; of more than forty keys the last forty. Raises OSError."""
    shown = list(figures)[-_MOST:]
    figure = Figure(figsize=(max(9.0, 4 + 0.45 * len(shown)), 9), layout="constrained")
    calls, tokens, cost, first = figure.subplots(2, 2).flat
    _pair(calls, shown, "Calls", ("ok", "failed"), (_GOOD, _BAD))
    _pair(tokens, shown, "Tokens", ("input_tokens", "output_tokens"), (_IN, _OUT))
    _pair(cost, shown, "Cost in US dollars, where it is known", ("cost",), (_IN,))
    _percentiles(first, shown)
    for axes in (calls, tokens, cost, first):
        names = [str(one["key"]) for one in shown]
        axes.set_xticks(
            range(len(names)), names, rotation=40 if len(names) > 3 else 0, ha="right" if len(names) > 3 else "center"
        )
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}, by {by}")
    figure.savefig(path, dpi=120, format="png")


def _pair(axes: Axes, figures: Sequence[Figures], title: str, names: Sequence[str], colours: Sequence[str]) -> None:
    shifts = (_LEFT, _RIGHT) if len(names) > 1 else (0.0,)
    for name, colour, shift in zip(names, colours, shifts, strict=True):
        heights = [_number(one[name]) for one in figures]
        places = [place + shift for place in range(len(figures))]
        axes.bar(places, heights, 0.4, color=colour, label=name.replace("_", " "))
    axes.set_title(title)
    if all(one[name] is None for one in figures for name in names):
        axes.text(0.5, 0.5, "nothing is known", ha="center", transform=axes.transAxes)
    elif len(names) > 1:
        axes.legend()


def _percentiles(axes: Axes, figures: Sequence[Figures]) -> None:
    for part, colour, shift in (("p50", _IN, _LEFT), ("p95", _OUT, _RIGHT)):
        heights = []
        for one in figures:
            spread = one["ttft_us"]
            assert isinstance(spread, dict)
            heights.append(_number(spread[part]) / 1e6)
        axes.bar([place + shift for place in range(len(figures))], heights, 0.4, color=colour, label=part)
    axes.set_title("Seconds to the first token")
    axes.legend()


def _number(value: object) -> float:
    """Return a height; what is not known has none."""
    return float("nan") if value is None else float(str(value))
