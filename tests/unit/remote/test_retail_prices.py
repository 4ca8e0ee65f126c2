"""Prices as Azure's price service lists them, from a service on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.plan.prices.node_price import NodePrice
from runner.remote.price_cache import find_price
from runner.remote.retail_items import choose_price
from runner.remote.retail_prices import PricesUnknownError, RetailQuery, fetch_price, listed_name
from tests.unit.remote.retail_service import ITEMS, RetailService, item, serve_prices

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
QUERY = RetailQuery(vm_size="Standard_D2s_v5", region="westeurope", currency="EUR")
PRICE = NodePrice(
    vm_size="Standard_D2s_v5",
    currency="EUR",
    dedicated=0.11,
    spot=0.02,
    source="Azure's list prices (westeurope)",
    as_of="2026-01-31",
)


class Passed:
    """Time that passes by pauses alone."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


@pytest.fixture
def service() -> Iterator[RetailService]:
    with serve_prices() as found:
        yield found


def fetch(
    service: RetailService, query: RetailQuery = QUERY, passed: Passed | None = None
) -> NodePrice:
    time = passed or Passed()
    return fetch_price(
        query,
        endpoint=service.endpoint,
        now=NOW,
        monotonic=lambda: time.seconds,
        pause=time.pause,
    )


def test_the_price_in_effect_is_found_among_all_meters_of_a_size(service: RetailService) -> None:
    assert fetch(service) == PRICE
    assert service.asked == [
        {
            "currencyCode": ["'EUR'"],
            "$filter": [
                (
                    "serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope'"
                    " and armSkuName eq 'Standard_D2s_v5' and priceType eq 'Consumption'"
                )
            ],
        }
    ]


@pytest.mark.parametrize(
    ("told", "listed"),
    [
        ("standard_d2s_v5", "Standard_D2s_v5"),
        ("standard_ds1_v2", "Standard_DS1_v2"),
        ("standard_nc24ads_a100_v4", "Standard_NC24ads_A100_v4"),
        ("standard_e4-2s_v5", "Standard_E4-2s_v5"),
        ("standard_hb120rs_v3", "Standard_HB120rs_v3"),
        ("basic_a1", "Basic_A1"),
        ("Standard_B2ms", "Standard_B2ms"),
    ],
)
def test_sizes_as_batch_tells_them_are_asked_for_as_they_are_listed(told: str, listed: str) -> None:
    assert listed_name(told) == listed


def test_all_pages_are_read(service: RetailService) -> None:
    service.pages = (ITEMS[:1], ITEMS[1:3], ITEMS[3:])
    assert fetch(service) == PRICE
    assert len(service.asked) == 3


def test_windows_has_meters_of_its_own(service: RetailService) -> None:
    query = RetailQuery(
        vm_size="Standard_D2s_v5", region="westeurope", currency="EUR", windows=True
    )
    price = fetch(service, query)
    assert (price.dedicated, price.spot) == (0.19, 0.05)


def test_without_spot_the_price_of_low_priority_nodes_stands_in() -> None:
    items = [each for each in ITEMS if "Spot" not in each["skuName"]]
    assert choose_price(items, windows=False, currency="EUR", now=NOW) == (0.11, 0.04)
    only = [item("D2s v5", 0.11)]
    assert choose_price(only, windows=False, currency="EUR", now=NOW) == (0.11, None)


@pytest.mark.parametrize(
    "more",
    [
        {"retailPrice": 0.0},
        {"retailPrice": "0.1"},
        {"retailPrice": True},
        {"retailPrice": 10**400},
        {"unitOfMeasure": "1 Month"},
        {"tierMinimumUnits": 100.0},
        {"productName": "Dsv5 Series Dedicated Host"},
    ],
)
def test_what_is_not_an_hour_of_one_machine_is_no_price(more: dict[str, object]) -> None:
    items = [{**item("D2s v5", 0.1), **more}]
    assert choose_price(items, windows=False, currency="EUR", now=NOW) is None


def test_a_size_that_is_not_listed_is_said_so(service: RetailService) -> None:
    service.pages = ((),)
    with pytest.raises(PricesUnknownError) as caught:
        fetch(service)
    assert caught.value.message == (
        "Azure lists no price of `Standard_D2s_v5` in region `westeurope` in EUR"
    )
    assert caught.value.hint == (
        "check the VM size and the region, or give a table of your own: `--prices FILE`"
    )


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (503, b"", "the price service answered 503 Service Unavailable"),
        (302, b"", "the price service answered 302 Found"),
        (200, b"<html>", "the price service's answer is no JSON"),
        (200, b"[]", "the price service's answer is no list of prices"),
        (200, b"[" * 100_000, "the price service's answer is no JSON"),
        (200, b'{"Items": [1]}', "the price service's answer is no list of prices"),
        (200, b"{}", "the price service's answer is no list of prices"),
        (200, b" " * 9_000_000, "the price service's answer does not end"),
    ],
)
def test_an_answer_that_is_no_list_of_prices_is_told(
    service: RetailService, status: int, body: bytes, message: str
) -> None:
    service.status, service.body = status, body
    with pytest.raises(PricesUnknownError) as caught:
        fetch(service)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("busy", "retry_after", "pauses"),
    [(1, "3", [3.0]), (3, None, [1.0, 2.0, 4.0]), (1, "soon", [1.0]), (2, "0", [0.0, 0.0])],
)
def test_a_service_that_is_busy_is_asked_again(
    service: RetailService, busy: int, retry_after: str | None, pauses: list[float]
) -> None:
    service.busy, service.retry_after = busy, retry_after
    passed = Passed()
    assert fetch(service, passed=passed) == PRICE
    assert (passed.pauses, len(service.asked)) == (pauses, busy + 1)


