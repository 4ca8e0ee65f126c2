"""Where prices come from: the option, the environment, a table, Azure's list."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.pricing import (
    Asked,
    NoPriceError,
    price_for_run,
    read_asked,
    region_of,
)
from runner.errors import UsageError
from runner.plan.prices.node_price import NodePrice
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, make_workload
from tests.unit.cli.worlds import make_world
from tests.unit.remote.retail_service import RetailService, item, serve_prices

ENDPOINT = "https://mine.westeurope.batch.azure.com"
TABLE = "currency: EUR\nvm_sizes:\n  Standard_D2s_v5: {dedicated: 0.11, spot: 0.03}\n"
POOL = SPEC[SPEC.index("pool:") : SPEC.index("task:")]


class Scene:
    """A folder with a table of prices, and a price service."""

    def __init__(self, folder: Path, service: RetailService) -> None:
        self.folder = folder
        self.service = service
        self.world, _, self.stderr = make_world(folder)
        self.environ = {
            "BATCH_RUN_PRICES_ENDPOINT": service.endpoint,
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        self.world.environ = self.environ
        (folder / "prices.yaml").write_text(TABLE)

    def workload(self, limit: str | None, pool: str = POOL) -> Workload:
        limits = "" if limit is None else f"limits: {{cost: {limit}}}\n"
        return make_workload(self.folder, SPEC.replace(POOL, f"{limits}{pool}"))

    def price(
        self,
        given: str | None,
        limit: str | None = None,
        *,
        pool: str = POOL,
        endpoint: str | None = ENDPOINT,
    ) -> NodePrice | None:
        sizes = {"mine": "Standard_D2s_v5"}
        return price_for_run(
            self.workload(limit, pool),
            given,
            self.world,
            endpoint=endpoint,
            ask_pool=sizes.get,
        )

    def said(self) -> str:
        assert isinstance(self.stderr, io.StringIO)
        return self.stderr.getvalue()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serve_prices() as service:
        yield Scene(tmp_path, service)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("prices.yaml", Asked(file="prices.yaml")),
        ("./azure", Asked(file="./azure")),
        ("azure", Asked()),
        ("azure:westeurope", Asked(region="westeurope")),
        ("azure:EUR", Asked(currency="EUR")),
        ("azure:eastus2:CHF", Asked(region="eastus2", currency="CHF")),
    ],
)
def test_what_is_asked_for(given: str, asked: Asked) -> None:
    assert read_asked(given, {"BATCH_RUN_PRICES": "other.yaml"}) == asked
    assert read_asked(None, {"BATCH_RUN_PRICES": given}) == asked


def test_nobody_has_to_ask() -> None:
    assert read_asked(None, {"BATCH_RUN_PRICES": ""}) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("azure:West Europe", "`West Europe` is neither a region nor a currency"),
        # In small letters it would be a region, whose prices are in another currency.
        ("azure:westeurope:eur", "`eur` is neither a region nor a currency"),
        ("azure:westeurope:northeurope", "`northeurope` is one too many"),
        ("azure:EUR:USD", "`USD` is one too many"),
        ("azure:", "`` is neither a region nor a currency"),
    ],
)
def test_what_cannot_be_asked_for(given: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_asked(given, {})
    assert (caught.value.message, caught.value.hint) == (
        f"`{given}`: {message}",
        f"write `azure:westeurope:EUR`; a file of that name is `./{given}`",
    )


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        (ENDPOINT, "westeurope"),
        ("https://mine.eastus2.batch.azure.com/", "eastus2"),
        ("https://mine.eastus2.batch.azure.com:443", "eastus2"),
        ("http://127.0.0.1:5000/localbatch", None),
        ("https://a.b.batch.azure.com.example", None),
        (None, None),
    ],
)
def test_the_region_is_in_the_name_of_the_account(endpoint: str | None, region: str | None) -> None:
    assert region_of(endpoint) == region


def test_nobody_is_asked_where_nobody_wants_a_price(scene: Scene) -> None:
    assert scene.price(None) is None
    assert scene.price(None, "5", endpoint=None) is None
    assert scene.service.asked == []


def test_a_table_tells_the_price(scene: Scene) -> None:
    price = scene.price("prices.yaml")
    assert price is not None
    assert (price.dedicated, price.spot, price.source) == (0.11, 0.03, "prices.yaml")


def test_a_limit_alone_asks_azure_in_its_currency_and_keeps_the_answer(scene: Scene) -> None:
    price = scene.price(None, "5 EUR")
    assert price is not None
    assert (price.dedicated, price.currency) == (0.11, "EUR")
    assert scene.price(None, "5 EUR") == price
    assert len(scene.service.asked) == 1
    assert scene.service.asked[0]["currencyCode"] == ["'EUR'"]


def test_a_pool_of_the_users_is_asked_for_its_vm_size(scene: Scene) -> None:
    price = scene.price("prices.yaml", pool="pool: {existing: mine}\n")
    assert price is not None
    assert scene.price("prices.yaml", pool="pool: {existing: other}\n") is None
    assert scene.said() == "note: price not known: the VM size of pool `other` is not known here\n"


def test_a_run_goes_on_without_a_price_that_was_only_asked_for(scene: Scene) -> None:
    scene.service.status = 503
    assert scene.price("azure") is None
    assert scene.said() == (
        "note: price not known: the price service answered 503 Service Unavailable (give a table of"
        " your own: `--prices FILE`)\n"
    )


@pytest.mark.parametrize(
    ("given", "limit", "endpoint", "message", "hint"),
    [
        (
            None,
            "5",
            "http://127.0.0.1:1/localbatch",
            "the region is not known, whose prices Azure is to be asked for",
            "name it: `--prices azure:westeurope`, or give a table: `--prices FILE`",
        ),
        (
            "other.yaml",
            "5",
            ENDPOINT,
            "other.yaml has no price of `Standard_D2s_v5`",
            "did you mean `Standard_D2s_v4`? in the table: `Standard_D2s_v4`",
        ),
        (
            "prices.yaml",
            "5 USD",
            ENDPOINT,
            "`limits.cost` is in USD, and prices.yaml in EUR",
            "nothing is converted: give both in one currency",
        ),
        (
            "spot.yaml",
            "5",
            ENDPOINT,
            "spot.yaml has no price of dedicated nodes of `Standard_D2s_v5`",
            "add `dedicated` to `Standard_D2s_v5` in a table of your own: `--prices FILE`",
        ),
        (
            "azure:USD",
            "5",
            ENDPOINT,
            "the price service answered 503 Service Unavailable",
            "give a table of your own: `--prices FILE`",
        ),
    ],
)
def test_a_limit_is_refused_that_could_not_be_kept(
    scene: Scene, given: str | None, limit: str, endpoint: str, message: str, hint: str
) -> None:
    (scene.folder / "other.yaml").write_text(TABLE.replace("v5", "v4"))
    (scene.folder / "spot.yaml").write_text(TABLE.replace("dedicated: 0.11, ", ""))
    scene.service.status = 503
    with pytest.raises(NoPriceError) as caught:
        scene.price(given, limit, endpoint=endpoint)
    assert caught.value.message == f"`limits.cost` needs the price of nodes: {message}"
    assert caught.value.hint == hint
    assert caught.value.exit_code == 2


def test_windows_nodes_have_prices_of_their_own(scene: Scene) -> None:
    pool = POOL.replace("ubuntu-24_04-lts", "windowsserver").replace(
        "pool:\n", "pool:\n  os: windows\n"
    )
    spec = SPEC.replace(POOL, pool).replace("cat {{", "type {{")
    workload = make_workload(scene.folder, spec)
    price = price_for_run(
        workload, "azure:EUR", scene.world, endpoint=ENDPOINT, ask_pool=lambda pool: None
    )
    assert price is not None
    assert price.dedicated == 0.19


def test_what_one_service_says_is_not_kept_for_another(scene: Scene) -> None:
    first = scene.price("azure:EUR")
    with serve_prices() as other:
        other.pages = ((item("D2s v5", 0.2),),)
        scene.environ["BATCH_RUN_PRICES_ENDPOINT"] = other.endpoint
        second = scene.price("azure:EUR")
    assert first is not None
    assert second is not None
    assert (first.dedicated, second.dedicated) == (0.11, 0.2)


def test_without_a_folder_for_caches_the_price_is_read_each_time(scene: Scene) -> None:
    del scene.environ["XDG_CACHE_HOME"]
    scene.service.pages = ((item("D2s v5", 0.2),),)
    for _ in range(2):
        price = scene.price("azure:EUR")
        assert price is not None
        assert price.dedicated == 0.2
    assert len(scene.service.asked) == 2


def test_a_table_that_is_missing_or_wrong_is_refused_in_any_case(scene: Scene) -> None:
    with pytest.raises(UsageError) as missing:
        scene.price("nowhere.yaml")
    assert missing.value.message == (
        "cannot read the prices `nowhere.yaml`: no such file or directory"
    )
    (scene.folder / "prices.yaml").write_text("currency: EUR\n")
    with pytest.raises(SpecError):
        scene.price("prices.yaml")
