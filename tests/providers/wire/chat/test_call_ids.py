"""Ids of calls, made whole."""

from providers.wire.chat.call_ids import CallIds


def test_ids_that_are_good_stay() -> None:
    ids = CallIds()
    assert [ids.call("a"), ids.call("b")] == ["a", "b"]
    assert [ids.result("b"), ids.result("a")] == ["b", "a"]


def test_missing_ids_are_matched_in_order() -> None:
    ids = CallIds()
    calls = [ids.call(""), ids.call("")]
    assert calls == ["call_1", "call_2"]
    assert [ids.result("x"), ids.result("")] == ["x", "call_2"]


def test_functions_are_matched_by_name() -> None:
    ids = CallIds()
    assert (ids.call("", "f"), ids.result("f"), ids.call("", "f"), ids.result("f")) == (
        "call_1",
        "call_1",
        "call_2",
        "call_2",
    )


def test_an_id_that_is_used_again_is_another_call() -> None:
    ids = CallIds()
    assert (ids.call("call_0"), ids.result("call_0")) == ("call_0", "call_0")
    assert (ids.call("call_0"), ids.result("call_0")) == ("call_0_2", "call_0_2")


def test_a_result_without_any_call() -> None:
    assert CallIds().result("") == ""
