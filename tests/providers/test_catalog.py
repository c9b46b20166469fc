"""The merged list: several providers behind one mock network, the clock in the test's hand."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from providers.catalog import FRESH, LOCAL_FRESH, RETRY, Catalog
from providers.client import Client
from providers.registry import Registry, load

pytestmark = pytest.mark.anyio

REGISTRY = """\
providers:
  local: {kind: llamacpp, base_url: "http://local"}
  openai: {kind: openai, base_url: "http://openai/v1"}
  anthropic: {kind: anthropic, base_url: "http://anthropic"}
  openrouter: {kind: openrouter, base_url: "http://openrouter/v1"}
  static: {kind: compatible, base_url: "http://static/v1", models: [s1, gpt-4]}
models:
  fast: local/tiny
  best: openrouter/anthropic/claude-x
  odd: static
  shadow: openai/gpt-4
  off: gone/x
""".replace("  off: gone/x\n", "")
KEYS = {"OPENAI_API_KEY": "k1", "ANTHROPIC_API_KEY": "k2", "OPENROUTER_API_KEY": "k3"}
LISTS: dict[str, list[str]] = {
    "local": ["tiny", "openai/oss", "shadow", "claude-local"],
    "openai": ["gpt-4", "whisper"],
    "anthropic": ["claude-x", "other"],
    "openrouter": ["anthropic/claude-x", "openai/oss"],
}


class World:
    """Providers that answer or fail as told, a clock, and a catalog over them."""

    def __init__(self, folder: Path, text: str = REGISTRY, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.now = 1000.0
        self.asked: list[str] = []
        self.lists = {host: list(ids) for host, ids in LISTS.items()}
        self.down: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.reload(text, environ if environ is not None else KEYS)
        client = Client(httpx.MockTransport(self._answer))
        self.gone: list[str] = []
        self.catalog = Catalog(lambda: self.registry, client, lambda: self.now, on_unreachable=self.gone.append)

    def reload(self, text: str, environ: dict[str, str]) -> None:
        (self.folder / "registry.yaml").write_text(text, encoding="utf-8")
        self.registry: Registry = load(environ, self.folder, root=None)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.asked.append(host)
        await asyncio.sleep(0)
        if host in self.down:
            return self.down[host](request)
        if host not in self.lists:
            return httpx.Response(404)
        return httpx.Response(200, json={"data": [{"id": name} for name in self.lists[host]]})

    async def ids(self) -> dict[str, str]:
        return {entry.id: entry.provider for entry in await self.catalog.models()}


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_merged_list_in_order(world: World) -> None:
    assert list((await world.ids()).items()) == [
        ("tiny", "local"),
        ("openai/oss", "local"),
        ("local/shadow", "local"),
        ("claude-local", "local"),
        ("claude-x", "anthropic"),
        ("anthropic/other", "anthropic"),
        ("gpt-4", "openai"),
        ("openai/whisper", "openai"),
        ("openrouter/anthropic/claude-x", "openrouter"),
        ("openrouter/openai/oss", "openrouter"),
        ("demo", "demo"),
        ("static/s1", "static"),
        ("static/gpt-4", "static"),
        ("fast", "local"),
        ("best", "openrouter"),
        ("odd", "static"),
        ("shadow", "openai"),
    ]


async def test_each_listed_id_leads_to_its_provider(world: World) -> None:
    for entry in await world.catalog.models():
        local = world.catalog.local_ids()
        assert world.registry.resolve(entry.id, local).targets[0].provider.name == entry.provider


async def test_providers_without_a_key_are_not_asked(tmp_path: Path) -> None:
    world = World(tmp_path, environ={})
    assert set((await world.ids()).values()) == {"local", "demo", "static"}
    assert sorted(world.asked) == ["local", "static"]


async def test_a_dead_provider_costs_its_entries_only(world: World) -> None:
    world.down = {"openai": refuse, "openrouter": lambda request: httpx.Response(500), "local": refuse}
    ids = await world.ids()
    assert set(ids.values()) == {"anthropic", "demo", "static", "openrouter", "openai", "local"}
    assert [name for name, provider in ids.items() if provider in ("openai", "openrouter", "local")] == [
        *("fast", "best", "shadow")
    ]
    assert world.catalog.errors() == {
        "local": "no connection",
        "openai": "no connection",
        "openrouter": "answered 500",
    }


async def test_who_cannot_be_reached_is_told(world: World) -> None:
    world.down = {"openai": refuse, "openrouter": lambda request: httpx.Response(500), "local": refuse}
    await world.catalog.refresh()
    assert sorted(world.gone) == ["local", "openai"]


async def test_all_at_the_same_time(world: World) -> None:
    arrived: set[str] = set()
    everybody = asyncio.Event()

    async def wait_for_all(request: httpx.Request) -> httpx.Response:
        arrived.add(request.url.host)
        if len(arrived) == 5:
            everybody.set()
        await everybody.wait()
        return httpx.Response(200, json={"data": []})

    catalog = Catalog(lambda: world.registry, Client(httpx.MockTransport(wait_for_all)))
    await asyncio.wait_for(catalog.models(), 2)


async def test_it_is_kept_for_its_time(world: World) -> None:
    await world.ids()
    world.asked.clear()
    world.now += LOCAL_FRESH - 1
    await world.ids()
    assert world.asked == []
    world.now += 1
    await world.ids()
    assert world.asked == ["local"]
    world.asked.clear()
    world.now += FRESH
    await world.ids()
    assert sorted(world.asked) == ["anthropic", "local", "openai", "openrouter", "static"]


async def test_stale_while_error_and_asked_again_a_little_later(world: World) -> None:
    before = await world.ids()
    world.now += FRESH
    world.down = {host: refuse for host in LISTS}
    assert await world.ids() == before
    world.asked.clear()
    world.now += RETRY - 1
    assert await world.ids() == before
    assert world.asked == []
    world.now += 1
    world.down = {}
    world.lists["openai"] = ["gpt-new"]
    ids = await world.ids()
    assert "gpt-new" in ids
    assert world.catalog.errors() == {}


async def test_many_callers_share_one_request(world: World) -> None:
    await asyncio.gather(*(world.catalog.models() for _ in range(20)))
    assert sorted(world.asked) == ["anthropic", "local", "openai", "openrouter", "static"]


async def test_a_caller_that_leaves_takes_nothing_from_the_others(world: World) -> None:
    first = asyncio.create_task(world.catalog.models())
    second = asyncio.create_task(world.catalog.models())
    await asyncio.sleep(0)
    first.cancel()
    assert "tiny" in {entry.id for entry in await second}
    assert len(world.asked) == 5


async def test_refresh_asks_at_once(world: World) -> None:
    await world.ids()
    world.lists["local"].append("new")
    await world.catalog.refresh()
    assert "new" in world.catalog.local_ids()


async def test_a_reload_forgets_what_a_changed_provider_listed(world: World) -> None:
    await world.ids()
    world.asked.clear()
    world.reload(REGISTRY, {**KEYS, "OPENAI_API_KEY": "other"})
    await world.ids()
    assert world.asked == ["openai"]
    world.reload(REGISTRY, {name: key for name, key in KEYS.items() if name != "OPENAI_API_KEY"})
    assert "openai" not in (await world.ids()).values()


async def test_local_ids_ask_nobody_and_know_the_aliases_of_llama_server(world: World) -> None:
    assert world.catalog.local_ids() == frozenset()
    assert world.asked == []
    world.down["local"] = lambda request: httpx.Response(
        200, json={"data": [{"id": "tiny", "aliases": ["small", 3]}, {"id": "b", "aliases": "x"}]}
    )
    await world.catalog.refresh()
    assert world.catalog.local_ids() == {"tiny", "small", "b"}


async def test_knowing_the_local_server_waits_only_the_first_time(world: World) -> None:
    await world.catalog.know_local(1)
    assert world.asked == ["local"]
    assert "tiny" in world.catalog.local_ids()
    await world.catalog.know_local(1)
    assert world.asked == ["local"]
    world.now += LOCAL_FRESH
    await world.catalog.know_local(1)
    assert "tiny" in world.catalog.local_ids()
    await asyncio.sleep(0.05)
    assert world.asked == ["local", "local"]


async def test_find(world: World) -> None:
    assert world.catalog.find("tiny") is None
    await world.catalog.models()
    for name, provider, upstream in (
        ("tiny", "local", "tiny"),
        ("local/tiny", "local", "tiny"),
        ("openrouter/anthropic/claude-x", "openrouter", "anthropic/claude-x"),
        ("openai/gpt-4", "openai", "gpt-4"),
        ("best", "openrouter", "anthropic/claude-x"),
    ):
        entry = world.catalog.find(name)
        assert entry is not None
        assert (entry.provider, entry.upstream_id) == (provider, upstream)
    assert world.catalog.find("nobody") is None


async def test_pages_are_followed(world: World) -> None:
    queries: list[str] = []

    def pages(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.query.decode())
        last = "after_id=claude-1" in queries[-1]
        return httpx.Response(200, json={"data": [{"id": "claude-2" if last else "claude-1"}], "has_more": not last})

    world.down["anthropic"] = pages
    ids = await world.ids()
    assert {"claude-1", "claude-2"} <= set(ids)
    assert queries == ["limit=1000", "limit=1000&after_id=claude-1"]


async def test_a_list_without_end_is_cut(world: World) -> None:
    world.down["anthropic"] = lambda request: httpx.Response(200, json={"data": [{"id": "claude-1"}], "has_more": True})
    await asyncio.wait_for(world.ids(), 2)
    assert world.asked.count("anthropic") == 20


async def test_what_a_model_reads_is_known_by_each_of_its_names_at_its_provider(world: World) -> None:
    local, openai = world.registry.local, world.registry.providers["openai"]
    assert world.catalog.window(local, "tiny") is None
    assert world.asked == []
    listed = {"data": [{"id": "tiny", "aliases": ["small"], "meta": {"n_ctx": 4096}}, {"id": "b"}]}
    world.down["local"] = lambda request: httpx.Response(200, json=listed)
    await world.catalog.refresh()
    assert [world.catalog.window(local, name) for name in ("tiny", "small", "b", "gone")] == [4096, 4096, None, None]
    assert world.catalog.window(openai, "tiny") is None


async def test_an_alias_is_listed_as_long_as_one_of_its_targets_can_be_asked(world: World) -> None:
    text = REGISTRY + "  either: {targets: [openai/gpt-4, local/tiny]}\n  neither: {targets: [openai/gpt-4]}\n"
    world.reload(text, {})
    ids = await world.ids()
    assert ids["either"] == "local"
    assert "neither" not in ids


async def test_who_did_not_answer_lately_is_known_for_a_minute(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def dawdle(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    world = World(tmp_path)
    assert world.catalog.unreachable() == frozenset()
    world.down = {"openai": refuse, "local": dawdle, "anthropic": lambda _request: httpx.Response(500)}
    await world.catalog.refresh()
    assert world.catalog.unreachable() == {"openai", "local"}  # who answers with an error is there
    world.now += 59
    assert world.catalog.unreachable() == {"openai", "local"}
    world.now += 2
    assert world.catalog.unreachable() == frozenset()
    await world.catalog.refresh()
    world.down.clear()
    await world.catalog.refresh()
    assert world.catalog.unreachable() == frozenset()


SEVERAL = """\
providers:
  local: {kind: llamacpp, base_url: "http://local"}
  gpu: {kind: llamacpp, endpoints: [{base_url: "http://one"}, {base_url: "http://two"}, {base_url: "http://three"}]}
