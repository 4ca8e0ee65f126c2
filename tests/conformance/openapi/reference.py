"""Where the documents of the service lie, and what is read from them.

They are no part of this repository: on a machine that does not have them beside it, whatever needs
them is skipped. It must not know what is checked against them.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance.openapi.responses import Codes
from tests.conformance.openapi.schema import Surface
from tests.conformance.openapi.swagger import read_swagger
from tests.conformance.openapi.wire import read_wire

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "azure-batch"
NEWEST = "2025-06-01"
ABSENT = f"the service's documents are not in {FOLDER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Every surface by its version, and the error codes."""

    surfaces: Mapping[str, Surface]
    codes: Codes

    @property
    def newest(self) -> Surface:
        """The surface that has every operation by the name that azure-batch gives it."""
        return self.surfaces[NEWEST]

    def surfaces_for(self, version: str) -> tuple[Surface, ...]:
        """What a response of a version is held against: the newest version only adds to the
        documents of the earlier ones, and one that has no document is nearest to the oldest."""
        if version == NEWEST:
            return tuple(self.surfaces.values())
        oldest = min(self.surfaces)
        return (self.surfaces.get(version, self.surfaces[oldest]),)


@cache
def read_reference() -> Reference | None:
    """All of it; None where it is not there."""
    if not FOLDER.is_dir():
        return None
    surfaces = [read_wire(_load(FOLDER / f"wire-{NEWEST}.json"))]
    surfaces += [read_swagger(_load(path)) for path in sorted((FOLDER / "openapi").glob("*.json"))]
    return Reference(
        surfaces={surface.version: surface for surface in surfaces},
        codes=_read_codes(FOLDER / "error-codes.tsv"),
    )


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _read_codes(path: Path) -> Codes:
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            statuses[row["code"]] |= {int(row["http"])} if row["http"] else set()
    return Codes(statuses={code: frozenset(found) for code, found in statuses.items()})
