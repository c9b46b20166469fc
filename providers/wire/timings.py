"""llama-server's own measure of its work, which stands beside what it answers in the dialects' own words.

Observed (xllamacpp 2026.10, 2026-11-20): on a chat stream's last chunk and on ``/completion``'s, on plain answers of
both, and beside the response in the last event of a responses stream. Its messages answers carry none, nor do its plain
responses.
"""

from providers.wire.events import Event, Timings
from providers.wire.values import count, mapping


def tell_timings(answer: dict[str, object], out: list[Event]) -> None:
    """Tell of the measure that stands on an answer or on a piece of one, if there is any."""
    if "timings" in answer and (timings := timings_of(mapping(answer["timings"]))) != Timings():
        out.append(timings)


def timings_of(timings: dict[str, object]) -> Timings:
    """llama-server's ``timings``: milliseconds as floats, tokens."""
    return Timings(
        prompt_us=_us(timings.get("prompt_ms")),
        decode_us=_us(timings.get("predicted_ms")),
        prompt=count(timings.get("prompt_n")),
        decoded=count(timings.get("predicted_n")),
        cached=count(timings.get("cache_n")),
    )


def _us(milliseconds: object) -> int | None:
    if not isinstance(milliseconds, int | float) or not 0 <= milliseconds < 1e12:
        return None
    return round(milliseconds * 1000)
