"""What `serve` prints once it listens: pure text from facts, so that it can be tested."""

import collections
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.catalog import ModelEntry
from providers.model_entry import LOADED
from providers.provider import LOCAL
from providers.virtual import DEMO

READY = "ready"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the banner tells.

    ``addresses`` are (host, port) that really listen, the advertised one first. ``states`` says of each provider
    `ready`, or why it is not (`no key: set X`, `unreachable: connection refused`).
    """

    addresses: Sequence[tuple[str, int]]
    states: Mapping[str, str]
    models: Sequence[ModelEntry]
    database: Path
    web: str | None = None
    notices: Sequence[str] = ()


def url_of(address: tuple[str, int]) -> str:
    """``http://host:port``, IPv6 in brackets; "any address" becomes the one that a client on this machine can use."""
    host, port = address
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def model_to_try(facts: Facts) -> str | None:
    """A model that answers right now: one that the local server has loaded, else the demo, else any, else None."""
    ready = [entry for entry in facts.models if facts.states.get(entry.provider) == READY]
    loaded = [entry for entry in ready if entry.provider == LOCAL and entry.status == LOADED]
    demo = [entry for entry in ready if entry.provider == DEMO]
    return next((entry.id for entry in (*loaded, *demo, *ready)), None)


def curl(base_url: str, model: str) -> str:
    """A command to paste into a shell: a streamed chat call."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -N {base_url}/v1/chat/completions -H 'content-type: application/json' -d '{text}'"


def address_lines(facts: Facts) -> list[str]:
    """Where clients connect, and where people look: said at once, before any provider has been asked."""
    also = [url_of(address) for address in facts.addresses[1:]]
    lines = [f"Patchbay listens on {url_of(facts.addresses[0])}" + (f" (and {', '.join(also)})" if also else "")]
    lines.append(f"The page            {url_of(facts.addresses[0])}/patchbay/")
    return lines + ([f"mitmweb shows the traffic on {facts.web}"] if facts.web else [])


def provider_lines(facts: Facts) -> list[str]:
    """Each provider with its state, and how many models there are."""
    counts = collections.Counter(entry.provider for entry in facts.models)
    width = max((len(name) for name in facts.states), default=0)
    rows = [
        f"  {name:<{width}}  {state}" + (f", {_models(counts[name])}" if counts[name] else "")
        for name, state in facts.states.items()
    ]
    return ["", "Providers", *rows, f"  {_models(len(facts.models))} in all (`patchbay models` lists them)"]


def _models(count: int) -> str:
    return f"{count} model" if count == 1 else f"{count} models"


def usage_lines(facts: Facts) -> list[str]:
    """What to set in a client, a call to try, and where things are."""
    base_url = url_of(facts.addresses[0])
    model = model_to_try(facts)
    lines = [
        "",
        "Clients of Anthropic (Claude Code, the anthropic SDK)",
        f"  export ANTHROPIC_BASE_URL={base_url}",
        "  export ANTHROPIC_API_KEY=patchbay",
        "Clients of OpenAI (Codex, the openai SDK, most others)",
        f"  export OPENAI_BASE_URL={base_url}/v1",
        "  export OPENAI_API_KEY=patchbay",
    ]
    if model:
        lines += ["", "Try it", f"  {curl(base_url, model)}"]
    lines += ["", f"Every call is recorded in {facts.database} (`patchbay log` lists them)"]
    return lines + [f"Note: {notice}" for notice in facts.notices]


def lines(facts: Facts) -> list[str]:
    """The whole banner."""
    return [*address_lines(facts), *provider_lines(facts), *usage_lines(facts)]
