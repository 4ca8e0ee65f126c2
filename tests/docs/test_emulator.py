"""The tables of the emulator's reference say what there is; links of its pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.operations.table import OLDER_OPERATIONS, OPERATIONS, Operation
from runner.emulator.blob.operations.table import OPERATIONS as BLOB_OPERATIONS
from runner.emulator.options import build_parser
from tests.docs.pages import ROOT, read_links, read_sections, slug

PAGE = ROOT / "docs" / "emulator-reference.md"
ROW = re.compile(r"^\| `(?P<name>[a-z_]+)` \| (?P<rest>.+) \|$", re.MULTILINE)
SECTION = re.compile(r"^## Operations\n(.+?)^## ", re.MULTILINE | re.DOTALL)

BLOB_ROW = re.compile(r"^\| (?P<name>[A-Z][A-Za-z ]+) \| (?P<how>[a-z0-9]+) \|", re.MULTILINE)
BLOB_SECTION = re.compile(r"^## Blob Storage\n(.+?)^## ", re.MULTILINE | re.DOTALL)


def rows() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Name and state of each operation; those of older versions apart."""
    match = SECTION.search(PAGE.read_text(encoding="utf-8"))
    assert match is not None
    new, old = match[1].split("Versions before have these too.")
    return (
        [(row["name"], row["rest"].split(" | ")[0]) for row in ROW.finditer(new)],
        [(row["name"], row["rest"].split(" | ")[1]) for row in ROW.finditer(old)],
    )


def states(operations: tuple[Operation, ...]) -> list[tuple[str, bool]]:
    return [(each.name, each.handler is not None) for each in operations]


def test_every_operation_has_its_row() -> None:
    new, old = rows()
    assert [(name, how != "501") for name, how in new] == states(OPERATIONS)
    assert len(new) == 72
    assert {how for _, how in new} <= {"emulated", "simulated", "501"}
    assert [(name, how != "501") for name, how in old] == states(OLDER_OPERATIONS)


def test_every_operation_of_blob_storage_has_its_row() -> None:
    match = BLOB_SECTION.search(PAGE.read_text(encoding="utf-8"))
    assert match is not None
    found = {row["name"]: row["how"] for row in BLOB_ROW.finditer(match[1])}

    assert set(found.values()) == {"emulated", "501"}
    assert {name: how == "emulated" for name, how in found.items()} == BLOB_OPERATIONS


def test_every_option_has_its_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## Options") : text.index("## What it does")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `--")]
    found = [name for row in rows for name in re.findall(r"`(--[a-z-]+)", row)]
    actions = build_parser()._actions
    assert sorted(found) == sorted(
        name
        for action in actions
        for name in action.option_strings
        if name.startswith("--") and name != "--help"
    ), f"each option has its place in {PAGE.name}"


def test_the_limits_are_those_that_are_checked() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## Limits and quotas") : text.index("`--quota NAME=NUMBER` bounds")]
    limits = Limits()
    assert [
        [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row.split("|")[2])]
        for row in table.splitlines()
        if row.startswith("| ") and row[2] != "w"
    ] == [
        [limits.tasks_per_collection, limits.collection_bytes // 1024**2],
        [limits.body_bytes // 1024**2],
        [limits.page_size, limits.counts_page_size],
        [limits.slots_per_node],
        [limits.nodes_per_removal],
        [limits.dependency_characters],
        [limits.nodes_per_pool, 100_000],
    ]


PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "docs" / "architecture.md",
    *sorted((ROOT / "docs").glob("emulator*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in read_links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in {slug(section.title) for section in read_sections(target)}, link


def test_the_map_has_every_package_of_the_emulator() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    chart = text[text.index("```\nrunner/emulator/\n") :].split("```")[1]
    found: list[str] = []
    folders: list[str] = []
    for line in chart.splitlines()[2:]:
        folders[(len(line) - len(line.lstrip())) // 2 - 1 :] = [line.split()[0].rstrip("/")]
        found.append("/".join(folders))
    home = ROOT / "runner" / "emulator"
    packages = [path.parent.relative_to(home).as_posix() for path in home.rglob("__init__.py")]
    assert sorted(found) == sorted(set(packages) - {"."})
