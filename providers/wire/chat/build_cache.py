"""Cache marks on their way to a chat provider (specs: translation, section 7).

Strategy: a mark stands on a content part or it stands nowhere. What has no part that can carry it (a tool, a call, an
assistant's text towards OpenAI) hands it on to the next part that can; at the end, what found none is noted.
"""

from typing import Any

from providers.wire.chat.building import Building
from providers.wire.neutral import Cache

ANTHROPIC, OPENAI = "anthropic", "openai"
_IMPLICIT_FROM = 4  # OpenAI writes four prefixes at most, and its implicit mode takes one of them


class Marks:
    """The marks of one request."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._kind = building.target.cache_marks
        self._waiting: Cache | None = None
        self.placed = 0

    @property
    def on_assistants(self) -> bool:
        """Whether an assistant's text may carry a mark."""
        return self._kind == ANTHROPIC

    def put(self, part: dict[str, Any], cache: Cache | None) -> dict[str, Any]:
        """The part with its mark, or with one that waited for it."""
        mark = cache or self._waiting
        if mark is None:
            return part
        if self._kind == ANTHROPIC:
            part["cache_control"] = _anthropic(mark)
        elif self._kind == OPENAI:
            part["prompt_cache_breakpoint"] = self._breakpoint(mark)
        else:
            self._building.drop("cache")
            return part
        self._waiting = None
        self.placed += 1
        return part

    def _breakpoint(self, mark: Cache) -> dict[str, str]:
        """OpenAI's form: 12 hours where an hour was asked for, else its half hour; both are the least it keeps."""
        if mark.ttl:
            self._building.approximate("cache", "ttl")
        return {"mode": "explicit", **({"ttl": "12h"} if mark.ttl == "1h" else {})}

    def hand_on(self, cache: Cache | None) -> None:
        """Keep a mark for the next part that can carry one."""
        if cache is None:
            return
        if self._kind:
            self._building.approximate("cache")
        else:
            self._building.drop("cache")
            return
        self._waiting = cache

    def on_tool(self, tool: dict[str, Any], cache: Cache | None) -> None:
        """Mark a tool: Anthropic's marks may stand there, others wait for what follows."""
        if cache and self._kind == ANTHROPIC:
            tool["cache_control"] = _anthropic(cache)
            self.placed += 1
        else:
            self.hand_on(cache)

    def finish(self, body: dict[str, Any]) -> None:
        """Mark the whole request, and note what found no place."""
        if self._waiting:
            self._building.drop("cache")
        if cache := self._building.request.cache:
            if self._kind == ANTHROPIC:
                body["cache_control"] = _anthropic(cache)
            elif self._kind != OPENAI:  # there, the implicit mode is the default
                self._building.drop("cache")
        elif self._kind == OPENAI and self.placed >= _IMPLICIT_FROM:
            body["prompt_cache_options"] = {"mode": "explicit"}


def _anthropic(cache: Cache) -> dict[str, str]:
    return {"type": "ephemeral", **({"ttl": cache.ttl} if cache.ttl else {})}
