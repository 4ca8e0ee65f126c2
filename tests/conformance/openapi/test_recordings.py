"""The check against what the real service answered: it has to find nothing that is not listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.openapi.exchange import Exchange, exchange
from tests.conformance.openapi.findings import Fault, Finding
from tests.conformance.openapi.reference import ABSENT, FOLDER, Reference, read_reference
from tests.conformance.openapi.responses import check_response
from tests.conformance.openapi.superset import is_allowed

# Most recordings are of versions that have no document, and are held against a later one.
GONE = {
    "GET /lifetimejobstats": "gone since 2023-05-01.17.0",
    "GET /lifetimepoolstats": "gone since 2023-05-01.17.0",
    "NodeCounts.upgradingOS": "new in 2024-02-01.19.0",
    "TaskCountsResult.active": "in taskCounts since 2020-09-01.12.0",
    "TaskCountsResult.completed": "in taskCounts since 2020-09-01.12.0",
    "TaskCountsResult.failed": "in taskCounts since 2020-09-01.12.0",
    "TaskCountsResult.running": "in taskCounts since 2020-09-01.12.0",
    "TaskCountsResult.succeeded": "in taskCounts since 2020-09-01.12.0",
    "TaskCountsResult.validationStatus": "gone since 2018-08-01.7.0",
    "TaskCountsResult.taskCounts": "new in 2020-09-01.12.0",
    "TaskCountsResult.taskSlotCounts": "new in 2020-09-01.12.0",
}


def recorded(lines: Iterator[str]) -> Iterator[Exchange]:
    """The recordings as exchanges."""
    for line in lines:
        row: dict[str, Any] = json.loads(line)
        url = urlsplit(row["uri"])
        yield exchange(
            method=row["method"],
            url=row["uri"],
            endpoint=f"{url.scheme}://{url.netloc}",
            asked=row["req_headers"],
            status=row["status"],
            headers=row["headers"],
            content=(row["body"] or "").encode(),
        )


def unlisted(reference: Reference) -> Iterator[tuple[Exchange, Finding]]:
    """What is found in the recordings beyond the listed differences."""
    oldest = reference.surfaces[min(reference.surfaces)]
    with (FOLDER / "recordings.jsonl").open(encoding="utf-8") as file:
        for seen in recorded(file):
            surface = reference.surfaces.get(seen.version, oldest)
            for finding in check_response(seen, surface, reference.codes):
                if not is_allowed(finding, surface.version):
                    yield seen, finding


def test_the_real_service_passes() -> None:
    reference = read_reference()
    if reference is None:
        pytest.skip(ABSENT)
    found = {
        f"{finding} ({seen.version})"
        for seen, finding in unlisted(reference)
        if finding.place not in GONE
    }
    assert found == set()


def test_what_is_gone_is_seen() -> None:
    reference = read_reference()
    if reference is None:
        pytest.skip(ABSENT)
    assert {finding.place for _, finding in unlisted(reference)} == set(GONE)


def test_a_word_that_nobody_knows_is_found() -> None:
    reference = read_reference()
    if reference is None:
        pytest.skip(ABSENT)
    surface = reference.surfaces[min(reference.surfaces)]
    with (FOLDER / "recordings.jsonl").open(encoding="utf-8") as file:
        pools = [seen for seen in recorded(file) if seen.path == "/pools" and seen.method == "GET"]
    assert pools[0].content is not None
    spoilt = pools[0].content.replace(b'"steady"', b'"asleep"', 1)
    assert spoilt != pools[0].content
    seen = Exchange(
        method="GET",
        path="/pools",
        query={},
        asked={},
        status=200,
        headers=pools[0].headers,
        content=spoilt,
    )
    found = [
        finding
        for finding in check_response(seen, surface, reference.codes)
        if not is_allowed(finding, surface.version)
    ]
    assert [(finding.fault, finding.place) for finding in found] == [
        (Fault.WORD_UNKNOWN, "CloudPool.allocationState")
    ]
