"""Prices of virtual machines from Azure's public price service, which anybody may ask.

Microsoft Learn, "Azure Retail Prices REST API": a filter in OData, pages that name the next one. It
must not know what the prices are for, nor how long they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from runner.errors import ServiceError
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.plan.prices.node_price import NodePrice
from runner.remote.connections.responses import Response
from runner.remote.endurance import Patience
from runner.remote.faults import first_line, silence
from runner.remote.retail_items import choose_price
from runner.remote.transport import DirectTransport, open_transport

ENDPOINT = "https://prices.azure.com/api/retail/prices"
DEADLINE = timedelta(seconds=15)
"""Nobody wants to wait longer for a number that is a help and no more."""
_PATIENCE = Patience(connect_seconds=4, read_seconds=6)
_MOST_PAGES = 20
_MOST_TRIES = 5
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
# What is waited where the service does not say it; twice as long before each further try.
_PAUSE_SECONDS = 1.0
_SECONDS = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_MOST_BYTES = 8_000_000
_OK = 200
_VERSION = re.compile(r"v[0-9]+")
_FAMILY = re.compile(r"[a-z]+(?=[0-9])")


class PricesUnknownError(ServiceError):
    """The price service does not answer, or has no such price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailQuery:
    """Whose price is asked for: a VM size in a region, in a currency (ISO 4217)."""

    vm_size: str
    region: str
    currency: str
    windows: bool = False


def fetch_price(
    query: RetailQuery,
    *,
    endpoint: str,
    now: datetime,
    monotonic: Callable[[], float],
    pause: Callable[[float], object],
) -> NodePrice:
    """What the service says now; raises `PricesUnknownError`, after `DEADLINE` at the latest.

    Where it is busy, it is asked again after a `pause` of so many seconds.
    """
    deadline = monotonic() + DEADLINE.total_seconds()
    asking = _Asking(seconds_left=lambda: deadline - monotonic(), pause=pause)
    items = list(_items(query, endpoint, asking))
    found = choose_price(items, windows=query.windows, currency=query.currency, now=now)
    if found is None:
        raise PricesUnknownError(
            f"Azure lists no price of `{query.vm_size}` in region `{query.region}`"
            f" in {query.currency}",
            hint="check the VM size and the region, or give a table of your own: `--prices FILE`",
        )
    dedicated, spot = found
    return NodePrice(
        vm_size=query.vm_size,
        currency=query.currency,
        dedicated=dedicated,
        spot=spot,
        source=f"Azure's list prices ({query.region})",
        as_of=now.date().isoformat(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How long the answers may take."""

    seconds_left: Callable[[], float]
    pause: Callable[[float], object]


def _items(query: RetailQuery, endpoint: str, asking: _Asking) -> Iterator[Mapping[str, Any]]:
    """All items of all pages."""
    try:
        transport = open_transport(endpoint, _PATIENCE)
    except ValueError as error:
        raise PricesUnknownError(f"the URL of the price service is malformed: {error}") from error
    with transport:
        url: str | None = _url(endpoint, query)
        for _ in range(_MOST_PAGES):
            if url is None:
                return
            page = _page(transport, url, asking)
            yield from _listed(page.get("Items"))
            url = _next_page(page.get("NextPageLink"), endpoint)


def _url(endpoint: str, query: RetailQuery) -> str:
    terms = (
        ("serviceName", "Virtual Machines"),
        ("armRegionName", query.region),
        ("armSkuName", listed_name(query.vm_size)),
        ("priceType", "Consumption"),
    )
    # OData doubles a quote within a text.
    written = " and ".join(
        f"{name} eq '{value.replace(chr(39), chr(39) * 2)}'" for name, value in terms
    )
    mark = "&" if "?" in endpoint else "?"
    currency = quote(f"'{query.currency}'")
    return f"{endpoint}{mark}currencyCode={currency}&$filter={quote(written)}"


def listed_name(vm_size: str) -> str:
    """A VM size as the price service spells it, which tells capitals from small letters.

    Azure Batch tells the size of a pool in small letters: the family and the name of an accelerator
    have capitals, features and versions have not (`Standard_NC24ads_A100_v4`). One that has any
    capitals is taken to be right.
    """
    if not vm_size.islower():
        return vm_size
    tier, *parts = vm_size.split("_")
    return "_".join([tier.capitalize(), *map(_spelled, parts)])


def _spelled(part: str) -> str:
    if _VERSION.fullmatch(part):
        return part
    family = _FAMILY.match(part)
    end = 0 if family is None else family.end()
    return part[:end].upper() + part[end:]


def _page(transport: DirectTransport, url: str, asking: _Asking) -> Mapping[str, Any]:
    try:
        page = read_json(_content(transport, url, asking))
    except ValueError as error:
        raise PricesUnknownError("the price service's answer is no JSON") from error
    if not isinstance(page, dict):
        raise PricesUnknownError("the price service's answer is no list of prices")
    return page


def _content(transport: DirectTransport, url: str, asking: _Asking) -> bytes:
    """What a page says, asked for again where the service is busy and there is time for it."""
    for tried in range(_MOST_TRIES):
        response = _send(transport, url, asking.seconds_left())
        if response.status_code == _OK:
            return _read(response, asking)
        seconds = _pause_seconds(response.headers.get("Retry-After"), tried)
        is_last = tried + 1 == _MOST_TRIES or seconds >= asking.seconds_left()
        if response.status_code not in _BUSY or is_last:
            break
        response.close()
        asking.pause(seconds)
    raise PricesUnknownError(
        f"the price service answered {response.status_code} {first_line(response.reason)}"
    )


def _send(transport: DirectTransport, url: str, seconds_left: float) -> Response:
    if seconds_left <= 0:
        raise PricesUnknownError(f"no answer within {DEADLINE.total_seconds():g} seconds")
    request = HttpRequest("GET", url, headers={"Accept": "application/json"})
    try:
        return transport.send(
            request,
            stream=True,
            connection_timeout=min(seconds_left, _PATIENCE.connect_seconds),
            read_timeout=min(seconds_left, _PATIENCE.read_seconds),
        )
    except AzureError as error:
        raise PricesUnknownError(f"the price service does not answer: {silence(error)}") from error


def _read(response: Response, asking: _Asking) -> bytes:
    content = b""
    try:
        for piece in response.iter_bytes():
            content += piece
            if len(content) > _MOST_BYTES or asking.seconds_left() <= 0:
                response.close()
                raise PricesUnknownError("the price service's answer does not end")
    except AzureError as error:
        raise PricesUnknownError(f"the price service does not answer: {silence(error)}") from error
    return content


def _pause_seconds(told: str | None, tried: int) -> float:
    """As the service asks for, else longer each time."""
    if told is not None and _SECONDS.match(told):
        return float(told)
    return _PAUSE_SECONDS * 2.0**tried


def _listed(items: object) -> Iterable[Mapping[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise PricesUnknownError("the price service's answer is no list of prices")
    return items


def _next_page(link: object, endpoint: str) -> str | None:
    """Where the next page is; only ever where the first was."""
    if not link:
        return None
    try:
        is_there = isinstance(link, str) and urlsplit(link).hostname == urlsplit(endpoint).hostname
    except ValueError:
        is_there = False
    if not isinstance(link, str) or not is_there:
        raise PricesUnknownError("the price service leads to a page elsewhere")
    return link
