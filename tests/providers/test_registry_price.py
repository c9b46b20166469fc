"""``price`` in the registry: what may stand there, and whose price counts for a call."""

from pathlib import Path

import pytest

from providers.calls import ClientRequest, read_call
from providers.errors import ConfigurationError
from providers.exchange.price import Price, rates
from providers.planning import plan_call
from providers.registry import Registry, load
from providers.registry_price import PriceEntry
from providers.wire.endpoints import endpoint_of
from providers.wire.events import Usage

REGISTRY = """\
providers:
  local: {price: free}
  acme: {kind: compatible, base_url: "https://acme.example/v1", price: {input: 1, output: 2}}
  plain: {kind: compatible, base_url: "https://plain.example/v1"}
models:
  dear: {target: acme/m, price: {input: 10, output: 20, cache_read: 0.5}}
  dearer: {target: dear, price: {input: 100, output: 200}}
  through: dear
  mixed:
    targets: [{target: plain/m, price: 0}, acme/m]
    price: {input: 7, output: 8}
  named: {target: plain/m, fallback_on: {overloaded: acme/m}, price: {input: 5, output: 6}}
"""


@pytest.fixture(name="registry")
def fixture_registry(tmp_path: Path) -> Registry:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    return load({}, tmp_path, root=None)


@pytest.mark.parametrize("written", ["free", 0, 0.0])
def test_free_is_a_price_of_nothing(written: object) -> None:
    price = PriceEntry.model_validate(written).price()
    assert price.cost(Usage(10**6, 10**6, 5, 5, 5, 5, searches=9)) == 0
    assert price.source == "registry"


def test_each_kind_has_its_rate() -> None:
    kinds = {"cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6.0, "reasoning": 9.0, "search": 10.0}
    price = PriceEntry.model_validate({"input": 3, "output": 15, **kinds}).price()
    assert price == Price(
        rates(3.0, 15.0, cache_read=0.3, cache_write=3.75, cache_write_1h=6.0, reasoning=9.0, search=10.0), "registry"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("price: cheap", "must be free, or a mapping with input and output"),
        ("price: 3", "must be free, or a mapping with input and output"),
        ("price: false", "must be free, or a mapping with input and output"),
        ("price: {input: 3}", "price.output: is missing"),
        ("price: {input: -1, output: 1}", "price.input"),
        ("price: {input: .inf, output: 1}", "price.input"),
        ("price: {input: a, output: 1}", "must be a number"),
        ("price: {input: 1, output: 1, cached: 1}", "is no field here"),
    ],
)
def test_what_is_no_price_is_told_with_its_place(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "registry.yaml").write_text(f"models:\n  m:\n    target: local/x\n    {written}\n")
    with pytest.raises(ConfigurationError) as raised:
        load({}, tmp_path, root=None)
    assert said in str(raised.value)
    assert "registry.yaml:4" in str(raised.value)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("anything", 0.0),
        ("acme/m", 1.0),
        ("plain/m", None),
        ("dear", 10.0),
        ("through", 10.0),
        ("dearer", 100.0),
        ("mixed", 0.0),
        ("named", 5.0),
    ],
)
def test_the_route_has_the_last_word(registry: Registry, model: str, expected: float | None) -> None:
    endpoint = endpoint_of("POST", "/v1/chat/completions")
    assert endpoint
    body = b'{"model":"%s","messages":[]}' % model.encode()
    planned = plan_call(registry, (), read_call(ClientRequest(endpoint, "", [], body), 1000), id="pb-1", created=1)
    price = planned.plan.first.price
    assert (None if price is None else price.input) == expected


def test_an_entrys_price_is_that_of_all_its_targets_and_stand_ins(registry: Registry) -> None:
    mixed = registry.resolve("mixed").targets
    assert [target.price.input if target.price else None for target in mixed] == [0.0, 7.0]
    (named,) = registry.resolve("named").targets
    # As with deadlines: what an entry sets holds for all that it leads to, whoever that is.
    assert [target.price for target in named.fallback_on["overloaded"]] == [named.price]


def test_the_schema_knows_the_short_forms() -> None:
    assert PriceEntry.model_json_schema()["anyOf"][0] == {"enum": ["free", 0]}
