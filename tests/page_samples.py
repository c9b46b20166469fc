"""What a lively Patchbay would answer: samples for the page's own tests, each in the shape of the API."""

import datetime
import math
import time
from typing import Any

Json = dict[str, Any]
NOW = time.time()
SCRIPT = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"


def call(number: int, **changes: Any) -> Json:
    """A running call."""
    usual: Json = {
        "id": f"call-{number}",
        "started_at": NOW - number,
        "provider": "anthropic",
        "model": "claude-sonnet-5",
        "requested_model": "claude-sonnet-5",
        "dialect": "messages",
        "operation": "messages",
        "stream": True,
        "client": "claude-cli/2.1",
        "attempt": 1,
        "phase": "streaming",
        "elapsed_us": 2_400_000,
        "ttft_us": 412_000,
        "output_tokens": 96,
        "estimated": True,
        "tokens_per_second": 48.2,
        "outcome": None,
        "status": 200,
        "cost": None,
    }
    return {**usual, **changes}


def ended(number: int, **changes: Any) -> Json:
    """A call that has ended well."""
    over = {"phase": "ended", "outcome": "ok", "estimated": False, "output_tokens": 356, "cost": 0.0123}
    return call(number, **{**over, **changes})


def row(number: int, **changes: Any) -> Json:
    """A row of the history; each is seven minutes older than the one before."""
    usual: Json = {
        "id": f"call-{number}",
        "seq": 10_000 - number,
        "started_at": NOW - 420 * number,
        "provider": "anthropic",
        "kind": "anthropic",
        "dialect": "messages",
        "operation": "messages",
        "requested_model": "claude-sonnet-5",
        "model": "claude-sonnet-5",
        "stream": 1,
        "status": 200,
        "outcome": "ok",
        "error": None,
        "input_tokens": 18_204,
        "output_tokens": 356,
        "cache_read_tokens": 17_100,
        "cache_write_tokens": 512,
        "reasoning_tokens": None,
        "cost": 0.0123,
        "price_source": "genai-prices",
        "ttft_us": 412_000,
        "duration_us": 7_612_000,
        "finish_reason": "stop",
        "client": "claude-cli/2.1",
        "conversation": "c1",
        "snippet": f"Why does the retry loop in fetch.py give up after {number} tries?",
    }
    return {**usual, **changes}


def text(said: str) -> Json:
    """A part."""
    return {"part": "text", "text": said}


MESSAGES: list[Json] = [
    {"role": "system", "parts": [text("You are a careful engineer. " * 20)]},
    {"role": "user", "parts": [text("Why does the retry loop in fetch.py give up?")]},
    {
        "role": "assistant",
        "parts": [
            {"part": "reasoning", "text": "I should read the file before I say anything."},
            {
                "part": "tool_call",
                "id": "t1",
                "name": "read_file",
                "arguments": '{"path":"src/fetch.py","lines":[1,80]}',
            },
        ],
    },
    {
        "role": "user",
        "parts": [
            {"part": "tool_result", "call_id": "t1", "parts": [text("for attempt in range(3):\n    ...")]},
            {"part": "media", "kind": "image", "media_type": "image/png", "size": 48_200, "ref": "blake2b:00ff"},
            {"part": "opaque", "type": "novelty", "raw": '{"a":1}'},
        ],
    },
]
ANSWER: Json = {"role": "assistant", "parts": [text("It counts attempts, not failures: " + SCRIPT)]}


def attempt(number: int, **changes: Any) -> Json:
    """One try."""
    usual: Json = {
        "number": number,
        "provider": "anthropic",
        "model": "claude-sonnet-5",
        "status": 200,
        "outcome": "ok",
        "error": None,
        "stale": 0,
        "connect_us": 21_000,
        "ttfb_us": 301_000,
        "duration_us": 7_500_000,
        "bytes_in": 4_000,
        "endpoint": None,
        "input_tokens": 18_204,
        "output_tokens": 356,
        "cost": 0.0123,
    }
    return {**usual, **changes}


def exchange(number: int = 1, **changes: Any) -> Json:
    """Everything about one call: two attempts, something dropped, an answer that tries to be a script."""
    more: Json = {
        "bytes_in": 61_234,
        "bytes_out": 5_120,
        "connect_us": 21_000,
        "ttfb_us": 301_000,
        "prompt_us": None,
        "decode_us": None,
        "overhead_us": 900,
        "who_ended": "upstream",
        "request_id_upstream": "req_011CabcDEF",
        "rescued": 0,
        "attempts": [
            attempt(1, provider="local", model="qwen3-8b", status=503, outcome="upstream_http_error",
                    error="Loading model", duration_us=12_000, output_tokens=None, cost=None),
            attempt(2),
        ],
        "messages": MESSAGES,
        "answer": ANSWER,
        "dropped": ["metadata.user_id was left out", "thinking.budget_tokens was kept roughly"],
        "same_conversation": [{"id": "call-2", "started_at": NOW - 840}],
        "siblings": ["call-9"],
        "resend": {"possible": True, "complete": False, "missing": ["one image"]},
    }  # fmt: skip
    return {"exchange": {**row(number), **more, **changes}}


