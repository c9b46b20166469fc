"""The rescue of a stream that broke off: another target goes on with the answer, in the same client stream.

Strategy: where a route allows it, an answer is written anew from its beginning (`providers.exchange.passage`), so that
the client has whole events of ours and nothing else. When the answer breaks off and its text can be continued, the next
target that takes a beginning of its answer is sent the call with the text so far; its events go to the same writer as
more of the same answer (`providers.exchange.seam`). So ids, numbers and the one end are the writer's, as ever.

Who takes over until that target says something is not the usual course: its requests know nothing of what has gone out.
Two rescues are tried for a call; after that the client is told how the answer broke off.
"""

from dataclasses import dataclass, replace

from providers.errors import stream_error
from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Command, End
from providers.exchange.ending import Phase
from providers.exchange.faults import FAULTS, as_told
from providers.exchange.listening import Listening
from providers.exchange.passage import Call, Rewriting, Told
from providers.exchange.plan import Target
from providers.exchange.seam import Joined, Onward, Unbroken, Words, said, thought
from providers.exchange.settlement import added, settle_try, since
from providers.exchange.trying import Trying
from providers.wire.answer import Answer
from providers.wire.estimate import estimate_tokens, text_tokens
from providers.wire.events import NO_USAGE, Usage

_MOST = 2  # rescues of one call: who lost two providers in a row would lose the next one, too
_BREAKS = frozenset(
    (
        Outcome.UPSTREAM_TRUNCATED,
        Outcome.UPSTREAM_RESET,
        Outcome.UPSTREAM_TIMEOUT_IDLE,
        Outcome.UPSTREAM_PROTOCOL_ERROR,
    )
)


@dataclass(frozen=True, slots=True)
class Begun:
    """What the client has got of an answer when it broke off.

    ``text`` is what the next provider is told of it, ``tokens`` how many its words are, by our estimate; ``told`` what
    the client hears if nobody goes on with it. The spans are those of the first try, in µs.
    """

    provider: str
    passage: Rewriting
    answer: Answer
    text: str
    onward: Onward
    tokens: int
    told: Told
    connect_us: int | None
    ttfb_us: int | None
    ttft_us: int | None


class GoingOn(Rewriting):
    """The answer goes on with another one, in that one's words and by its writer."""

    def __init__(self, call: Call, target: Target, begun: Begun) -> None:
        assert target.translation is not None  # whoever made the target has seen to that
        super().__init__(call, target, target.translation)
        self._kin = self.speaks is begun.passage.speaks
        self._onward = begun.onward
        self.speaks, self.writer = begun.passage.speaks, begun.passage.writer

    def begin(self, heard: Listening, *, is_events: bool) -> None:
        """The head of a good answer has come."""
        translation = self.translation
        words = Words(self._kin, translation.answering.tool_names, translation.notes)
        joined = Joined(translation.reader(is_events), self._onward, words)
        self.unbroken = Unbroken(joined, self._onward.highest)
        heard.write_with(self.writer.write)
        heard.start(self.unbroken, is_events=is_events)


