"""F22, F23: a provider that refuses our key, or has no more money for us, is told in the log and counted."""

from collections.abc import Iterator

import pytest

from tests.fake_answers import json_answer
from tests.fake_dialects import error_body
from tests.rig_gateway import KEYS, WAYS, Behind, Gateway, ask, run_gateway
from tests.rig_metrics import samples

OPENAI = "/openai/v1/chat/completions"
GROQ = "/groq/openai/v1/chat/completions"
SPENT = {"error": {"message": "You exceeded your current quota.", "type": "insufficient_quota", "param": None,
                   "code": "insufficient_quota"}}  # fmt: skip


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_gateway(str(request.param), all_upstreams, tmp_path_factory.mktemp("keys")) as gateway:
        yield gateway


def test_it_is_told_once_and_counted_each_time(own: Gateway, upstreams: Behind) -> None:
    upstreams.external.on(OPENAI, json_answer(error_body("chat"), 401))
    upstreams.external.on(GROQ, json_answer(SPENT, 429))
    for _ in range(2):
        assert own.post(*ask("chat", "gpt-9")).status == 502
        assert own.post(*ask("chat", "groq/some-model")).status == 429
    told = samples(own)["patchbay_key_troubles_total"]
    assert told == {("openai", "auth"): 2, ("groq", "spend_limit"): 2}
    output = own.program.wait_for_output("GROQ_API_KEY is spent")
    assert output.count("openai refuses the key in OPENAI_API_KEY: put a valid one there") == 1
    assert output.count("groq says that the money or the quota behind the key in GROQ_API_KEY is spent") == 1
    assert not [key for key in KEYS.values() if key in output]
