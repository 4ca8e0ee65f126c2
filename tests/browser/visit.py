"""Pages in a browser that must not reach the network, and what is wrong with them.

It knows nothing of what the pages show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Route

LIMIT_MILLISECONDS = 60_000
_SERIOUS = frozenset({"serious", "critical"})


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What no page of ours may do: each in one line, as it happened."""

    lines: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """Beginnings of lines that a test wants to see."""

    def unexpected(self) -> list[str]:
        """The lines that no test has asked for."""
        return [each for each in self.lines if not each.startswith(tuple(self.expected))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Opens pages, each in a profile of its own, and closes them with the test."""

    browser: Browser
    axe: Callable[[], str]
    """The text of axe-core; skips the test where it cannot be had."""
    trouble: Trouble
    stack: ExitStack

    def open(
        self,
        url: str,
        *,
        javascript: bool = True,
        dark: bool = False,
        width: int = 1280,
        height: int = 900,
    ) -> Page:
        """A page that has loaded. `file:` pages may read files, others ask their own server alone.

        A request to elsewhere, an error of a script, a dialog: each fails the test at its end.
        """
        context = self.stack.enter_context(
            _context(
                self.browser,
                java_script_enabled=javascript,
                color_scheme="dark" if dark else "light",
                viewport={"width": width, "height": height},
                reduced_motion="reduce",
                locale="en-GB",
                timezone_id="UTC",
            )
        )
        context.set_default_timeout(LIMIT_MILLISECONDS)
        own = "file:///" if url.startswith("file:") else "/".join(url.split("/", 3)[:3]) + "/"
        context.route("**/*", lambda route, request: self._pass_or_refuse(route, request, own))
        page: Page = context.new_page()
        # Functions, not methods: Playwright keeps notes on the object of a method, which has slots.
        page.on("console", lambda message: _note_console(self.trouble, message))
        page.on("pageerror", lambda error: self.trouble.lines.append(f"script: {error}"))
        page.on("dialog", lambda dialog: _note_dialog(self.trouble, dialog))
        page.goto(url)
        return page

    def open_file(self, path: Path, **options: Any) -> Page:
        """The same for a file of this machine."""
        return self.open(path.resolve().as_uri(), **options)

    def serious_findings(self, page: Page) -> list[str]:
        """What axe-core finds serious or critical in the page as it stands, a line each."""
        # Evaluated by the browser's debugger: the page's own policy keeps strange scripts out.
        text = self.axe()
        if page.evaluate("typeof axe") == "undefined":  # it outlasts a change of the address's end
            page.evaluate(text + "\n;null")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
        return [
            f"{each['id']} ({each['impact']}): {each['help']}: {node['html'][:200]}"
            for each in found["violations"]
            if each["impact"] in _SERIOUS
            for node in each["nodes"]
        ]

    def _pass_or_refuse(self, route: Route, request: Request, own: str) -> None:
        if request.url.startswith((own, "data:", "blob:")):
            route.continue_()
            return
        self.trouble.lines.append(f"request: {request.url}")
        route.abort()


def _note_console(trouble: Trouble, message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"}:
        trouble.lines.append(f"console: {message.text}")


def _note_dialog(trouble: Trouble, dialog: Dialog) -> None:
    trouble.lines.append(f"dialog: {dialog.message}")
    dialog.dismiss()


@contextmanager
def _context(browser: Browser, **options: Any) -> Iterator[Any]:
    context = browser.new_context(**options)
    try:
        yield context
    finally:
        context.close()
