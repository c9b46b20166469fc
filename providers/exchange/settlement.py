"""What an answer tells the accounts when a try and its exchange have ended.

Where an answer broke off before its provider had counted anything, the exchange's account has an estimate, by the rule
of `providers.wire.estimate`, and says so. A try's account has none: what it used is what its price is made of, and
nobody is charged by an estimate.
"""

from collections.abc import Callable

from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.wire.answer import Answer
from providers.wire.estimate import text_tokens
from providers.wire.events import NO_USAGE, Timings, Usage


def settle(account: ExchangeAccount, answer: Answer, prompt: Callable[[], int] | None = None) -> None:
    """Put the answer's numbers into the account, which has its outcome; what the provider did not say stays None.

    ``prompt`` estimates the tokens of the prompt, where somebody can: it is asked where the answer is estimated, too.
    """
    usage, timings = answer.usage, answer.timings
    _tell(account, used_of(answer))
    if timings is not None:
        account.prompt_us, account.decode_us = timings.prompt_us, timings.decode_us
    account.finish_reason = answer.finish.value if answer.finish else None
    if _is_counted(usage):
        account.usage_source = "upstream"
    elif timings is not None:
        account.usage_source = "timings"
    elif account.outcome is not Outcome.OK and (words := _estimated(answer)):
        account.output_tokens, account.usage_source = words, "estimated"
        account.input_tokens = prompt() if prompt is not None else None


def settle_try(account: AttemptAccount, used: Usage) -> None:
    """Put what a try used into its account."""
    account.used = used
    _tell(account, used)


def used_of(answer: Answer) -> Usage:
    """What an answer used: llama-server measures each call, also where the client asked for no usage."""
    usage, timings = answer.usage, answer.timings
    return usage if timings is None or _is_counted(usage) else measured(timings).over(usage)


def measured(timings: Timings) -> Usage:
    """What llama-server's measure counts: the prompt tokens that it worked on are those that its cache had not."""
    cached, worked_on = timings.cached, timings.prompt
    return Usage(None if worked_on is None else worked_on + (cached or 0), timings.decoded, cached)


def added(one: Usage, other: Usage) -> Usage:
    """Add up what was used; what neither knows stays unknown."""
    return Usage(
        _sum(one.input, other.input),
        _sum(one.output, other.output),
        _sum(one.cache_read, other.cache_read),
        _sum(one.cache_write, other.cache_write),
        _sum(one.reasoning, other.reasoning),
        _sum(one.cache_write_1h, other.cache_write_1h),
        _sum(one.searches, other.searches),
        _sum(one.cost, other.cost),
        other.terms or one.terms,
    )


def since(total: Usage, before: Usage) -> Usage:
    """What was used of ``total`` after ``before`` of it; nothing where nothing was told since then."""
    if before is NO_USAGE:  # nearly always
        return total
    if total == before:
        return NO_USAGE
    return Usage(
        _rest(total.input, before.input),
        _rest(total.output, before.output),
        _rest(total.cache_read, before.cache_read),
        _rest(total.cache_write, before.cache_write),
        _rest(total.reasoning, before.reasoning),
        _rest(total.cache_write_1h, before.cache_write_1h),
        _rest(total.searches, before.searches),
        _rest(total.cost, before.cost),
        total.terms,
    )


def _tell(account: AttemptAccount | ExchangeAccount, used: Usage) -> None:
    account.input_tokens, account.output_tokens = used.input, used.output
    account.cache_read_tokens, account.cache_write_tokens = used.cache_read, used.cache_write
    account.reasoning_tokens = used.reasoning


def _estimated(answer: Answer) -> int:
    """Estimate how many tokens have come: text, thoughts, refusals and arguments of tools."""
    return text_tokens("".join(piece for _, pieces in answer.growth() for piece in pieces))


def _is_counted(usage: Usage) -> bool:
    return usage.input is not None or usage.output is not None


def _sum[Number: (int, float)](one: Number | None, other: Number | None) -> Number | None:
    return other if one is None else one + (other or 0)


def _rest[Number: (int, float)](total: Number | None, before: Number | None) -> Number | None:
    return total if total is None or before is None else max(total - before, 0)
