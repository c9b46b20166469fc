"""What calls cost: the table of providers with sums by hand, whose price counts, and what stays unknown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
import pytest

from providers.catalog import Catalog
from providers.client import Client
from providers.exchange.account import AttemptAccount, ExchangeAccount
from providers.exchange.price import Price, rates
from providers.exchange.settlement import settle_try
from providers.price_table import PriceTable
from providers.pricing import Prices
from providers.registry import Registry, load
from providers.wire.events import NO_USAGE, Usage

WHEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()
REGISTRY = """\
providers:
  groq: {kind: compatible, base_url: "https://api.groq.com/openai/v1"}
  acme: {kind: compatible, base_url: "https://llm.acme.example/v1"}
  priced: {kind: compatible, base_url: "https://priced.example/v1", price: {input: 1, output: 2}}
  vllm: {kind: compatible, base_url: "http://127.0.0.1:8000/v1", models: [gpt-4o]}
  home: {kind: llamacpp, base_url: "http://127.0.0.1:8001", price: free}
"""
KEYS = {
    "OPENAI_API_KEY": "openai-key-0123456789",
    "ANTHROPIC_API_KEY": "anthropic-key-0123456789",
    "OPENROUTER_API_KEY": "openrouter-key-0123456789",
}
OPENROUTER_LIST = {
    "data": [
        {
            "id": "acme/new-1",
            "pricing": {"prompt": "0.000002", "completion": "0.000008", "input_cache_read": "0.0000005"},
        },
        {"id": "openai/gpt-4o-mini"},
    ]
}


class CountingTable(PriceTable):
    """The real table, which counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.prepared = 0

    def prepare(self) -> Thread:
        self.prepared += 1
        return super().prepare()

    def find(self, place: str, name: str, model: str, terms: str | None, when: float) -> Price | None:
        self.asked.append(model)
        return super().find(place, name, model, terms, when)


