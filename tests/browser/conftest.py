"""A browser that stays off the network, and axe-core; tests ask for `visitor`.

`BATCH_RUN_CHROMIUM` names another Chromium than that of the PATH. The browser's own
network services are off, and requests of pages are let through one by one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.visit import LIMIT_MILLISECONDS, Trouble, Visitor
from tests.npm_packages import cache_folder, install_pinned

HERE = Path(__file__).resolve().parent
AXE = Path("node_modules", "axe-core", "axe.min.js")
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=LIMIT_MILLISECONDS)


# Not of the whole session: while it is open, Playwright has an event loop run in this thread, and
# tests of other modules could have none of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module; skips where there is none."""
    program = os.environ.get("BATCH_RUN_CHROMIUM") or _find_program()
    if program is None:
        pytest.skip("Chromium is not installed; `BATCH_RUN_CHROMIUM` may name one")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        try:
            yield chromium
        finally:
            chromium.close()


@pytest.fixture(scope="session")
def axe(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """The text of axe-core, for who calls it: others need no npm."""

    def read() -> str:
        installed = install_pinned(HERE, cache_folder(request.config, tmp_path_factory, "axe-core"))
        if not isinstance(installed, Path):
            pytest.skip(f"axe-core cannot be had: {installed}")
        return (installed / AXE).read_text(encoding="utf-8")

    return read


@pytest.fixture
def visitor(browser: Browser, axe: Callable[[], str]) -> Iterator[Visitor]:
    """Opens pages; what they have done that no page of ours may do fails the test at its end."""
    trouble = Trouble()
    with ExitStack() as stack:
        yield Visitor(browser=browser, axe=axe, trouble=trouble, stack=stack)
    assert trouble.unexpected() == []


def _find_program() -> str | None:
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
