"""What a list of calls can be narrowed to: the values there are, newest first.

Strategy: an index is walked from one value to the next one, so what counts is how many values there are, not how many
calls.
"""

import sqlite3

MOST = 200  # values of one kind
_MOST_SEEN = 5000  # values looked at for it

# name → the column, and the rows that its index holds
_FACETS = {
    "providers": (("provider", ""),),
    "models": (("model", ""), ("requested_model", " AND requested_model <> model")),
    "outcomes": (("outcome", ""),),
    "clients": (("client", ""),),
}
_VALUES = """
WITH RECURSIVE found (value) AS (
  SELECT min({column}) FROM exchanges WHERE {column} IS NOT NULL{of}
  UNION ALL
  SELECT (SELECT min({column}) FROM exchanges WHERE {column} > found.value{of}) FROM found WHERE found.value IS NOT NULL
)
SELECT value, (SELECT max(seq) FROM exchanges WHERE {column} = found.value{of}) FROM found
WHERE value IS NOT NULL AND value <> '' LIMIT {most}
"""


def facets(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the providers, models (as sent and as asked for), outcomes and clients, at most `MOST` of each.

    Raises sqlite3.Error.
    """
    return {name: _newest(connection, columns) for name, columns in _FACETS.items()}


def _newest(connection: sqlite3.Connection, columns: tuple[tuple[str, str], ...]) -> list[str]:
    last: dict[str, int] = {}
    for column, of in columns:
        for value, seq in connection.execute(_VALUES.format(column=column, of=of, most=_MOST_SEEN)):
            last[str(value)] = max(int(seq), last.get(str(value), 0))
    return sorted(last, key=lambda value: -last[value])[:MOST]
