"""One choice of a chat answer as a state machine: deltas in, events out. A whole message is one large delta.

Strategy: chat has no parts, so they are made here: text, reasoning and refusal each grow one part until something else
comes between, tool calls have one each. In one delta reasoning comes first and tool calls last, as the model made them.
"""

from providers.wire.chat.reasoning import FIELDS, ReasoningReader
from providers.wire.chat.tool_calls import ToolCalls
from providers.wire.events import Event, Finish, FinishReason, Media, Opaque, Refusal, Text
from providers.wire.media import answered_url
from providers.wire.values import mapping, raw_json, sequence, string

_REASONS = {
    "": FinishReason.STOP,  # an end without a reason
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "complete": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,  # Z.ai, and Anthropic behind a gateway
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_call": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.REFUSAL,
    "refusal": FinishReason.REFUSAL,
    "safety": FinishReason.REFUSAL,
    "sensitive": FinishReason.REFUSAL,  # Z.ai
    "pause_turn": FinishReason.PAUSE,
}
_KNOWN = {*FIELDS, "role", "content", "refusal", "annotations", "images", "audio", "function_call", "tool_calls"} | {
    "token_id"  # Together's number of the very token
}
# What was told decides, whatever the provider calls it.
_SAID_LOOSELY = frozenset((FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.UNKNOWN))


class Choice:
    """What one choice has said so far."""

    def __init__(self) -> None:
        self._parts = 0
        self._growing = ""  # the kind of the part that grows
        self._part = 0
        self._reasoning = ReasoningReader(self._grow, self._open)
        self._tools = ToolCalls(lambda: self._open("tool"))
        self._refused = False
        self._ahead: list[str] = []  # annotations that came before the text that they stand on
        self._audio_id = ""
        self._audio_size = 0
        self._told: dict[str, object] = {}  # fields of a provider's own, which some repeat in every delta
        self.finished: Finish | None = None

    def text(self, text: str, out: list[Event]) -> None:
        """Take a piece of text."""
        if text:
            if self._growing != "text":
                self._begin_text(out)
            out.append(Text(text, self._part))

    def delta(self, delta: dict[str, object], out: list[Event]) -> None:
        """Take a delta, or a whole message."""
        content = delta.get("content")
        if len(delta) == 1 and type(content) is str:  # nearly every chunk
            self.text(content, out)
            return
        if not delta.keys().isdisjoint(FIELDS):
            self._reasoning.read(delta, out)
        if isinstance(content, str):
            self.text(content, out)
        elif content:
            self._content_list(content, out)
        self._refusal(string(delta.get("refusal")), out)
        for key in ("annotations", "images"):
            for entry in sequence(delta.get(key)):
                self._beside(key, entry, out)
        self._audio(mapping(delta.get("audio")), out)
        if delta.get("function_call"):
            self._tools.read_legacy(delta["function_call"], out)
        self._tools.read(delta.get("tool_calls"), out)
        for key in delta:
            if delta[key] and key not in _KNOWN and self._told.get(key) != delta[key]:
                self._told[key] = delta[key]
                out.append(Opaque(raw_json({key: delta[key]}), key))

    def finish(self, raw: str, sequence_met: str, out: list[Event]) -> None:
        """The model stopped, in the provider's word ("" if it gave none). Said twice, it counts once."""
        self.end(out)
        word = raw.lower().partition(":")[0]  # Gemini's endpoint says "content_filter: RECITATION"
        reason = _REASONS.get(word, FinishReason.UNKNOWN)
        if reason in _SAID_LOOSELY:
            reason = self._stopped(reason, sequence_met)
        finish = Finish(reason, raw, sequence_met if reason is FinishReason.STOP_SEQUENCE else "")
        if finish != self.finished:
            self.finished = finish
            out.append(finish)

    def end(self, out: list[Event]) -> None:
        """Nothing more comes: give what was held back."""
        self._tools.finish(out)
        ahead, self._ahead = self._ahead, []
        out += [Opaque(raw, "annotation") for raw in ahead]
        if self._audio_size:
            size, self._audio_size = self._audio_size, 0
            out.append(Media("audio", "", size, self._open("audio"), self._audio_id))

    def _stopped(self, reason: FinishReason, sequence_met: str) -> FinishReason:
        """What "stop" means: several servers say it after tool calls, and OpenAI after a refusal."""
        if self._tools:
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.UNKNOWN:
            return reason
        if self._refused:
            return FinishReason.REFUSAL
        return FinishReason.STOP_SEQUENCE if sequence_met else FinishReason.STOP

    def _begin_text(self, out: list[Event]) -> None:
        part = self._open("text")
        ahead, self._ahead = self._ahead, []
        out += [Opaque(raw, "annotation", part) for raw in ahead]

    def _grow(self, kind: str) -> int:
        return self._part if self._growing == kind else self._open(kind)

    def _open(self, kind: str) -> int:
        self._growing = kind
        self._part = self._parts
        self._parts += 1
        return self._part

    def _refusal(self, text: str, out: list[Event]) -> None:
        if text:
            self._refused = True
            out.append(Refusal(text, self._grow("refusal")))

    def _content_list(self, content: object, out: list[Event]) -> None:
        """Content as a list of typed parts: Mistral's answers with reasoning, and the odd compatible server."""
        for entry in sequence(content) or [content]:
            part = mapping(entry)
            match part.get("type"):
                case "text":
                    self.text(string(part.get("text")), out)
                case "refusal":
                    self._refusal(string(part.get("refusal")), out)
                case "thinking":
                    self._thinking(part, out)
                case "image_url":
                    self._image(part, out)
                case _ if isinstance(entry, str):
                    self.text(entry, out)
                case kind:
                    out.append(Opaque(raw_json(entry), string(kind), self._open("opaque")))

    def _thinking(self, part: dict[str, object], out: list[Event]) -> None:
        thinking = part.get("thinking")
        pieces = [thinking] if isinstance(thinking, str) else [mapping(p).get("text") for p in sequence(thinking)]
        plain = "".join(string(piece) for piece in pieces)
        self._reasoning.read({"reasoning": plain}, out)
        for piece in sequence(thinking):
            if mapping(piece).get("type") != "text":  # what it refers to
                out.append(Opaque(raw_json(piece), "thinking"))
        if part.get("signature"):
            entry = {"type": "thinking", "thinking": plain, "signature": part["signature"]}
            self._reasoning.read({"thinking_blocks": [entry]}, out)

    def _image(self, part: dict[str, object], out: list[Event]) -> None:
        address = part.get("image_url")
        if url := string(address) or string(mapping(address).get("url")):
            out.append(answered_url("image", url, self._open("image")))
        else:
            out.append(Opaque(raw_json(part), "image", self._open("opaque")))

    def _beside(self, key: str, entry: object, out: list[Event]) -> None:
        if key == "images":  # OpenRouter: pictures beside the content
            self._image(mapping(entry) or {"image_url": entry}, out)
        elif self._growing == "text":
            out.append(Opaque(raw_json(entry), "annotation", self._part))
        else:  # OpenRouter tells what it found in the web before the model begins
            self._ahead.append(raw_json(entry))

    def _audio(self, audio: dict[str, object], out: list[Event]) -> None:
        """Sound comes in base64 pieces beside its transcript; its id is what the client sends back."""
        self._audio_id = self._audio_id or string(audio.get("id"))
        self._audio_size += len(string(audio.get("data"))) * 3 // 4
        self.text(string(audio.get("transcript")), out)
