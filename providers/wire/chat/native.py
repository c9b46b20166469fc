"""llama-server's own completion format, which its bare ``/completions`` speaks beside OpenAI's under ``/v1``."""

from providers.wire.chat.choice import Choice
from providers.wire.events import Begin, Event, Timings, Usage
from providers.wire.timings import timings_of
from providers.wire.values import count, mapping, string, whole

# Why it stopped, in OpenAI's words.
_REASONS = {"eos": "stop", "word": "stop", "limit": "length"}


class NativeCompletion:
    """One such answer: a flat object per chunk, or one in all."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._begun = False

    @staticmethod
    def is_one(chunk: dict[str, object]) -> bool:
        """Whether this is such a chunk."""
        return "choices" not in chunk and isinstance(chunk.get("content"), str)

    def take(self, chunk: dict[str, object], out: list[Event]) -> None:
        """Take a chunk or the whole."""
        if not self._begun:
            self._begun = True
            out.append(Begin("", whole(string(chunk.get("model")))))
        self._choice.text(string(chunk.get("content")), out)
        if chunk.get("stop") is not True:
            return
        timings = timings_of(mapping(chunk.get("timings")))
        usage = Usage(
            input=count(chunk.get("tokens_evaluated")),
            output=count(chunk.get("tokens_predicted")),
            cache_read=timings.cached,  # tokens_cached is how full the cache is now, not what was read from it
        )
        out.append(usage)
        if timings != Timings():
            out.append(timings)
        kind = string(chunk.get("stop_type"))
        self._choice.finish(_REASONS.get(kind, kind), string(chunk.get("stopping_word")), out)
