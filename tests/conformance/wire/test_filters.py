"""Every list against the service's own table of what it can be filtered by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.wire.account import REFERENCE, Account, Answer, play

TABLE = REFERENCE / "odata-filters.json"
OPERATORS = ("eq", "ne", "ge", "gt", "le", "lt", "startswith")
_KINDS = {
    "C": frozenset(OPERATORS) - {"startswith"},
    "S": frozenset(OPERATORS),
    "E": frozenset({"eq", "ne"}),
}
_LISTS = {
    "supportedimages": "/supportedimages",
    "nodes": "/pools/p/nodes",
    "nodecounts": "/nodecounts",
    "taskfiles": "/jobs/j/tasks/t/files",
    "nodefiles": "{node}/files",
    "jobs_in_schedule": "/jobschedules/s/jobs",
    "jobschedules": "/jobschedules",
    "jobs": "/jobs",
    "pools": "/pools",
    "jobpreparationandreleasetaskstatus": "/jobs/j/jobpreparationandreleasetaskstatus",
    "tasks": "/jobs/j/tasks",
    "poolusagemetrics": "/poolusagemetrics",
}
_MOMENTS = ("Time", "lastModified", "doNotRunUntil", "doNotRunAfter")
SCHEDULE = {
    "id": "s",
    "schedule": {"recurrenceInterval": "PT10M"},
    "jobSpecification": {"poolInfo": {"poolId": "p"}},
}


def _operators(text: str) -> frozenset[str]:
    return _KINDS.get(text.partition("(")[0], frozenset(text.split(",")))


def _rows() -> list[tuple[str, str, str]]:
    if not TABLE.is_file():
        return []
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return [
        (name, path, operators)
        for name, properties in table.items()
        if name != "_source"
        for path, operators in properties.items()
    ]


ROWS = _rows()
pytestmark = pytest.mark.skipif(not ROWS, reason=f"the table of filters is not at {TABLE}")


def literal(path: str, operators: str) -> str:
    """A value that a property can be compared with."""
    if "Boolean" in operators:
        return "true"
    if path.endswith("exitCode"):
        return "0"
    if path.endswith(_MOMENTS):
        return "DateTime'2026-01-02T03:04:05Z'"
    return "'x'"


def condition(path: str, operator: str, value: str) -> str:
    if operator == "startswith":
        return f"startswith({path}, {value})"
    return f"{path} {operator} {value}"


async def furnished(a: Account) -> str:
    """Has one of everything; the path of the node."""
    node = await a.node()
    await a.job(jobPreparationTask={"commandLine": "0"})
    await a.task()
    await a.make("/jobschedules", SCHEDULE)
    await a.wait()
    return node


def test_every_property_of_every_list(tmp_path: Path) -> None:
    """One account for all: there are some 700 filters."""

    async def story(a: Account) -> list[str]:
        node = await furnished(a)
        wrong: list[str] = []
        for name, path, operators in ROWS:
            allowed = _operators(operators)
            value = literal(path, operators)
            for operator in OPERATORS:
                text = condition(path, operator, value)
                answer = await a.get(_LISTS[name].format(node=node), **{"$filter": text})
                if answer.status != (200 if operator in allowed else 400):
                    wrong.append(f"{name}: {text}: {answer.status} {answer.body}")
        return wrong

    assert play(tmp_path, story) == []


@pytest.mark.parametrize("name", sorted({name for name, _, _ in ROWS}))
def test_names_of_properties_keep_their_case(name: str, tmp_path: Path) -> None:
    async def story(a: Account) -> list[str]:
        node = await furnished(a)
        wrong: list[str] = []
        for other, path, operators in ROWS:
            if other != name:
                continue
            operator = min(_operators(operators))
            text = condition(path.upper(), operator, literal(path, operators))
            answer = await a.get(_LISTS[name].format(node=node), **{"$filter": text})
            if (answer.status, answer.code) != (400, "InvalidQueryParameterValue"):
                wrong.append(f"{text}: {answer.status} {answer.body}")
        return wrong

    assert play(tmp_path, story) == []


def test_how_a_filter_is_refused(tmp_path: Path) -> None:
    answer: Answer = play(tmp_path, lambda a: a.get("/pools", **{"$filter": "size eq 1"}))
    assert answer.code == "InvalidQueryParameterValue"
    assert answer.text == (
        "Value for one of the query parameters specified in the request URI is invalid."
    )
    assert answer.values == {
        "QueryParameterName": "$filter",
        "QueryParameterValue": "size eq 1",
        "Reason": "The property size cannot be used in this filter",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("state eq 'ACTIVE'", ["p", "q"]),
        ("startswith(id, 'P')", ["p"]),
        ("id ge 'q' or id eq 'p' and state ne 'active'", ["q"]),
        ("(id ge 'q' or id eq 'p') and state ne 'active'", []),
        ("creationTime lt DateTime'2026-01-02T03:04:06Z'", ["p", "q"]),
        ("creationTime lt DateTime'2026-01-02T03:04:05Z'", []),
        ("enableAutoScale eq false and vmSize eq 'X'", ["p", "q"]),
    ],
)
def test_what_a_filter_finds(text: str, found: list[str], tmp_path: Path) -> None:
    async def story(a: Account) -> list[str]:
        await a.pool("p")
        await a.pool("q")
        answer = await a.get("/pools", **{"$filter": text})
        return [pool["id"] for pool in answer.body["value"]]

    assert play(tmp_path, story) == found
