"""Who is left alone and who answers again is told in the log, and health says why."""

import time
from collections.abc import Iterator

import pytest

from tests.fake_answers import json_answer
from tests.fake_dialects import chat_body, error_body
from tests.rig_gateway import WAYS, Behind, Gateway, ask, run_gateway

OPENAI = "/openai/v1/chat/completions"
HASTY = "/hasty/v1/chat/completions"


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_gateway(str(request.param), all_upstreams, tmp_path_factory.mktemp("news")) as gateway:
        yield gateway


def test_it_is_told_when_a_provider_is_left_alone_and_when_it_answers_again(own: Gateway, upstreams: Behind) -> None:
    limited = json_answer(error_body("chat"), 429, (("retry-after", "2"),))
    upstreams.external.on(HASTY, limited, json_answer(chat_body()))
    assert own.post(*ask("chat", "hasty/m", stream=True)).status == 429
    reasons = own.get("/patchbay/health").json()["reasons"]
    assert any(reason.startswith("hasty limits our rate for ") for reason in reasons), reasons
    deadline = time.monotonic() + 10
    while own.post(*ask("chat", "hasty/m")).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    output = own.program.wait_for_output("hasty answers again.")
    assert output.count("hasty limits our rate (rate_limit): it is left alone and tried again in 2 s.") == 1
    assert output.count("hasty answers again.") == 1


def test_a_key_that_is_refused_is_told_in_health_without_its_variable(own: Gateway, upstreams: Behind) -> None:
    upstreams.external.on(OPENAI, json_answer(error_body("chat"), 401))
    assert own.post(*ask("chat", "gpt-9")).status == 502
    answer = own.get("/patchbay/health")
    assert "openai refuses its key; the log says which variable to look at." in answer.json()["reasons"]
    assert b"OPENAI_API_KEY" not in answer.body
    output = own.program.wait_for_output("openai refuses the key (auth): it is left alone and tried again in 60 s.")
    assert "openai refuses the key in OPENAI_API_KEY" in output
