"""How many repetitions one provider gets: a part of its calls of late, so that one that is down is left in peace.

Strategy: calls and repetitions are counted in steps of 10 ms, each step for exactly 10 s; the counts are exact, and the
memory is bounded whatever the load. All times are integer µs of the monotonic clock.
"""

from collections import deque

WINDOW = 10_000_000  # µs
STEP = 10_000  # µs
PERCENT = 20
FLOOR = 3


class RetryBudget:
    """Repetitions of one provider: ``percent`` of its calls in the last 10 s, and ``floor`` in any case.

    ``taken`` and ``denied`` count since the start, for the metrics.
    """

    def __init__(self, percent: int = PERCENT, floor: int = FLOOR) -> None:
        self.taken = 0
        self.denied = 0
        self._percent = percent
        self._floor = floor
        self._calls = _Window()
        self._repeated = _Window()

    def reset(self) -> None:
        """Forget the calls and repetitions of late; the sums go on."""
        self._calls, self._repeated = _Window(), _Window()

    def call(self, now: int) -> None:
        """Count the first attempt of a call at this provider."""
        self._calls.add(now)

    def take(self, now: int) -> bool:
        """Take one repetition, if there is one left."""
        if self.left(now) <= 0:
            self.denied += 1
            return False
        self._repeated.add(now)
        self.taken += 1
        return True

    def left(self, now: int) -> int:
        """How many may be taken now; below 0 where the calls have become fewer since they were taken."""
        allowed = max(self._floor, self._calls.count(now) * self._percent // 100)
        return allowed - self._repeated.count(now)


class _Window:
    """How often something happened in the last `WINDOW`."""

    def __init__(self) -> None:
        self._steps: deque[list[int]] = deque()  # [step, how often]
        self._total = 0

    def add(self, now: int) -> None:
        step = now // STEP
        if self._steps and self._steps[-1][0] == step:
            self._steps[-1][1] += 1
        else:
            self.count(now)
            self._steps.append([step, 1])
        self._total += 1

    def count(self, now: int) -> int:
        oldest = now // STEP - WINDOW // STEP
        while self._steps and self._steps[0][0] <= oldest:
            self._total -= self._steps.popleft()[1]
        return self._total
