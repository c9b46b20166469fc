"""Ids of calls as Anthropic takes them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from providers.wire.capabilities import Capabilities
from providers.wire.messages.call_ids import CallIds

FINE = re.compile(r"[A-Za-z0-9_-]{1,64}")


# Whatever ids a history has: each call has its own, each fits, and results belong to calls in order.
@given(st.lists(st.text(max_size=80) | st.sampled_from(["call_0", "", "a", "functions.f:0"]), max_size=12))
def test_any_history(owns: list[str]) -> None:
    ids = CallIds(Capabilities())
    sent = [ids.of_call(own) for own in owns]
    assert len(set(sent)) == len(sent)
    assert all(FINE.fullmatch(id_) for id_ in sent)
    assert [ids.of_result(own) for own in owns] == sent


def test_what_fits_stays() -> None:
    ids = CallIds(Capabilities())
    assert [ids.of_call("toolu_1"), ids.of_call("toolu_1")] == ["toolu_1", "toolu_1_2"]
    assert ids.of_result("never called") == CallIds(Capabilities()).of_result("never called")


def test_a_targets_own_rule() -> None:
    ids = CallIds(Capabilities(tool_id=r"[a-z0-9]{9}", tool_id_length=9))
    assert re.fullmatch(r"[a-z0-9]{9}", ids.of_call("call_1"))