"""


def several(folder: Path, **lists: list[str]) -> World:
    world = World(folder, SEVERAL, {})
    world.lists |= lists
    return world


async def test_any_server_that_answers_is_asked_for_the_models(tmp_path: Path) -> None:
    world = several(tmp_path, three=["m"])
    world.down = {"one": refuse, "two": lambda request: httpx.Response(503)}
    assert "gpu/m" in await world.ids()
    assert world.asked[-3:] == ["one", "two", "three"]
    assert world.catalog.errors() == {}
    assert world.gone == []


async def test_if_none_of_them_answers_the_last_one_says_why(tmp_path: Path) -> None:
    world = several(tmp_path)
    world.down = {"one": lambda request: httpx.Response(500), "two": refuse, "three": refuse}
    await world.catalog.refresh()
    assert world.catalog.errors() == {"gpu": "no connection"}
    assert world.gone == ["gpu"]


async def test_a_silent_server_leaves_the_others_some_of_the_time(tmp_path: Path) -> None:
    world = several(tmp_path)
    given: dict[str, float] = {}

    def note(request: httpx.Request) -> httpx.Response:
        given[request.url.host] = request.extensions["timeout"]["read"]
        world.now += given[request.url.host]
        raise httpx.ReadTimeout("silent")

    world.down = {"one": note, "two": note, "three": note}
    await world.catalog.refresh()
    assert [round(seconds, 3) for seconds in given.values()] == [round(5 / 3, 3)] * 3


async def test_what_was_asked_of_a_provider_before_it_was_changed_is_not_kept(world: World) -> None:
    answers = asyncio.Event()

    async def later(request: httpx.Request) -> httpx.Response:
        await answers.wait()
        return httpx.Response(200, json={"data": [{"id": "old"}]})

    catalog = Catalog(lambda: world.registry, Client(httpx.MockTransport(later)))
    asking = asyncio.create_task(catalog.refresh())
    await asyncio.sleep(0)
    world.reload(REGISTRY.replace("http://local", "http://elsewhere"), KEYS)
    catalog.forget("local")
    answers.set()
    await asking
    assert catalog.local_ids() == frozenset()
    assert "local" not in catalog._listings  # its old key would be kept with it
    assert "openai" in catalog._listings
    catalog.forget("openai")
    assert "openai" not in catalog._listings