class World:
    """A registry, a catalog over a network that only OpenRouter answers, and the prices."""

    def __init__(self, folder: Path, text: str = REGISTRY, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.reload(text, KEYS if environ is None else environ)
        client = Client(httpx.MockTransport(lambda request: httpx.Response(200, json=self._list(request))))
        self.catalog = Catalog(lambda: self.registry, client)
        self.table = CountingTable()
        self.prices = Prices(lambda: self.registry, self.catalog, self.table, lambda: WHEN)

    def reload(self, text: str, environ: dict[str, str]) -> None:
        (self.folder / "registry.yaml").write_text(text)
        self.registry: Registry = load(environ, self.folder, root=None)

    def _list(self, request: httpx.Request) -> object:
        return OPENROUTER_LIST if request.url.host == "openrouter.ai" else {"data": []}

    def settled(self, *attempts: AttemptAccount, operation: str = "chat", at: float = WHEN) -> ExchangeAccount:
        account = ExchangeAccount("pb-1", at, "p", "k", "chat", operation, "m", "m", False)
        account.attempts += attempts
        self.prices.settle_cost(account)
        return account


def attempt(provider: str, model: str, used: Usage, price: Price | None = None) -> AttemptAccount:
    account = AttemptAccount(provider, model, price=price)
    settle_try(account, used)
    return account


@pytest.fixture(name="world", scope="module")
def fixture_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(name="fresh")
def fixture_fresh(tmp_path: Path) -> World:
    return World(tmp_path)


# provider/model, what was used, US dollars by hand (None: unknown), whose word. Prices per million tokens, read from
# the vendors' pages on 2026-11-20: input, output, read from the cache, written for 5 minutes, written for an hour.
TABLE: list[tuple[str, Usage, float | None, str]] = [
    # Claude Sonnet 4.5: 3, 15, 0.30, 3.75, 6; above 200,000 tokens of prompt 6, 22.50, 0.60, 7.50, 12.
    ("anthropic/claude-sonnet-4-5", Usage(1000, 500), 0.003 + 0.0075, "genai-prices"),
    (
        "anthropic/claude-sonnet-4-5",
        Usage(10_000, 500, 8000, 1500),
        0.0015 + 0.0024 + 0.005625 + 0.0075,
        "genai-prices",
    ),
    ("anthropic/claude-sonnet-4-5", Usage(10_000, 0, 0, 2000, None, 2000), 0.024 + 0.012, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", Usage(10_000, 0, 0, 2000, None, 500), 0.024 + 0.005625 + 0.003, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", Usage(300_000, 1000, 200_000), 0.6 + 0.12 + 0.0225, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", Usage(1000, 500, reasoning=450), 0.003 + 0.0075, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", Usage(1000, 0, searches=2), 0.003 + 0.02, "genai-prices"),
    ("anthropic/claude-sonnet-4-5", Usage(1000, 500, terms="geo"), None, ""),
    ("anthropic/claude-of-nobody", Usage(1000, 500), None, ""),
    # GPT-5: 1.25, 10, 0.125; flex half, priority twice that. Writing to the cache costs nothing of its own.
    ("openai/gpt-5", Usage(1000, 500), 0.00125 + 0.005, "genai-prices"),
    ("openai/gpt-5", Usage(10_000, 500, 8000, 1000, 300), 0.0025 + 0.001 + 0.005, "genai-prices"),
    ("openai/gpt-5", Usage(1000, 500, terms="flex"), 0.000625 + 0.0025, "genai-prices"),
    ("openai/gpt-5", Usage(1000, 500, terms="priority"), 0.0025 + 0.01, "genai-prices"),
    ("openai/gpt-5", Usage(1000, 500, terms="flex+tools"), None, ""),
    ("openai/gpt-4o-mini", Usage(1000, 500, terms="flex"), None, ""),
    ("openai/text-embedding-3-small", Usage(1_000_000), 0.02, "genai-prices"),
    # OpenRouter says itself what it charged; else its public prices, by its own names.
    ("openrouter/anthropic/claude-sonnet-4.5", Usage(1000, 500, cost=0.0123), 0.0123, "provider"),
    ("openrouter/deepseek/free", Usage(1000, 500, cost=0.0), 0.0, "provider"),
    ("openrouter/anthropic/claude-sonnet-4.5", Usage(1000, 500), 0.003 + 0.0075, "genai-prices"),
    ("openrouter/acme/unknown", Usage(1000, 500), None, ""),
    ("openrouter/acme/unknown", Usage(cost=0.5), 0.5, "provider"),
    # Llama 3.3 70B at Groq: 0.59, 0.79. Its address says who it is.
    ("groq/llama-3.3-70b-versatile", Usage(1_000_000, 1_000_000), 0.59 + 0.79, "genai-prices"),
    # Nobody knows what servers of one's own cost, whatever their models are called; the registry may say it.
    ("acme/gpt-4o", Usage(1000, 500), None, ""),
    ("vllm/gpt-4o", Usage(1000, 500), None, ""),
    ("local/gpt-4o", Usage(1000, 500), None, ""),
    ("demo/demo", Usage(1000, 500), None, ""),
    ("gone/gpt-4o", Usage(1000, 500), None, ""),
]


@pytest.mark.parametrize(("model", "used", "expected", "source"), TABLE)
def test_the_cost_of_a_call(world: World, model: str, used: Usage, expected: float | None, source: str) -> None:
    provider, _, name = model.partition("/")
    account = world.settled(attempt(provider, name, used))
    (only,) = account.attempts
    assert account.cost == only.cost == (None if expected is None else pytest.approx(expected))
    assert account.price_source == only.price_source == source


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (Usage(1000, 500), 0.002),
        (Usage(1000, 500, terms="flex"), 0.002),  # the operator's word, whatever a provider calls its terms
        (Usage(1000, 500, cost=0.5), 0.5),
    ],
)
def test_the_registrys_price_comes_behind_the_providers_figure(world: World, used: Usage, expected: float) -> None:
    price = Price(rates(1.0, 2.0), "registry")
    account = world.settled(attempt("anthropic", "claude-sonnet-4-5", used, price))
    assert account.cost == pytest.approx(expected)
    assert account.price_source == ("registry" if used.cost is None else "provider")


@pytest.mark.anyio
async def test_a_providers_own_list_comes_ahead_of_the_public_table(fresh: World) -> None:
    used = Usage(1000, 500, 400)
    assert fresh.settled(attempt("openrouter", "acme/new-1", used)).cost is None
    await fresh.catalog.refresh()
    account = fresh.settled(attempt("openrouter", "acme/new-1", used))
    assert account.cost == pytest.approx(600 * 2e-6 + 400 * 0.5e-6 + 500 * 8e-6)
    assert account.price_source == "provider list"
    assert fresh.settled(attempt("openrouter", "acme/new-1", Usage(1000, 500, terms="flex"))).cost is None
    unlisted = fresh.settled(attempt("openrouter", "openai/gpt-4o-mini", used))
    assert unlisted.price_source == "genai-prices"


