import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from providers.catalog import ModelEntry
from scripts import banner

LOADED = ModelEntry("qwen3-8b", "local", "qwen3-8b", status="loaded")
SLEEPING = ModelEntry("sleepy", "local", "sleepy", status="unloaded")
DEMO = ModelEntry("demo", "demo", "demo")
CLOUD = ModelEntry("gpt-5", "openai", "gpt-5")
STATES = {"local": "ready", "anthropic": "no key: set ANTHROPIC_API_KEY", "openai": "ready", "demo": "ready"}
FACTS = banner.Facts(
    addresses=[("127.0.0.1", 8088), ("::1", 8088)],
    states=STATES,
    models=[LOADED, SLEEPING, CLOUD, DEMO],
    database=Path("/somewhere/patchbay.db"),
)


def test_the_whole_banner() -> None:
    assert banner.lines(FACTS) == [
        "Patchbay listens on http://127.0.0.1:8088 (and http://[::1]:8088)",
        "The page            http://127.0.0.1:8088/patchbay/",
        "",
        "Providers",
        "  local      ready, 2 models",
        "  anthropic  no key: set ANTHROPIC_API_KEY",
        "  openai     ready, 1 model",
        "  demo       ready, 1 model",
        "  4 models in all (`patchbay models` lists them)",
        "",
        "Clients of Anthropic (Claude Code, the anthropic SDK)",
        "  export ANTHROPIC_BASE_URL=http://127.0.0.1:8088",
        "  export ANTHROPIC_API_KEY=patchbay",
        "Clients of OpenAI (Codex, the openai SDK, most others)",
        "  export OPENAI_BASE_URL=http://127.0.0.1:8088/v1",
        "  export OPENAI_API_KEY=patchbay",
        "",
        "Try it",
        "  curl -N http://127.0.0.1:8088/v1/chat/completions -H 'content-type: application/json' "
        '-d \'{"model": "qwen3-8b", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}\'',
        "",
        "Every call is recorded in /somewhere/patchbay.db (`patchbay log` lists them)",
    ]


def test_mitmweb_and_notices_are_told() -> None:
    told = banner.lines(dataclasses.replace(FACTS, web="http://127.0.0.1:8081", notices=["X is no setting"]))
    assert told[2] == "mitmweb shows the traffic on http://127.0.0.1:8081"
    assert told[-1] == "Note: X is no setting"


@pytest.mark.parametrize(
    ("models", "states", "tried"),
    [
        ([SLEEPING, LOADED, DEMO, CLOUD], {}, "qwen3-8b"),
        ([SLEEPING, CLOUD, DEMO], {}, "demo"),  # a model that must be loaded first does not answer right now
        ([LOADED, CLOUD, DEMO], {"local": "unreachable: connection refused"}, "demo"),
        ([LOADED, DEMO], {"local": "ready (it wants an API key, which clients send)"}, "demo"),
        ([CLOUD], {}, "gpt-5"),
        ([CLOUD], {"openai": "unauthorized: it refuses the key"}, None),
        ([], {}, None),
    ],
)
def test_the_model_to_try_is_one_that_answers_at_once(
    models: list[ModelEntry], states: dict[str, str], tried: str | None
) -> None:
    facts = dataclasses.replace(FACTS, models=models, states=STATES | states)
    assert banner.model_to_try(facts) == tried
    assert ("Try it" in banner.lines(facts)) == (tried is not None)


def test_the_curl_survives_a_shell_whatever_the_model_is_called() -> None:
    words = shlex.split(banner.curl("http://127.0.0.1:1", 'it\'s "odd" $HOME `x`'))
    assert json.loads(words[-1])["model"] == 'it\'s "odd" $HOME `x`'


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (("127.0.0.1", 1), "http://127.0.0.1:1"),
        (("::1", 1), "http://[::1]:1"),
        (("0.0.0.0", 1), "http://127.0.0.1:1"),
        (("::", 1), "http://[::1]:1"),
        (("192.168.1.2", 1), "http://192.168.1.2:1"),
    ],
)
def test_an_address_as_a_client_would_write_it(address: tuple[str, int], url: str) -> None:
    assert banner.url_of(address) == url
