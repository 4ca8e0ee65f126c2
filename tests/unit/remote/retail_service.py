"""A price service on this machine: items in the form that Microsoft documents, made for tests.

They are not recorded from the service; names are as its documentation has them, prices are not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def item(sku: str, price: float, **more: Any) -> dict[str, Any]:
    """One meter, by default of Linux on `Standard_D2s_v5` in West Europe."""
    return {
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": "westeurope",
        "location": "EU West",
        "effectiveStartDate": "2025-01-01T00:00:00Z",
        "meterId": "00000000-0000-0000-0000-000000000001",
        "meterName": sku,
        "productId": "DZH318Z0BQ4L",
        "skuId": "DZH318Z0BQ4L/0001",
        "productName": "Virtual Machines Dsv5 Series",
        "skuName": sku,
        "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "Standard_D2s_v5",
        **more,
    }


WINDOWS = "Virtual Machines Dsv5 Series Windows"
ITEMS = (
    item("D2s v5", 0.10, effectiveStartDate="2024-01-01T00:00:00Z"),
    item("D2s v5", 0.11),
    item("D2s v5", 0.99, effectiveStartDate="2099-01-01T00:00:00Z"),
    item("D2s v5 Spot", 0.02),
    item("D2s v5 Low Priority", 0.04),
    item("D2s v5", 0.19, productName=WINDOWS),
    item("D2s v5 Spot", 0.05, productName=WINDOWS),
    item("D2s v5", 900.0, type="Reservation", unitOfMeasure="1 Hour"),
    item("D2s v5", 0.77, productName="Dsv5 Series CloudServices"),
    item("D2s v5", 0.5, currencyCode="USD"),
)


@dataclass
class RetailService:
    """What it answers, and what it was asked."""

    pages: tuple[tuple[dict[str, Any], ...], ...] = (ITEMS,)
    status: int = 200
    body: bytes | None = None
    """Instead of a page."""
    next_page: str | None = None
    """Instead of the page that follows."""
    busy: int = 0
    """So many answers are 429, before those that count."""
    retry_after: str | None = None
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    endpoint: str = ""


@contextmanager
def serve_prices() -> Iterator[RetailService]:
    """Such a service, until the end of the context."""
    service = RetailService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            service.asked.append(query)
            if service.busy:
                service.busy -= 1
                self.send_response(429)
                if service.retry_after is not None:
                    self.send_header("Retry-After", service.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            number = int(query.get("$skip", ["0"])[0])
            content = service.body
            if content is None:
                has_more = number + 1 < len(service.pages)
                following = f"{service.endpoint}?$skip={number + 1}" if has_more else None
                items = service.pages[number]
                page = {
                    "BillingCurrency": "EUR",
                    "CustomerEntityId": "Default",
                    "CustomerEntityType": "Retail",
                    "Items": items,
                    "NextPageLink": service.next_page or following,
                    "Count": len(items),
                }
                content = json.dumps(page).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.endpoint = f"http://127.0.0.1:{server.server_port}/api/retail/prices"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
