"""mitmweb's memory stays flat however many calls it shows."""

from pathlib import Path

import pytest

from tests.fake_answers import json_answer
from tests.fake_dialects import chat_body
from tests.rig_gateway import Behind, ask
from tests.rig_mitmweb import run_web_gateway

CALLS, WARM = 5_000, 500
ANSWER = 100_000  # bytes
GROWTH = 60  # MiB; what is kept without a bound would be 430


def resident(pid: int) -> float:
    """MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read where Linux tells it")
def test_memory_stays_flat_for_thousands_of_large_answers(upstreams: Behind, tmp_path: Path) -> None:
    upstreams.external.on("/openai/v1/chat/completions", json_answer(chat_body(("x" * ANSWER,))))
    with run_web_gateway(upstreams, tmp_path, args=("--set", "patchbay_keep_flows=20")) as (gateway, page):
        path, body = ask("chat", "gpt-9")
        for _ in range(WARM):
            assert gateway.post(path, body).status == 200
        before = resident(gateway.program.process.pid)
        for _ in range(CALLS - WARM):
            assert gateway.post(path, body).status == 200
        after = resident(gateway.program.process.pid)
        assert len(page.flows()) <= 20
    assert after - before < GROWTH, (before, after)