class Rescuing(Trying):
    """An exchange whose answer may be gone on with by another target."""

    _begun: Begun | None = None
    _rescues = 0

    def _fail(self, outcome: Outcome, now: int, detail: str = "", by: EndedBy = EndedBy.UPSTREAM) -> list[Command]:
        if by is EndedBy.UPSTREAM and outcome in _BREAKS:
            if rescued := self._rescued(self._told(outcome, detail), now):
                return rescued
        return super()._fail(outcome, now, detail, by)

    def _end_failed(self, now: int, *, told: bool) -> list[Command]:
        failure = self.answer.failure
        assert failure is not None
        if rescued := self._rescued(self.attempt.passage.failure(failure), now):
            return rescued
        return super()._end_failed(now, told=told)

    def _lose(self, told: Told, now: int, by: EndedBy = EndedBy.UPSTREAM) -> list[Command]:
        begun = self._begun
        if begun is None or by is not EndedBy.UPSTREAM:
            return super()._lose(told, now, by)
        # Nothing has come of whoever was to go on: a further one may be asked, but only with the text so far.
        if told.outcome is not Outcome.SHED:
            self._count_cut(told, now)
        if told.outcome is not Outcome.UPSTREAM_TIMEOUT_TOTAL and (onward := self._onward(begun, told, now)):
            return onward
        record = f"{begun.told.record}; {self.attempt.target.provider} did not go on with it: {told.record}"
        last = told if told.outcome is Outcome.UPSTREAM_TIMEOUT_TOTAL else begun.told
        event = stream_error(self._call.dialect, last.status, last.message, code=last.code, request_id=self._call.id)
        self._over(last.outcome, by, now, record)
        return [*self._go_on(event), End()]

    def _over(self, outcome: Outcome, by: EndedBy, now: int, error: str | None) -> None:
        begun = self._begun
        if begun is not None and outcome is Outcome.OK:
            error = (
                f"rescued: {self.attempt.target.provider} went on with {begun.provider}'s answer: {begun.told.record}"
            )
        super()._over(outcome, by, now, error)
        if begun is not None:
            self.account.rescued = outcome is Outcome.OK
            self.account.connect_us, self.account.ttfb_us = begun.connect_us, begun.ttfb_us
            self.account.usage_source = "estimated"  # what the broken one used, it did not live to tell

    def _aim(self, target: Target, now: int) -> None:
        super()._aim(target, now)
        begun = self._begun
        if begun is not None:
            self.attempt.passage = GoingOn(self._call, target, begun)
            self.attempt.heard.answer, self.attempt.before = begun.answer, begun.onward.used
            self.account.ttft_us = begun.ttft_us

    def _shed(self, now: int) -> list[Command]:
        return super()._shed(now) if self._begun is None else self._lose(self._told(Outcome.SHED), now)

    def _told(self, outcome: Outcome, detail: str = "") -> Told:
        return as_told(FAULTS[outcome], outcome, self._call, self.attempt.target.provider, detail)

    def _rescued(self, told: Told, now: int) -> list[Command]:
        """Have somebody go on with a committed answer that broke off; nothing if that cannot be."""
        passage, answer = self.attempt.passage, self.answer
        if self.phase is not Phase.STREAMING or not isinstance(passage, Rewriting) or passage.unbroken is None:
            return []
        text = said(answer)
        if not text or self._rescues == _MOST:
            return []
        self._count_cut(told, now)
        broken, before = self.attempt, self._begun
        begun = self._what_has_begun(passage, passage.unbroken, text, told)
        onward = self._onward(begun, told, now)
        if onward:  # what the broken one used is estimated then, so that both make up what the client is told
            settle_try(broken.account, since(begun.onward.used, before.onward.used if before else NO_USAGE))
        return onward

    def _onward(self, begun: Begun, told: Told, now: int) -> list[Command]:
        """Ask the next target that can go on with it; nothing if there is none."""
        if self._rescues == _MOST:
            return []
        following = self._course.go_on(self._lost(told.outcome, told.said, now), begun.text, now)
        if following is None:
            return []
        self._rescues += 1
        self._begun = begun
        begun.answer.failure = None
        begun.answer.add(begun.onward.used)
        return self._turn(following, now)

    def _count_cut(self, told: Told, now: int) -> None:
        self._course.cut(self._lost(told.outcome, told.said, now), now)
        self.attempt.close(told.outcome, now, told.record)

    def _what_has_begun(self, passage: Rewriting, unbroken: Unbroken, text: str, told: Told) -> Begun:
        account, answer, before = self.account, self.answer, self._begun
        tokens = text_tokens(text) + text_tokens(thought(answer))
        used = _used(answer.usage, before, estimate_tokens(passage.translation.request), tokens)
        kept = text.rstrip()  # Anthropic refuses white space at the end, and models go on better without it
        return Begun(
            self.attempt.target.provider,
            passage,
            answer,
            kept,
            Onward(unbroken.highest, unbroken.open_text, text[len(kept) :], used),
            tokens,
            told,
            before.connect_us if before else account.connect_us,
            before.ttfb_us if before else account.ttfb_us,
            account.ttft_us,
        )


def _used(told: Usage, before: Begun | None, prompt: int, words: int) -> Usage:
    """What has been used so far, this try included: what it told, and our estimate where it did not come to that."""
    counted = before.onward.used if before else NO_USAGE
    own_input = (told.input or 0) - (counted.input or 0) or prompt
    own_output = max((told.output or 0) - (counted.output or 0), words - (before.tokens if before else 0))
    own = added(counted, Usage(own_input, own_output))
    return replace(told, input=own.input, output=own.output)