@pytest.mark.parametrize(
    ("retry_after", "pauses"), [("60", []), ("0", [0.0] * 4), (None, [1.0, 2.0, 4.0])]
)
def test_a_service_that_stays_busy_is_not_waited_for_any_longer(
    service: RetailService, retry_after: str | None, pauses: list[float]
) -> None:
    service.busy, service.retry_after = 1_000, retry_after
    passed = Passed()
    with pytest.raises(PricesUnknownError) as caught:
        fetch(service, passed=passed)
    assert caught.value.message == "the price service answered 429 Too Many Requests"
    assert passed.pauses == pauses


@pytest.mark.parametrize("link", ["http://elsewhere.example/prices", "http://["])
def test_a_next_page_is_only_followed_where_the_first_was(
    service: RetailService, link: str
) -> None:
    service.next_page = link
    with pytest.raises(PricesUnknownError) as caught:
        fetch(service)
    assert caught.value.message == "the price service leads to a page elsewhere"


def test_pages_without_end_are_not_read_for_ever(service: RetailService) -> None:
    service.next_page = service.endpoint
    passed = iter(range(1_000))
    with pytest.raises(PricesUnknownError) as caught:
        fetch_price(
            QUERY,
            endpoint=service.endpoint,
            now=NOW,
            monotonic=lambda: next(passed) * 4.0,
            pause=Passed().pause,
        )
    assert "end" in caught.value.message or "within 15 seconds" in caught.value.message


def test_a_service_out_of_reach_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(PricesUnknownError) as caught:
        fetch_price(
            QUERY,
            endpoint=f"http://127.0.0.1:{port}/prices",
            now=NOW,
            monotonic=lambda: 0.0,
            pause=Passed().pause,
        )
    assert caught.value.message.startswith("the price service does not answer: ")


class Shelf:
    """A cache in a folder, and a service that can be out of reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "prices"
        self.asked = 0
        self.is_down = False
        self.told: list[str] = []

    def find(self, now: datetime = NOW) -> NodePrice:
        return find_price(QUERY, self.folder, fetch=self.fetch, now=now, tell=self.told.append)

    def fetch(self, query: RetailQuery) -> NodePrice:
        assert query == QUERY
        self.asked += 1
        if self.is_down:
            raise PricesUnknownError("the price service does not answer: no route to host")
        return PRICE


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_price_is_kept_for_a_day(shelf: Shelf) -> None:
    assert [shelf.find(), shelf.find(NOW + timedelta(hours=23))] == [PRICE, PRICE]
    assert shelf.asked == 1
    shelf.find(NOW + timedelta(hours=25))
    assert shelf.asked == 2
    # A clock that was set back makes nothing fresh.
    shelf.find(NOW - timedelta(days=3))
    assert shelf.asked == 3


def test_out_of_reach_the_price_that_was_kept_counts_and_its_age_is_said(shelf: Shelf) -> None:
    shelf.find()
    shelf.is_down = True
    price = shelf.find(NOW + timedelta(days=3))
    assert price.source == "Azure's list prices (westeurope), 3 days old"
    assert (price.dedicated, price.as_of) == (0.11, "2026-01-31")
    assert shelf.told == [
        "note: the price service does not answer: no route to host; using the prices of 2026-01-31"
    ]


def test_with_nothing_kept_it_is_not_known(shelf: Shelf) -> None:
    shelf.is_down = True
    with pytest.raises(PricesUnknownError):
        shelf.find()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"v": 1, "price": {}}', b"\xff\xfe", b"[" * 100_000],
    ids=lambda content: repr(content[:16]),
)
def test_a_cache_that_is_damaged_is_written_anew(shelf: Shelf, content: bytes) -> None:
    shelf.find()
    (kept,) = shelf.folder.iterdir()
    kept.write_bytes(content)
    assert shelf.find() == PRICE
    assert shelf.asked == 2
    assert shelf.find() == PRICE
    assert shelf.asked == 2


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('"dedicated": 0.11', '"dedicated": NaN'),
        ('"dedicated": 0.11', '"dedicated": -0.11'),
        ('"dedicated": 0.11', '"dedicated": 1e999'),
        ('"dedicated": 0.11, "spot": 0.02', '"dedicated": null, "spot": null'),
        ('"EUR"', '"USD"'),
        ('"Standard_D2s_v5"', '"Standard_D64s_v5"'),
        ('"Standard_D2s_v5"', "2"),
        ('"as_of": "2026-01-31"', '"as_of": ["today"]'),
    ],
)
def test_no_money_is_counted_by_a_cache_that_cannot_be_true(
    shelf: Shelf, written: str, instead: str
) -> None:
    shelf.find()
    (kept,) = shelf.folder.iterdir()
    content = kept.read_text()
    assert written in content
    kept.write_text(content.replace(written, instead))
    assert shelf.find() == PRICE
    assert shelf.asked == 2


def test_a_cache_of_a_time_to_come_is_no_less_than_new(shelf: Shelf) -> None:
    shelf.find(NOW + timedelta(days=3))
    shelf.is_down = True
    assert shelf.find().source == "Azure's list prices (westeurope), 0 days old"


def test_a_cache_that_cannot_be_written_is_done_without(shelf: Shelf) -> None:
    shelf.folder.write_text("a file")
    assert shelf.find() == PRICE
    assert shelf.told == [f"note: prices are not kept in `{shelf.folder}`: file exists"]
