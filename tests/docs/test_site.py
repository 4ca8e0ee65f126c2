"""The pages as a site: built without a warning, with every page, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.docs.pages import ROOT, read_sections, slug
from tests.docs.site import build_site

PAGES = sorted((ROOT / "docs").glob("*.md"))
LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("use", "href")}


class Page(HTMLParser):
    """What a page loads, where it leads, and which anchors it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (tag, name) in LOADING and value:
                self.loads.append(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew."""
    folder = tmp_path_factory.mktemp("site")
    build_site(folder)
    return folder


def in_nav(entries: object) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        for each in entries.values():
            yield from in_nav(each)
    elif isinstance(entries, list):
        for each in entries:
            yield from in_nav(each)


def test_every_page_has_its_place_once() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(in_nav(config["nav"])) == [page.name for page in PAGES]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for target in read_page(path).loads:
            assert "//" not in target, (path.name, target)
            if path.name != "404.html":
                assert (path.parent / target.partition("?")[0]).is_file(), (path.name, target)
    for path in site.rglob("*.css"):
        for target in re.findall(r"url\(([^)]+)\)|@import", path.read_text(encoding="utf-8")):
            assert "//" not in target or target.strip("'\"").startswith("data:"), path.name


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.name: read_page(path) for path in site.glob("*.html")}
    for name, page in pages.items():
        for link in page.links:
            if "://" in link or link.startswith("mailto:") or name == "404.html":
                continue
            target, _, anchor = unquote(link).partition("#")
            target = "index.html" if target == "." else target or name
            assert (site / target).is_file(), (name, link)
            if anchor and target.endswith(".html"):
                assert anchor in pages[target].anchors, (name, link)


def test_anchors_are_those_of_the_repository(site: Path) -> None:
    """Links to a section hold in both places."""
    for source in PAGES:
        anchors = read_page(site / f"{source.stem}.html").anchors
        for section in read_sections(source):
            assert slug(section.title) in anchors, section.place


def test_every_section_is_found_by_searching(site: Path) -> None:
    found = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    places = {entry["location"] for entry in found["docs"]}
    for source in PAGES:
        assert f"{source.stem}.html" in places


def test_lists_and_tables_are_understood(site: Path) -> None:
    """A table that is read as text shows its bars, and a list its signs."""
    for path in site.glob("*.html"):
        text = re.sub(
            r"<(pre|code)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        assert not re.search(r"^\|.*\|$", text, re.MULTILINE), path.name
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert not re.search(r"\n\s*[-*] ", paragraph), (path.name, paragraph[:200])
            assert "```" not in paragraph, (path.name, paragraph[:200])
