"""The site of the pages in a browser: nothing from elsewhere, and its search finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from tests.browser.visit import Visitor
from tests.docs.site import build_site


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    @override
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the site is served on this machine."""
    folder: Path = tmp_path_factory.mktemp("site")
    build_site(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", ["index", "concepts", "reference", "command-line"])
def test_a_page_asks_nobody_else(visitor: Visitor, address: str, name: str) -> None:
    page = visitor.open(f"{address}/{name}.html")
    assert page.locator("h1").inner_text().rstrip("#").strip() != ""
    for picture in page.locator(".col-md-9 img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")


def test_the_search_finds_a_message(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/index.html")
    page.locator("a[data-bs-target='#mkdocs_search_modal']").first.click()
    query = page.locator("#mkdocs-search-query")
    query.press_sequentially("AccountCoreQuotaReache")
    found = page.locator("#mkdocs-search-results a[href*='troubleshooting.html']").first
    # Keys that come before the index has been read are not heard: the last letter is typed anew.
    deadline = time.monotonic() + 60
    while not found.is_visible():
        assert time.monotonic() < deadline, "nothing was found"
        query.press("d")
        page.wait_for_timeout(200)
        if not found.is_visible():
            query.press("Backspace")


def test_the_dark_page_is_dark(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/concepts.html", dark=True)
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
