"""A thousand reloads under steady load: no call fails, each of them counts, and nothing is left behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.rig_gateway import Behind, Gateway, run_gateway
from tests.steady_load import steady_load

RELOADS = 1000
SETTLED = 200  # reloads after which memory is looked at for the first time
MOST_GROWTH = 24  # MiB from there to the end; a registry that stayed each time would make it hundreds
MOST_FILES = 12  # descriptors more at the end: calls that are in flight just then
PAIRS = {"one": "key-number-one-11111", "two": "key-number-two-22222"}
REGISTRY = """\
default_provider: local
providers:
  local: {{kind: llamacpp, base_url: {local}, dialects: [chat, messages, responses]}}
  pair:
    kind: compatible
    base_url: {external}/{place}/v1
    api_key: ${{{variable}}}
    dialects: [chat, messages, responses]
  translated: {{kind: compatible, base_url: {external}/{place}/v1, api_key: ${{{variable}}}, dialects: [chat]}}
models:
{models}"""
MODELS = "".join(
    f"  alias-{number}: {{target: pair/m, params: {{temperature: 0.{number}}}}}\n" for number in range(1, 9)
)


def registry(upstreams: Behind, number: int) -> str:
    """The configuration that is in force after so many edits: with each one, both providers move and change keys."""
    place = tuple(PAIRS)[number % 2]
    places = {"local": upstreams.local.url, "external": upstreams.external.url}
    return REGISTRY.format(place=place, variable=f"{place.upper()}_KEY", models=MODELS, **places)


def reload(gateway: Gateway, number: int) -> None:
    """Edit, ask for it to be read, and wait until it is: so none is counted for another."""
    fresh = gateway.folder / "registry.new"
    fresh.write_text(registry(gateway.behind, number))
    os.replace(fresh, gateway.folder / "registry.yaml")
    gateway.program.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while (told := gateway.get("/patchbay/health").json()["configuration"])["generation"] != number + 1:
        assert not told["last_edit_refused"], gateway.program.output[-2000:]
        assert time.monotonic() < deadline, told


def resident(gateway: Gateway) -> float:
    """What the program holds in memory, in MiB."""
    status = Path(f"/proc/{gateway.program.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def open_files(gateway: Gateway) -> int:
    return len(os.listdir(f"/proc/{gateway.program.process.pid}/fd"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are read in /proc")
def test_a_thousand_reloads_under_load(upstreams: Behind, tmp_path: Path) -> None:
    env = {f"{place.upper()}_KEY": key for place, key in PAIRS.items()}
    text = registry(upstreams, 0)
    with (
        run_gateway("serve", upstreams, tmp_path, registry=text, env=env) as gateway,
        steady_load(gateway, ("pair/m", "translated/m", "alias-3", "local/m")) as load,
    ):
        for number in range(1, SETTLED + 1):
            reload(gateway, number)
        memory, files = resident(gateway), open_files(gateway)
        for number in range(SETTLED + 1, RELOADS + 1):
            reload(gateway, number)
        assert resident(gateway) - memory < MOST_GROWTH
        assert open_files(gateway) - files < MOST_FILES
    load.assert_served(RELOADS // 2)
    for request in upstreams.external.requests:  # never the address of one configuration with the key of another
        place = request.path.split("/")[1]
        assert request.get("authorization") == f"Bearer {PAIRS[place]}", request.path
    assert {request.path.split("/")[1] for request in upstreams.external.requests} == set(PAIRS)
    assert gateway.program.output.count("was read again") == RELOADS
    assert "Traceback" not in gateway.program.output
