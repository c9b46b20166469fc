"""SIGKILL while many streams run: the clients see a cut, and the next start settles what was open."""

import contextlib
import socket
from pathlib import Path

from tests.fake_answers import CHUNKED, SSE
from tests.fake_dialects import chat_events
from tests.fake_steps import Chunk, Head, Stall
from tests.rig_client import finished, open_stream, query, receive_until
from tests.rig_gateway import Behind, ask, run_gateway

STREAMS = 100
EVENTS = chat_events()[:4]


def rest_of(client: socket.socket) -> bytes:
    """What still comes until the connection ends, by a reset or not."""
    received = b""
    client.settimeout(10)
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received


def test_a_crash_with_a_hundred_streams(upstreams: Behind, tmp_path: Path) -> None:
    upstreams.external.on("/openai/v1/chat/completions", (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS), Stall()))
    with run_gateway("serve", upstreams, tmp_path) as gateway, contextlib.ExitStack() as stack:
        target, body = ask("chat", "gpt-9", stream=True)
        clients = [stack.enter_context(open_stream(gateway.port, target, body)) for _ in range(STREAMS)]
        for client in clients:
            receive_until(client, EVENTS[-1])
        # A row for each was written when it was admitted: this is what another process sees of them.
        seen = finished(gateway.database, "select * from exchanges where outcome is null", count=STREAMS)
        gateway.program.kill()
        for client in clients:
            assert not rest_of(client).endswith(b"0\r\n\r\n")
    with run_gateway("serve", upstreams, tmp_path) as again:
        settled = finished(again.database, "select * from exchanges where outcome is not null", count=STREAMS)
        assert query(again.database, "pragma integrity_check") == [{"integrity_check": "ok"}]
        changed = {"outcome", "who_ended", "error"}
        before = {row["id"]: {name: row[name] for name in row.keys() - changed} for row in seen}
        after = {row["id"]: {name: row[name] for name in row.keys() - changed} for row in settled}
        assert after == before
        assert {(row["outcome"], row["who_ended"]) for row in settled} == {("aborted_by_crash", None)}
        again.program.wait_for_output(f"{STREAMS} calls were open when an earlier run ended")
        upstreams.external.reset()
        assert again.post(*ask("chat", "gpt-9")).status == 200
