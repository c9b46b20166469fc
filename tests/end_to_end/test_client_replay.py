"""A call that is replayed as a client's is made again: routed anew, with the provider's key, and recorded once more."""

import time
from pathlib import Path

import pytest

from tests.end_to_end.test_saved_flows import MODELS, record
from tests.rig_client import query
from tests.rig_gateway import KEYS, Behind, run_gateway


@pytest.mark.parametrize("dialect", MODELS)
def test_a_replayed_call_is_routed_anew(dialect: str, upstreams: Behind, tmp_path: Path) -> None:
    flows, _ = record(upstreams, tmp_path, [(dialect, False)])
    first = upstreams.posts()[-1]
    upstreams.external.requests.clear()
    with run_gateway("mitmdump", upstreams, tmp_path / "again", args=("-C", str(flows))) as gateway:
        deadline = time.monotonic() + 10
        while not upstreams.posts() and time.monotonic() < deadline:
            time.sleep(0.05)
        again = upstreams.posts()
        assert gateway.program.stop() == 0
    assert len(again) == 1
    assert (again[0].target, again[0].body) == (first.target, first.body)
    key = KEYS["ANTHROPIC_API_KEY" if dialect == "messages" else "OPENAI_API_KEY"]
    assert any(key in value for _, value in again[0].headers)
    assert [row["outcome"] for row in query(gateway.database, "select outcome from exchanges")] == ["ok"]