@pytest.mark.parametrize(
    "attempts",
    [
        [],  # refused by us: nobody was asked
        [attempt("anthropic", "claude-sonnet-4-5", NO_USAGE)],  # it said nothing of what it used
        [attempt("openai", "gpt-5", Usage(None, 500))],  # half of it is not all of it
    ],
)
def test_what_nobody_counted_has_no_cost(world: World, attempts: Sequence[AttemptAccount]) -> None:
    account = world.settled(*attempts)
    assert (account.cost, account.price_source) == (None, "")


@pytest.mark.parametrize("operation", ["count_tokens", "input_tokens"])
def test_counting_a_prompt_uses_none_of_it(world: World, operation: str) -> None:
    account = world.settled(attempt("anthropic", "claude-sonnet-4-5", Usage(1000)), operation=operation)
    assert account.cost is None
    assert account.attempts[0].cost is None


def test_the_sum_of_all_attempts(world: World) -> None:
    broken = attempt("anthropic", "claude-sonnet-4-5", Usage(1000, 1))
    silent = attempt("openai", "gpt-5", NO_USAGE)
    last = attempt("openrouter", "acme/unknown", Usage(1000, 500, cost=0.5))
    account = world.settled(broken, silent, last)
    assert [one.cost for one in account.attempts] == [pytest.approx(0.003015), None, 0.5]
    assert account.cost == pytest.approx(0.503015)
    assert account.price_source == "genai-prices"  # the least sure of both


def test_a_part_that_is_unknown_makes_the_sum_unknown(world: World) -> None:
    account = world.settled(attempt("acme", "m", Usage(1000, 1)), attempt("openai", "gpt-5", Usage(1000, 500)))
    assert (account.cost, account.price_source) == (None, "")
    assert [one.price_source for one in account.attempts] == ["", "genai-prices"]


def test_a_price_is_looked_up_once_for_a_quarter_of_an_hour(fresh: World) -> None:
    for at in (WHEN, WHEN + 899, WHEN, WHEN + 900, WHEN + 1799, WHEN + 10):
        fresh.settled(attempt("openai", "gpt-5", Usage(1, 1)), at=at)
    fresh.settled(attempt("openai", "no-such-model", Usage(1, 1)))
    fresh.settled(attempt("openai", "no-such-model", Usage(1, 1)))
    assert fresh.table.asked == ["gpt-5", "gpt-5", "no-such-model"]


def test_what_clients_write_fills_no_memory(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.pricing._MOST_KEPT", 2)
    for model in ("a", "b", "c", "c", "a"):
        fresh.settled(attempt("openai", model, Usage(1, 1)))
    assert fresh.table.asked == ["a", "b", "c", "a"]


def test_nothing_is_loaded_for_those_who_only_serve_themselves(tmp_path: Path) -> None:
    world = World(tmp_path, "providers:\n  vllm: {kind: compatible, base_url: 'http://127.0.0.1:1/v1'}\n", {})
    world.prices.prepare()
    assert world.settled(attempt("local", "m", Usage(1, 1))).cost is None
    assert world.settled(attempt("vllm", "m", Usage(1, 1))).cost is None
    assert world.table.prepared == 0
    world.reload(REGISTRY, KEYS)
    world.settled(attempt("local", "m", Usage(1, 1)))  # the next call that ends, whichever it is
    assert world.table.prepared == 1


def test_what_a_model_costs_is_told_to_people(world: World) -> None:
    of = world.registry.providers
    assert world.prices.price_of(of["priced"], "m") == Price(rates(1.0, 2.0), "registry")
    assert world.prices.price_of(of["home"], "m") == Price(rates(0.0, 0.0, search=0.0), "registry")
    sonnet = world.prices.price_of(of["anthropic"], "claude-sonnet-4-5")
    assert sonnet is not None
    assert (sonnet.input, sonnet.output, sonnet.cache_read, sonnet.cache_write) == (3.0, 15.0, 0.3, 3.75)
    assert world.prices.price_of(of["local"], "claude-sonnet-4-5") is None
