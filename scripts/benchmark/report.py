"""The run as JSON: every sample, so that two runs can be compared later."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from scripts.benchmark.figures import Sizes
from scripts.benchmark.rounds import Results


def as_json(results: Results, ways: Sequence[str], sizes: Sizes, facts: Mapping[str, str]) -> Mapping[str, object]:
    """Plain JSON values; a sample's values have the units of the table's rows."""
    return {
        "machine": dict(facts),
        "sizes": asdict(sizes),
        "ways": list(ways),
        "samples": [
            {
                "figure": taken.figure,
                "way": taken.way,
                "round": taken.turn,
                "values": dict(taken.sample.values),
                "errors": dict(taken.sample.errors),
                "busy": taken.sample.busy,
            }
            for taken in results.taken
        ],
    }
