"""A working folder with a configuration of its own, and a local server that lists models."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.cli import cli

MODELS = {
    "data": [
        {"id": "qwen3-8b", "object": "model", "meta": {"n_ctx": 40960}},
        {"id": "nomic-embed", "object": "model", "status": {"value": "unloaded"}},
    ]
}

Run = Callable[..., Result]


class Handler(http.server.BaseHTTPRequestHandler):
    """As much of llama-server as a list of models needs."""

    def do_GET(self) -> None:
        body = json.dumps(MODELS if self.path.startswith("/v1/models") else {"status": "ok"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder. Its local server is a port that refuses; the repository's own files don't count here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATCHBAY_REGISTRY", str(tmp_path / "registry.yaml"))
    (tmp_path / "registry.yaml").write_text("providers: {local: {kind: llamacpp, base_url: http://127.0.0.1:9}}\n")
    return tmp_path


@pytest.fixture
def local_server(folder: Path) -> Iterator[str]:
    """The base URL of a local server that the configuration names."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        (folder / "registry.yaml").write_text(f"providers: {{local: {{kind: llamacpp, base_url: {url}}}}}\n")
        yield url
        server.shutdown()
        thread.join()


@pytest.fixture
def run() -> Run:
    """Run the `patchbay` command in this process: `run("route", "gpt-5")`."""
    return lambda *arguments: CliRunner().invoke(cli, arguments, prog_name="patchbay")
