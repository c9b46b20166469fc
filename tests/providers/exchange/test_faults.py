"""Every way in which a call can fail has its words."""

import pytest

from providers.exchange.account import Outcome
from providers.exchange.faults import FAULTS

# These are never told by us: the first is no failure, the second nobody hears, the others have words of their own.
UNTOLD = {
    Outcome.OK,
    Outcome.CLIENT_DISCONNECTED,
    Outcome.CLIENT_ERROR,
    Outcome.RATE_LIMITED,
    Outcome.ABORTED_BY_CRASH,
}


def test_every_outcome_is_told_or_never_told() -> None:
    assert set(FAULTS) | UNTOLD == set(Outcome)
    assert not set(FAULTS) & UNTOLD


@pytest.mark.parametrize("outcome", FAULTS)
def test_the_words_name_the_provider_and_say_no_more(outcome: Outcome) -> None:
    fault = FAULTS[outcome]
    said = fault.text.format(provider="acme")
    assert "acme" in said or "Patchbay" in said
    assert "not found" not in said
    assert 500 <= fault.status < 600
    assert fault.code.isidentifier()
