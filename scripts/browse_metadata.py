"""What Datasette is told of the record: what each table and column holds, and questions that are ready to be asked."""

_SPAN = "microseconds"
_NUMBERS = {
    "input_tokens": "tokens of the request, cached ones included; empty: not known",
    "output_tokens": "tokens of the answer, reasoning included",
    "cache_read_tokens": "of the input: read from the provider's cache",
    "cache_write_tokens": "of the input: written to the provider's cache",
    "reasoning_tokens": "of the output: reasoning",
    "cost": "US dollars; empty: not known, never nothing",
}
_SOURCE = {"price_source": "whose price it is: provider, registry or genai-prices"}
_TIMES = {
    "connect_us": f"{_SPAN} until connected",
    "ttfb_us": f"{_SPAN} until the first byte",
    "duration_us": f"{_SPAN} until the end",
}

_EXCHANGES = {
    "seq": "order of admission, whatever the clock did",
    "id": "the id that the answer carried as x-patchbay-id",
    "run": "the process that served it: runs.id",
    "conversation": "its session, or the id of the call that began it",
    "started_at": "seconds since 1970, UTC",
    "provider": "who answered, or was asked last",
    "kind": "the provider's kind",
    "dialect": "the client's wire format: chat, messages or responses",
    "operation": "what was asked for",
    "requested_model": "the model as the client wrote it",
    "model": "the model as it was sent",
    "stream": "1: the client asked for a stream",
    "status": "the HTTP status that the client got",
    "outcome": "how it ended; empty: still open",
    "who_ended": "upstream, client or gateway",
    "error": "why it failed",
    "usage_source": "who counted the tokens",
    "ttft_us": f"{_SPAN} until the first content",
    "bytes_in": "bytes of the request's body",
    "bytes_out": "bytes of the answer's body",
    "finish_reason": "why the model stopped, in the provider's word",
    "client": "the client's user-agent",
    "session_id": "the session that the client named",
    "request_id_upstream": "the provider's own id of the call",
    "prompt_hash": "the last message of the request: messages.hash",
    "answer_hash": "the answer: messages.hash",
    "translation": "what could not be carried between dialects; empty: none was needed",
    "prompt_us": f"{_SPAN} that llama-server took for the prompt",
    "decode_us": f"{_SPAN} that llama-server took for the answer",
    "overhead_us": f"{_SPAN} that Patchbay took from the whole request to the first dial",
    "rescued": "1: another target went on with an answer that broke off",
    **_TIMES,
    **_NUMBERS,
    **_SOURCE,
}
_ATTEMPTS = {
    "exchange_id": "the call: exchanges.id",
    "number": "from 1",
    "provider": "who was tried",
    "model": "the model as it was sent",
    "status": "the HTTP status of this try",
    "outcome": "how it ended",
    "error": "why it failed",
    "stale": "1: on a connection that had died; it was repeated for free",
    "bytes_in": "bytes that came back",
    "endpoint": "which of the provider's servers, from 1",
    **_TIMES,
    **_NUMBERS,
    **_SOURCE,
}
_SUMS = {
    "exchanges": "calls that have ended",
    "attempts": "tries at providers",
    "unpriced": "calls with tokens whose price is not known",
    **_NUMBERS,
}

