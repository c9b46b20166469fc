"""What stands around the choices of a chat answer: id, model, usage, timings, and what a provider adds of its own.

A chunk and a whole answer have the same envelope; a completions answer differs in the choice alone.
"""

from providers.wire.chat.choice import Choice
from providers.wire.chat.usage import usage_of
from providers.wire.events import Begin, Event, Failure, Opaque, Usage
from providers.wire.timings import tell_timings
from providers.wire.values import count, mapping, raw_json, sequence, string, whole

# Read here, or says nothing about the answer (padding, times).
_KNOWN = {"id", "object", "created", "model", "choices", "usage", "x_groq", "timings", "error"} | {
    "obfuscation",
    "p",  # padding, as Mistral's front calls it
    "system_fingerprint",
}
_KNOWN_IN_CHOICE = {
    "index",
    "delta",
    "message",
    "text",
    "finish_reason",
    "stop_reason",
    "matched_stop",
    "usage",
    "error",
}
# Words for an end that is none: OpenRouter, Z.ai, DeepSeek, vLLM.
_BROKEN = frozenset(("error", "network_error", "insufficient_system_resource", "abort"))


class Envelope:
    """One chat or completions answer: chunks, or the whole, in; events out. Choice 0 is read, others stay opaque."""

    def __init__(self) -> None:
        self.choice = Choice()
        self.failed = False
        self._begun = False
        self._streams = False  # deltas come: a message beside them repeats them (Perplexity and others, at the end)
        self._usage = Usage()
        self._tier: object = None
        self._told: dict[str, object] = {}  # what providers repeat in every chunk is given once

    def take(self, chunk: dict[str, object], out: list[Event]) -> None:
        """Take a chunk or a whole answer that is no error."""
        choices = sequence(chunk.get("choices"))
        if not self._begun and (choices or chunk.get("id")):
            self._begun = True
            out.append(Begin(whole(string(chunk.get("id"))), whole(string(chunk.get("model")))))
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                self._take_choice(choice, out)
            else:
                out.append(Opaque(raw_json(choice), "choice"))
        self._counts(chunk, out)
        for key in chunk:
            if key not in _KNOWN:
                self._tell_once(key, chunk[key], out)

    def end(self, out: list[Event]) -> None:
        """The end was announced: an answer without a finish reason gets the one that its parts show.

        Several servers tell more after their finish reason, which may change what it meant.
        """
        finished = self.choice.finished
        self.choice.finish(finished.raw if finished else "", finished.sequence if finished else "", out)

    def _take_choice(self, choice: dict[str, object], out: list[Event]) -> None:
        said = choice.get("delta")
        if said:
            self._streams = True
        elif not self._streams:
            said = choice.get("message")
        if said and isinstance(said, dict):
            self.choice.delta(said, out)
        elif text := choice.get("text"):  # of a completion; Together sends it beside the delta, too
            self.choice.text(string(text), out)
        for key in choice:
            if key not in _KNOWN_IN_CHOICE:
                self._tell_once(key, choice[key], out)
        error, finish = choice.get("error"), string(choice.get("finish_reason"))
        if error or finish.lower() in _BROKEN:  # the provider failed in the middle, or the one behind it
            self._fail(mapping(error), finish, choice, out)
        elif finish:
            met = choice.get("stop_reason") or choice.get("matched_stop")
            self.choice.finish(finish, string(met), out)

    def _fail(self, error: dict[str, object], finish: str, choice: dict[str, object], out: list[Event]) -> None:
        self.failed = True
        why = "" if finish.lower() in ("", "error") else f": {whole(finish)}"
        code = count(error.get("code"))
        out.append(
            Failure(
                message=whole(string(error.get("message"))) or f"the provider ended the answer with an error{why}",
                type=whole(string(error.get("type"))),
                code=whole(string(error.get("code"))) if code is None else str(code),
                raw=raw_json(choice),
            )
        )

    def _counts(self, chunk: dict[str, object], out: list[Event]) -> None:
        """Usage stands on an extra chunk, on the finish chunk, in ``x_groq``, or in the choice (Moonshot)."""
        usage = mapping(chunk.get("usage")) or (
            mapping(mapping(chunk["x_groq"]).get("usage")) if "x_groq" in chunk else {}
        )
        if not usage and (choices := sequence(chunk.get("choices"))):
            usage = mapping(mapping(choices[0]).get("usage"))
        self._tier = chunk.get("service_tier") or self._tier
        if usage:
            counted = usage_of(usage, self._tier)
            if counted != self._usage:
                self._usage = counted
                out.append(counted)
            self._tell_once("cost", usage.get("cost"), out)  # OpenRouter's own price of the call
        tell_timings(chunk, out)

    def _tell_once(self, key: str, value: object, out: list[Event]) -> None:
        if value and self._told.get(key) != value:
            self._told[key] = value
            out.append(Opaque(raw_json(value), key))