def models() -> Json:
    """Local and external ones in every state."""
    price = {"input": 3.0, "output": 15.0, "cache_read": 0.3, "cache_write": 3.75, "source": "genai-prices"}
    free = {"input": 0.0, "output": 0.0, "cache_read": None, "cache_write": None, "source": "registry"}
    table: list[tuple[Any, ...]] = [
        ("qwen3-8b", "local", "llamacpp", "loaded", 40_960, ["text"], free, None),
        ("gpt-oss-20b", "local", "llamacpp", "loading", 131_072, ["text"], free, None),
        ("gemma-3-12b", "local", "llamacpp", "available", 131_072, ["text", "image"], free, None),
        ("fast", "local", "llamacpp", "loaded", 40_960, ["text"], free, "local/qwen3-8b"),
        ("claude-opus-5", "anthropic", "anthropic", "available", 200_000, ["text", "image", "file"],
         {**price, "input": 5.0, "output": 25.0, "cache_read": 0.5}, None),
        ("claude-sonnet-5", "anthropic", "anthropic", "available", 1_000_000, ["text", "image", "file"], price, None),
        ("claude-haiku-5", "anthropic", "anthropic", "available", 200_000, ["text", "image"],
         {**price, "input": 1.0, "output": 5.0, "cache_read": 0.1}, None),
        ("gpt-5.4", "openai", "openai", "no_key", 400_000, ["text", "image"],
         {**price, "input": 1.25, "output": 10.0, "cache_read": 0.125}, None),
        ("groq/some-model", "groq", "compatible", "unreachable", None, [], None, None),
        ("openrouter/deepseek/deepseek-v4", "openrouter", "openrouter", "available", 163_840, ["text"],
         {**price, "input": 0.28, "output": 0.42, "cache_read": 0.028, "source": "provider"}, None),
    ]  # fmt: skip
    names = ("name", "provider", "kind", "state", "context", "modalities", "price", "alias_of")
    return {"models": [{**dict(zip(names, line, strict=True)), "local": line[1] == "local"} for line in table]}


def provider(name: str, **changes: Any) -> Json:
    """One that is ready."""
    usual: Json = {
        "name": name,
        "kind": name,
        "state": "ready",
        "key": "configured",
        "variable": f"{name.upper()}_API_KEY",
        "hint": "",
        "dialects": ["chat"],
        "breakers": [],
        "endpoints": [],
        "in_flight": 0,
    }
    return {**usual, **changes}


def providers() -> Json:
    """Ready, unreachable, without a key; and two clients."""
    opened = {"state": "open", "cause": "refused", "wait_seconds": 12.5, "openings": 2, "failures": {"refused": 5}}
    probe = {"found": "well", "seconds_ago": 1.2, "latency_ms": 3.4, "slots": {"total": 4, "busy": 1}}
    calls = {"in_flight": 1, "limit": 4, "queued": 0, "room": 3}
    return {
        "providers": [
            provider("local", kind="llamacpp", key="not_needed", variable=None, in_flight=1,
                     dialects=["chat", "messages", "responses"], endpoints=[{"probe": probe, "calls": calls}]),
            provider("anthropic", dialects=["messages", "chat"], in_flight=2),
            provider("openai", state="no_key", key="missing", dialects=["chat", "responses"],
                     hint="Set OPENAI_API_KEY in the environment or in .env; it is taken up within two seconds."),
            provider("groq", kind="compatible", state="unreachable", breakers=[opened]),
        ],
        "clients": [
            {"name": "Claude Code", "about": "Any model, local ones as well.",
             "lines": ["export ANTHROPIC_BASE_URL=http://127.0.0.1:8088", "export ANTHROPIC_API_KEY=patchbay"]},
            {"name": "OpenAI SDK", "about": "And most programs that ask for an OpenAI base URL.",
             "lines": ["export OPENAI_BASE_URL=http://127.0.0.1:8088/v1", "export OPENAI_API_KEY=patchbay"]},
        ],
    }  # fmt: skip


_SHARES = {"local": (90, 0.0), "anthropic": (140, 0.021), "openrouter": (35, 0.004), "openai": (22, 0.011)}
_SUMS = ("exchanges", "ok", "failed", "input_tokens", "output_tokens", "cache_read_tokens", "cost", "unpriced")


def numbers(days: int = 30) -> Json:
    """A month with quiet weekends and one bad day."""
    today = datetime.date.today()
    lines = []
    for back in range(days):
        day = today - datetime.timedelta(days=back)
        lively = (0.25 if day.weekday() > 4 else 1.0) * (1 + 0.35 * math.sin(back * 1.7))
        for key, (usual, cost) in _SHARES.items():
            made = int(usual * lively)
            failed = made // 3 if back == 9 and key == "openrouter" else made // 60
            counts = (made, made - failed, failed, made * 9_400, made * 410, made * 6_100, made * cost, 0)
            lines.append({"day": day.isoformat(), "key": key, **dict(zip(_SUMS, counts, strict=True))})
    return {
        "days": lines,
        "total": {name: sum(line[name] for line in lines) for name in _SUMS},
        "spreads": {
            "ttft": _spread(310_000, {"local": 0.5, "anthropic": 1.6, "openrouter": 2.4, "openai": 1.3}),
            "duration": _spread(5_100_000, {"local": 1.3, "anthropic": 1.4, "openrouter": 2.0, "openai": 1.0}),
            "tokens_per_second": _spread(40.0, {"local": 0.9, "anthropic": 1.5, "openrouter": 1.1, "openai": 1.9}),
        },
    }


def _spread(middle: float, factors: dict[str, float]) -> list[Json]:
    return [
        {"key": key, "p50": middle * f, "p95": middle * f * 2.2, "p99": middle * f * 3.1, "count": 2_100}
        for key, f in factors.items()
    ]
