"""Names and ids that a target accepts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from providers.wire.capabilities import ANY_ID
from providers.wire.tool_names import sent_id, sent_names


def test_what_is_valid_stays() -> None:
    assert sent_names(["f", "mcp__a-b__c", "f", ""], 64) == {}
    assert sent_id("call_1", ANY_ID, 64) == "call_1"


def test_long_names_that_begin_alike_stay_two() -> None:
    names = ["x" * 70 + end for end in "ab"]
    sent = sent_names(names, 64)
    assert len(set(sent.values())) == 2
    assert all(re.fullmatch(r"x{55}_[0-9a-f]{8}", name) for name in sent.values())


def test_odd_characters_are_replaced_and_told_apart() -> None:
    sent = sent_names(["a.b", "a/b", "a_b"], 64)
    assert set(sent) == {"a.b", "a/b"}
    assert len({*sent.values(), "a_b"}) == 3


# An id is valid for the target, the same every time, and different for different originals.
@given(st.text(), st.text(), st.sampled_from([(r"[a-zA-Z0-9]{9}", 9), (r"[a-zA-Z0-9_-]+", 40), (ANY_ID, 64)]))
def test_ids(first: str, second: str, rule: tuple[str, int]) -> None:
    sent = sent_id(first, *rule)
    assert re.fullmatch(rule[0], sent)
    assert len(sent) <= rule[1]
    assert (sent == sent_id(second, *rule)) is (first == second)
