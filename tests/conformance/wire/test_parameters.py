"""Parameters of queries, request ids and sizes of bodies, in the service's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.wire.account import HOST, NEWEST, Account, Answer, play


@pytest.mark.parametrize(
    ("path", "query", "values"),
    [
        ("/pools", "maxresults=0", ("maxresults", "0", "MaxResults cannot be less than 1")),
        ("/pools", "MaxResults=-1", ("maxresults", "-1", "MaxResults cannot be less than 1")),
        (
            "/pools",
            "maxresults=1001",
            ("maxresults", "1001", "MaxResults cannot be more than 1000"),
        ),
        ("/nodecounts", "maxresults=11", ("maxresults", "11", "MaxResults cannot be more than 10")),
        ("/pools", "maxresults=x", ("maxresults", "x", "The value is not an integer")),
        ("/pools", "timeOut=x", ("timeOut", "x", "The value is not an integer")),
        ("/pools", "TIMEOUT=0", ("timeOut", "0", "Timeout cannot be less than 1")),
        ("/pools", "$select=id,size", ("$select", "id,size", "The property size does not exist")),
        ("/pools", "$select=ID", ("$select", "ID", "The property ID does not exist")),
        ("/jobs", "$select=vmSize", ("$select", "vmSize", "The property vmSize does not exist")),
        (
            "/jobs",
            "$expand=tasks",
            ("$expand", "tasks", "The property tasks cannot be expanded"),
        ),
        (
            "/jobs/j",
            "force=maybe",
            ("force", "maybe", "The value is neither true nor false"),
        ),
    ],
)
def test_parameters_that_do_not_fit(
    path: str, query: str, values: tuple[str, str, str], tmp_path: Path
) -> None:
    async def story(a: Account) -> Answer:
        await a.job()
        method = "DELETE" if "force" in query else "GET"
        return await a.ask(method, path, query=f"api-version={NEWEST}&{query}")

    answer: Answer = play(tmp_path, story)
    assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")
    names = ("QueryParameterName", "QueryParameterValue", "Reason")
    assert answer.values == dict(zip(names, values, strict=True))


@pytest.mark.parametrize(
    "query",
    [
        "Api-Version=2025-06-01",
        "api-version=2025-06-01&timeout=30",
        "api-version=2025-06-01&timeOut=45",
        "api-version=2025-06-01&$expand=stats&$select=id,%20state",
        "api-version=2025-06-01&%24select=id,state",
        "api-version=2025-06-01&MAXRESULTS=1000",
    ],
)
def test_parameters_that_do_fit(query: str, tmp_path: Path) -> None:
    answer: Answer = play(tmp_path, lambda a: a.ask("GET", "/pools", query=query))
    assert answer.status == 200


def test_pages_of_a_list(tmp_path: Path) -> None:
    async def story(a: Account) -> list[Answer]:
        for identifier in ("a", "b", "c"):
            await a.job(identifier)
        pages = [await a.get("/jobs", maxresults="1")]
        while "odata.nextLink" in pages[-1].body:
            url = urlsplit(pages[-1].body["odata.nextLink"])
            assert f"{url.scheme}://{url.netloc}{url.path}" == f"http://{HOST}/jobs"
            assert url.query.startswith(f"api-version={NEWEST}&maxresults=1&$skiptoken=WATV2:")
            pages.append(await a.ask("GET", url.path, query=url.query))
        return pages

    pages: list[Answer] = play(tmp_path, story)
    assert [job["id"] for page in pages for job in page.body["value"]] == ["a", "b", "c"]
    assert len(pages) == 3


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({"client-request-id": "x", "return-client-request-id": "true"}, "x"),
        ({"client-request-id": "x", "return-client-request-id": "True"}, "x"),
        ({"client-request-id": "x", "return-client-request-id": "false"}, None),
        ({"client-request-id": "x"}, None),
        ({"return-client-request-id": "true"}, None),
    ],
)
@pytest.mark.parametrize("path", ["/pools", "/pools/x"])
def test_the_clients_own_request_id(
    headers: dict[str, str], answered: str | None, path: str, tmp_path: Path
) -> None:
    answer: Answer = play(tmp_path, lambda a: a.ask("GET", path, headers=headers))
    assert answer.headers.get("client-request-id") == answered


def test_an_error_names_its_request_and_its_time(tmp_path: Path) -> None:
    answer: Answer = play(tmp_path, lambda a: a.get("/pools/x"))
    assert answer.body == {
        "odata.metadata": f"http://{HOST}/$metadata"
        "#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
        "code": "PoolNotFound",
        "message": {
            "lang": "en-US",
            "value": "The specified pool does not exist.\n"
            f"RequestId:{answer.headers['request-id']}\nTime:2026-01-02T03:04:05.0000000Z",
        },
    }


def test_how_many_tasks_one_request_may_add(tmp_path: Path) -> None:
    def tasks(count: int) -> Any:
        return {"value": [{"id": f"t{n}", "commandLine": "0"} for n in range(count)]}

    async def story(a: Account) -> tuple[Answer, Answer]:
        await a.job()
        refused = await a.ask("POST", "/jobs/j/addtaskcollection", tasks(101))
        return refused, await a.ask("POST", "/jobs/j/addtaskcollection", tasks(100))

    refused, added = play(tmp_path, story)
    assert (refused.status, refused.code) == (400, "InvalidPropertyValue")
    assert refused.values == {
        "PropertyName": "value",
        "PropertyValue": "101",
        "Reason": "There are more than 100 tasks",
    }
    assert [entry["status"] for entry in added.body["value"]] == ["Success"] * 100


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 400), (1024 * 1024 + 1, 413)])
def test_how_large_a_collection_may_be(size: int, status: int, tmp_path: Path) -> None:
    async def story(a: Account) -> Answer:
        await a.job()
        return await a.ask("POST", "/jobs/j/addtaskcollection", b" " * size)

    assert play(tmp_path, story).status == status


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("", "The value has characters that are not allowed"),
        ("a b", "The value has characters that are not allowed"),
        ("a:b", "The value has characters that are not allowed"),
        ("x" * 65, "The length is more than 64"),
    ],
)
@pytest.mark.parametrize("path", ["/pools", "/jobs", "/jobschedules", "/jobs/j/tasks"])
def test_ids(identifier: str, reason: str, path: str, tmp_path: Path) -> None:
    async def story(a: Account) -> Answer:
        await a.job()
        return await a.ask("POST", path, {"id": identifier})

    answer: Answer = play(tmp_path, story)
    assert (answer.status, answer.code) == (400, "InvalidPropertyValue")
    assert answer.values == {
        "PropertyName": "id",
        "PropertyValue": identifier,
        "Reason": reason,
    }
