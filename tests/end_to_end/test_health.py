"""GET /patchbay/health of the running program, each way, as a supervisor asks it."""

import time
from typing import Any

import pytest

from tests.rig_client import RawAnswer
from tests.rig_gateway import KEYS, Behind, Gateway, ask, run_gateway


def health(gateway: Gateway) -> Any:
    answer = gateway.get("/patchbay/health")
    assert (answer.status, answer.get("content-type")) == (200, "application/json")
    assert_tells_no_secret(gateway, answer)
    return answer.json()


def assert_tells_no_secret(gateway: Gateway, answer: RawAnswer) -> None:
    text = repr((answer.headers, answer.body)).lower()
    secrets = (*KEYS.values(), *KEYS, *gateway.behind.addresses(), str(gateway.folder), "mitmproxy", "not found")
    assert not [secret for secret in secrets if secret.lower() in text], text


def wait_for(gateway: Gateway, **expected: object) -> Any:
    deadline = time.monotonic() + 5
    while True:
        told = health(gateway)
        if all(told[name] == value for name, value in expected.items()):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def test_health_of_a_gateway_that_is_well(gateway: Gateway) -> None:
    told = wait_for(gateway, status="ok")
    states = {one["name"]: one["state"] for one in told["providers"]}
    assert states["local"] == states["anthropic"] == states["demo"] == "ready"
    assert told["recorder"]["state"] == "ok"
    assert told["configuration"] == {"generation": 1, "last_edit_refused": False}
    assert not [request for request in gateway.local.requests if "patchbay" in request.path]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_under_our_path_reaches_the_local_server(gateway: Gateway, method: str) -> None:
    strange = 403  # the page is for browsers that know this machine by its name
    paths = {
        "/patchbay": strange,
        "/patchbay/": strange,
        "/patchbay/nothing": 404,
        "/patchbay/v1/chat/completions": 404,
    }
    for path, status in paths.items():
        answer = gateway.post(path, b"{}") if method == "POST" else gateway.get(path)
        assert (answer.status, list(answer.json())) == (status, ["error"])
        assert_tells_no_secret(gateway, answer)
    assert not [request for request in gateway.local.requests if "patchbay" in request.path]


def test_what_is_wrong_shows(upstreams: Behind, tmp_path: Any) -> None:
    """A provider that refuses gets its breaker opened; a broken edit is told, and its repair."""
    with run_gateway("serve", upstreams, tmp_path) as gateway:
        for _ in range(10):
            assert gateway.post(*ask("chat", "refused/m")).status == 503
        told = health(gateway)
        away = next(one for one in told["providers"] if one["name"] == "refused")
        assert away["state"] == "unreachable"
        assert [(one["state"], one["cause"]) for one in away["breakers"]] == [("open", "refused")]
        assert told["status"] == "degraded"
        assert any("refused cannot be reached" in reason for reason in told["reasons"])

        path = gateway.folder / "registry.yaml"
        good = path.read_text()
        path.write_text(good + "\nnonsense: 1\n")
        wait_for(gateway, status="degraded", configuration={"generation": 1, "last_edit_refused": True})
        path.write_text(good)
        wait_for(gateway, configuration={"generation": 2, "last_edit_refused": False})
