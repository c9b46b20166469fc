"""Ids of the calls in a chat history, made whole: every call has one of its own, and its result has the same.

Strategy: some servers send no id, or ``call_0`` in every turn; the functions of old have none at all. A call that
comes without an id, or with one that was used before, gets one from its number, which is the same in the next request.
A result belongs to the latest call of its id (or name), else to the first that waits.
"""


class CallIds:
    """The calls of one history, in order."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._given: dict[str, str] = {}  # what the client calls it → the id it has here
        self._waiting: list[str] = []
        self._calls = 0

    def call(self, said: str, name: str = "") -> str:
        """The id of a call; ``name`` for one that has nothing else."""
        self._calls += 1
        id_ = said
        if not said or said in self._used:
            id_ = f"{said or 'call'}_{self._calls}"
        self._used.add(id_)
        self._given[said or name] = id_
        self._waiting.append(id_)
        return id_

    def result(self, said: str) -> str:
        """The id of the call that a result belongs to; ``said`` is an id or a function's name."""
        id_ = self._given.get(said) or said or (self._waiting[0] if self._waiting else "")
        if id_ in self._waiting:
            self._waiting.remove(id_)
        return id_
