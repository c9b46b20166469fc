"""The record of a call as it begins, and the whole of it where we answer ourselves."""

import json
import random
import time

from providers.calls import ClientRequest, Refused
from providers.exchange.account import EndedBy, ExchangeAccount, Outcome
from providers.planning import Planned

GATEWAY = "patchbay"  # who "answered" a call that was refused before it had a provider

_random = random.Random()


def new_id() -> str:
    """Make an id that sorts by time; it is no secret."""
    return f"pb-{time.time_ns() // 1_000_000:012x}{_random.getrandbits(40):010x}"


def account_of(call: ClientRequest, planned: Planned, call_id: str) -> ExchangeAccount:
    """Open the record of a call that goes on."""
    endpoint, target = call.endpoint, planned.plan.first
    return ExchangeAccount(
        id=call_id,
        started_at=time.time(),
        provider=target.provider,
        kind=target.kind,
        dialect=endpoint.dialect,
        operation=endpoint.operation,
        requested_model=planned.model,
        model=target.model,
        stream=planned.stream,
        client=call.header("user-agent")[:200],
        session_id=call.header("x-claude-code-session-id") or None,
        bytes_in=len(call.body),
        translation=target.translation.notes.header() if target.translation else None,
    )


def refused_account(call: ClientRequest, refused: Refused) -> ExchangeAccount:
    """Make the record of a call that we refused ourselves: complete as it is."""
    endpoint = call.endpoint
    return ExchangeAccount(
        id=new_id(),
        started_at=time.time(),
        provider=refused.provider or GATEWAY,
        kind=refused.kind or GATEWAY,
        dialect=endpoint.dialect,
        operation=endpoint.operation,
        requested_model=refused.model,
        model=refused.model,
        stream=False,
        client=call.header("user-agent")[:200],
        bytes_in=len(call.body),
        status=refused.status,
        outcome=Outcome.CLIENT_ERROR,
        who_ended=EndedBy.GATEWAY,
        error=refused.message,
        duration_us=0,
    )


def settle_estimate(account: ExchangeAccount, answer: bytes) -> None:
    """Complete the record of a prompt that was counted here, the provider having no way to."""
    account.status, account.outcome, account.who_ended = 200, Outcome.OK, EndedBy.GATEWAY
    account.translation = "approximated=input_tokens"
    account.input_tokens, account.usage_source = json.loads(answer)["input_tokens"], "estimated"
    account.bytes_out, account.duration_us = len(answer), 0
