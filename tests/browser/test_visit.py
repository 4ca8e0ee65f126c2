"""What makes a test of a page fail: a request to elsewhere, a script's error, a dialog."""

from __future__ import annotations

from pathlib import Path

from tests.browser.visit import Visitor


def test_a_page_that_asks_others_or_speaks_up_is_told_on(visitor: Visitor, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<!DOCTYPE html><title>x</title><img alt='' src='http://192.0.2.1/x.png'>"
        "<script>console.warn('w'); alert('a'); throw new Error('e')</script>"
    )

    visitor.open_file(page)

    expected = ["request: http://192.0.2.1/x.png", "console: w", "dialog: a", "script: e"]
    visitor.trouble.expected = [*expected, "console: Failed to load resource"]
    assert visitor.trouble.unexpected() == []
    assert set(expected) <= set(visitor.trouble.lines)


def test_axe_finds_what_nobody_can_read(visitor: Visitor, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<!DOCTYPE html><html lang='en'><title>x</title><main><h1>x</h1>"
        "<p style='color: #ccc; background: #fff'>pale</p></main></html>"
    )

    (finding,) = visitor.serious_findings(visitor.open_file(page))

    assert finding.startswith("color-contrast (serious): ")
