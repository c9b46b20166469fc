"""How a Messages answer ends: why it stopped, what it counted, and what stands beside its content.

Sources: specs translation 4.1 and 4.2. A refusal's text is ``stop_details.explanation``, where Anthropic puts its own.
"""

from providers.wire.endpoints import Dialect
from providers.wire.events import Finish, FinishReason, Opaque, Refusal, Usage
from providers.wire.messages.carried import value_of
from providers.wire.neutral import Json
from providers.wire.values import mapping, string
from providers.wire.writer import Answering

_REASONS: dict[FinishReason, str] = {
    FinishReason.LENGTH: "max_tokens",
    FinishReason.STOP_SEQUENCE: "stop_sequence",
    FinishReason.REFUSAL: "refusal",
}
# Words of Anthropic's that the neutral reasons do not tell apart.
_NATIVE = frozenset(("model_context_window_exceeded", "pause_turn"))
_TOLD_ELSEWHERE = frozenset(("stop_details", "service_tier", "usage"))
_TIERS = {"default": "standard", "standard": "standard", "priority": "priority", "batch": "batch"}


class Ending:
    """Collects what is said once, at the end. ``called`` is set by whoever writes a tool call."""

    def __init__(self, answering: Answering) -> None:
        self._native = answering.provider is Dialect.MESSAGES
        self._usage = Usage()
        self._finish = Finish(FinishReason.STOP, "")
        self._refusal: list[str] = []
        self._beside: Json = {}
        self.called = False

    def usage(self, event: Usage) -> None:
        """Take counts: each overwrites its older self."""
        self._usage = event.over(self._usage)

    def finish(self, event: Finish) -> None:
        """Take the reason; said twice, the last one counts."""
        self._finish = event

    def refusal(self, event: Refusal) -> None:
        """Take a piece of a refusal."""
        self._refusal.append(event.text)

    def beside(self, event: Opaque) -> None:
        """Take what belongs to no part: Anthropic's own fields, and the tier."""
        if self._native or event.type == "service_tier":
            self._beside[event.type] = value_of(event.raw)

    def stop(self) -> Json:
        """``stop_reason``, ``stop_sequence``, and ``stop_details`` where there are any."""
        reason = self._reason()
        met = self._finish.sequence if reason == "stop_sequence" else ""
        stop: Json = {"stop_reason": reason, "stop_sequence": met or None}
        details = self._beside.get("stop_details")
        if details is None and reason == "refusal":
            details = {"type": "refusal", "category": None, "explanation": "".join(self._refusal) or None}
        return stop if details is None else stop | {"stop_details": details}

    def counts(self) -> Json:
        """The counters that are known; the two that every answer has are zero when nobody counted."""
        usage = self._usage
        cached = (usage.cache_read or 0) + (usage.cache_write or 0)
        optional = {
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cache_read,
            "output_tokens_details": None if usage.reasoning is None else {"thinking_tokens": usage.reasoning},
        }
        counts: Json = {"input_tokens": max(0, (usage.input or 0) - cached), "output_tokens": usage.output or 0}
        counts |= {name: count for name, count in optional.items() if count is not None}
        return counts | mapping(self._beside.get("usage"))

    def tier(self) -> str:
        """The tier that served it, in Anthropic's words, "" when it has none for it."""
        return _TIERS.get(string(self._beside.get("service_tier")), "")

    def others(self) -> Json:
        """Anthropic's own fields, as they came."""
        return {name: value for name, value in self._beside.items() if name not in _TOLD_ELSEWHERE}

    def _reason(self) -> str:
        reason, raw = self._finish.reason, self._finish.raw
        if raw in _NATIVE or (self._native and reason is FinishReason.UNKNOWN):
            return raw
        if reason in _REASONS:
            return _REASONS[reason]
        # several servers say "stop" after calls, and "tool_calls" without any: what was written decides
        if self.called:
            return "tool_use"
        return "refusal" if self._refusal else "end_turn"
