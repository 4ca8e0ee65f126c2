"""The table of the emulator's operations says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from runner.emulator.batch.operations.table import OLDER_OPERATIONS, OPERATIONS, Operation
from runner.emulator.blob.operations.table import OPERATIONS as BLOB_OPERATIONS

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
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
