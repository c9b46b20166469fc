"""What an answer tells the account when an exchange has ended."""

from providers.exchange.account import ExchangeAccount
from providers.wire.answer import Answer


def settle(account: ExchangeAccount, answer: Answer) -> None:
    """Put the answer's numbers into the account; what the provider did not say stays None."""
    usage, timings = answer.usage, answer.timings
    account.input_tokens, account.output_tokens = usage.input, usage.output
    account.cache_read_tokens, account.cache_write_tokens = usage.cache_read, usage.cache_write
    account.reasoning_tokens = usage.reasoning
    if timings is not None:
        account.prompt_us, account.decode_us = timings.prompt_us, timings.decode_us
    account.finish_reason = answer.finish.value if answer.finish else None
    if usage.input is not None or usage.output is not None:
        account.usage_source = "upstream"
    elif timings is not None:  # llama-server measures each call, also where the client asked for no usage
        account.usage_source = "timings"
        account.input_tokens, account.output_tokens = timings.prompt, timings.decoded
        account.cache_read_tokens = timings.cached
