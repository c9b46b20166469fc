"""GET /patchbay/metrics after a mixed run with failures: it parses, and every total is the record's own."""

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, streamed
from tests.fake_dialects import chat_events, error_body
from tests.fake_steps import Chunk, Head, Reset
from tests.rig_client import finished
from tests.rig_gateway import DIALECTS, Gateway, ask
from tests.rig_metrics import rows, samples

PATH = "/openai/v1/chat/completions"
MODELS = ("gpt-9", "gpt-4o", "claude-9", "fake-model", "refused/m", "openrouter/some/model", "no-such-provider/model")


def make_traffic(gateway: Gateway) -> None:
    """Calls that succeed, fail, are refused, are cut; in every dialect, streamed and not."""
    for dialect in DIALECTS:
        for model in MODELS:
            for stream in (False, True):
                gateway.post(*ask(dialect, model, stream=stream))
    gateway.external.on(PATH, json_answer(error_body("chat"), 500), json_answer(error_body("chat"), 429))
    gateway.post(*ask("chat", "gpt-9"))
    gateway.post(*ask("chat", "gpt-9", stream=True))
    gateway.external.on(PATH, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, chat_events()[:3]), Reset()))
    gateway.post(*ask("chat", "gpt-9", stream=True))
    gateway.external.on(PATH, streamed(chat_events()))
    gateway.post("/v1/chat/completions", b"{no json")


def test_totals_are_those_of_the_record(gateway: Gateway) -> None:
    make_traffic(gateway)
    told = samples(gateway)
    calls = sum(told["patchbay_requests_total"].values())
    finished(gateway.database, "SELECT 1 FROM exchanges WHERE outcome IS NOT NULL", count=int(calls))
    assert told["patchbay_requests_total"] == rows(gateway, "model, operation, outcome, provider")
    assert len(told["patchbay_requests_total"]) > 10
    attempts = rows(gateway, "model, outcome, provider", table="attempts")
    assert told["patchbay_attempts_total"] == attempts
    for kind in ("input", "output", "cache_read", "reasoning"):
        counted = {key[1:]: n for key, n in told["patchbay_tokens_total"].items() if key[0] == kind}
        assert counted == rows(gateway, "model, provider", f"{kind}_tokens"), kind
    costs = rows(gateway, "model, provider", "cost")
    assert told["patchbay_cost_dollars_total"] == pytest.approx(costs)
    assert ("gpt-4o", "openai") in costs
    unpriced = "cost IS NULL AND (input_tokens > 0 OR output_tokens > 0)"
    assert told["patchbay_unpriced_requests_total"] == rows(gateway, "model, provider", where=unpriced)
    for name, column in (("time_to_first_token", "ttft_us"), ("duration", "duration_us")):
        measured = told[f"patchbay_{name}_seconds_count"]
        assert measured == rows(gateway, "provider", where=f"{column} IS NOT NULL"), name
    assert "patchbay_in_flight" not in told
    assert told["patchbay_log_dropped_total"] == {(): 0}