TABLES: dict[str, dict[str, object]] = {
    "exchanges": {
        "description": "One row for each call.",
        "columns": _EXCHANGES,
        "facets": ["provider", "model", "outcome"],
        "sort_desc": "seq",
        "size": 50,
    },
    "attempts": {
        "description": "One row for each try at a provider.",
        "columns": _ATTEMPTS,
        "facets": ["provider", "outcome"],
        "sort_desc": "seq",
        "size": 50,
    },
    "messages": {
        "description": "What was said, each message once; a history is a chain of parents.",
        "columns": {
            "hash": "of the message and of everything before it",
            "parent": "the message before it: hash",
            "role": "who said it, in the client's word",
            "json": "its parts",
            "text": "its words, for the search",
        },
        "facets": ["role"],
        "sort_desc": "id",
        "size": 50,
    },
    "bodies": {
        "description": "Raw bodies that were kept, compressed (zstd): patchbay show ID --body reads one.",
        "columns": {"side": "request or answer", "size": "bytes before compression"},
    },
    "runs": {"description": "One row for each process that served."},
    "usage": {
        "description": "Sums by the hour; they outlive the calls that they count.",
        "columns": {"hour": "hours since 1970, UTC", **_SUMS},
        "facets": ["provider", "model", "outcome"],
    },
    "spreads": {
        "description": "How times are spread, by the day: how many values fell into each bucket.",
        "columns": {
            "day": "days since 1970, UTC",
            "measure": "ttft, duration, overhead (microseconds) or tokens_per_second",
            "bucket": "buckets.bucket",
        },
        "facets": ["measure", "provider"],
    },
    "buckets": {
        "description": "The buckets of spreads: each is a tenth wider than the one before.",
        "columns": {"upto": "the largest value in it", "middle": "what stands for its values, within 5 %"},
    },
    "conversations": {
        "description": "One row for each conversation, as its newest call left it.",
        "sort_desc": "last_at",
    },
    "usage_by_day": {"description": "Sums by provider, model and day (UTC).", "sort_desc": "day"},
}

_RECENT = "exchanges e LEFT JOIN messages q ON q.hash = e.prompt_hash LEFT JOIN messages a ON a.hash = e.answer_hash"
QUERIES: dict[str, dict[str, object]] = {
    "recent_calls": {
        "title": "The last calls, with what was asked and answered",
        "sql": "SELECT e.id, datetime(e.started_at, 'unixepoch') AS began, e.provider, e.model, e.outcome,"
        f" substr(q.text, 1, 300) AS asked, substr(a.text, 1, 300) AS answered FROM {_RECENT}"
        " ORDER BY e.seq DESC LIMIT 100",
    },
    "conversation": {
        "title": "Everything that was said in one call, in order",
        "sql": "WITH RECURSIVE chain (hash, parent, role, text, depth) AS ("
        " SELECT hash, parent, role, text, 0 FROM messages WHERE hash = (SELECT coalesce(answer_hash, prompt_hash)"
        " FROM exchanges WHERE id = :id) UNION ALL"
        " SELECT m.hash, m.parent, m.role, m.text, depth + 1 FROM messages m JOIN chain ON m.hash = chain.parent)"
        " SELECT role, text FROM chain ORDER BY depth DESC",
    },
    "search": {
        "title": "Messages with these words, newest first",
        "sql": "SELECT m.role, snippet(messages_fts, 0, '', '', '…', 40) AS place, m.id FROM messages_fts"
        " JOIN messages m ON m.id = messages_fts.rowid WHERE messages_fts MATCH :words"
        " ORDER BY messages_fts.rowid DESC LIMIT 100",
    },
    "failures": {
        "title": "The last calls that failed, and why",
        "sql": "SELECT id, datetime(started_at, 'unixepoch') AS began, provider, model, outcome, status, error"
        " FROM exchanges WHERE outcome NOT IN ('ok', 'client_disconnected') ORDER BY seq DESC LIMIT 100",
    },
    "cost_by_month": {
        "title": "Cost by month, provider and model, and how many calls have no known price",
        "sql": "SELECT strftime('%Y-%m', hour * 3600, 'unixepoch') AS month, provider, model,"
        " sum(exchanges) AS calls, sum(cost) AS cost, sum(unpriced) AS unpriced"
        " FROM usage GROUP BY month, provider, model ORDER BY month DESC, cost DESC",
    },
    "slowest": {
        "title": "The slowest of the last 10,000 calls",
        "sql": "SELECT id, datetime(started_at, 'unixepoch') AS began, provider, model, outcome,"
        " duration_us / 1e6 AS seconds, ttft_us / 1e6 AS first_token_after, output_tokens"
        " FROM (SELECT * FROM exchanges ORDER BY seq DESC LIMIT 10000) ORDER BY duration_us DESC LIMIT 100",
    },
}


def metadata(database: str) -> dict[str, object]:
    """Return Datasette's metadata for the database of this name."""
    return {
        "title": "Patchbay's record",
        "description": "Every call that went through Patchbay. Read only; spans are microseconds, costs US dollars.",
        "databases": {database: {"tables": TABLES, "queries": QUERIES}},
    }
