"""How many repetitions a provider gets."""

from hypothesis import given
from hypothesis import strategies as st

from providers.pool.retry_budget import FLOOR, PERCENT, STEP, WINDOW, RetryBudget

SECOND = 1_000_000


def test_the_floor_is_there_without_a_call() -> None:
    budget = RetryBudget()
    assert [budget.take(0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert (budget.taken, budget.denied, budget.left(0)) == (3, 2, 0)


def test_a_fifth_of_the_calls_of_the_last_ten_seconds() -> None:
    budget = RetryBudget()
    for call in range(500):  # 50 a second
        budget.call(call * SECOND // 50)
    assert sum(budget.take(10 * SECOND - 1) for _ in range(500)) == 100


def test_what_was_taken_comes_back_after_ten_seconds() -> None:
    budget = RetryBudget(percent=0)
    assert [budget.take(at) for at in (0, 1, SECOND, 2 * SECOND)] == [True, True, True, False]
    assert not budget.take(WINDOW - 1)
    assert budget.left(WINDOW) == 2
    assert budget.left(WINDOW + SECOND) == 3


def test_calls_that_have_passed_leave_less_than_was_taken() -> None:
    budget = RetryBudget(floor=0)
    for _ in range(10):
        budget.call(0)
    assert budget.take(WINDOW // 2)
    assert budget.take(WINDOW // 2)
    assert budget.left(WINDOW) == -2


# At every moment: the repetitions of the last 10 s are at most a fifth of its calls, or the floor, and none is denied
# while there is one. A plain count over the whole history says the same.
@given(st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 40), st.integers(0, 12)), max_size=40))
def test_it_is_never_exceeded_and_never_stingy(bursts: list[tuple[int, int, int]]) -> None:
    budget, now = RetryBudget(), 0
    calls: list[int] = []
    taken: list[int] = []
    for pause, arriving, asking in bursts:
        now += pause
        for _ in range(arriving):
            budget.call(now)
            calls.append(now)
        for _ in range(asking):
            allowed = max(FLOOR, PERCENT * of_late(calls, now) // 100)
            granted = budget.take(now)
            assert granted == (of_late(taken, now) < allowed)
            taken += [now] if granted else []
    assert budget.taken == len(taken)
    assert budget.taken + budget.denied == sum(asking for _, _, asking in bursts)


def of_late(history: list[int], now: int) -> int:
    return sum(now // STEP - at // STEP < WINDOW // STEP for at in history)


def test_each_of_many_calls_counts() -> None:
    budget = RetryBudget()
    for at in range(0, 2 * WINDOW, STEP // 2):
        budget.call(at)
        budget.call(at)
    assert budget.left(2 * WINDOW - 1) == 4 * (WINDOW // STEP) * PERCENT // 100


def test_a_budget_that_begins_anew_keeps_its_sums() -> None:
    budget = RetryBudget()
    granted = [budget.take(0) for _ in range(FLOOR + 1)]
    assert granted == [True] * FLOOR + [False]
    budget.reset()
    assert budget.take(0)
    assert (budget.taken, budget.denied) == (FLOOR + 1, 1)
