"""What every answer says that it is, and which headers go with what kind of request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conformance.wire.account import HOST, MACHINE, Account, Answer, play

TYPES = "Microsoft.Azure.Batch.Protocol.Entities"
SCHEDULE = {
    "id": "s",
    "schedule": {"recurrenceInterval": "PT10M"},
    "jobSpecification": {"poolInfo": {"poolId": "p"}},
}
READS = {
    "/pools": "pools",
    "/pools/p": "pools/@Element",
    "/jobs": "jobs",
    "/jobs/j": "jobs/@Element",
    "/jobs/j/tasks": "tasks",
    "/jobs/j/tasks/t": "tasks/@Element",
    "/jobs/j/tasks/t/files": "files",
    "/jobs/j/tasks/t/subtasksinfo": "subtaskinfo",
    "/jobs/j/taskcounts": "taskcounts/@Element",
    "/jobs/j/jobpreparationandreleasetaskstatus": "jobpreparationandreleasetaskstatuslist",
    "/jobschedules": "jobschedules",
    "/jobschedules/s": "jobschedules/@Element",
    "/jobschedules/s/jobs": "jobs",
    "/pools/p/nodes": "nodes",
    "{node}": "nodes/@Element",
    "{node}/files": "files",
    "{node}/remoteloginsettings": f"{TYPES}.RemoteLoginSettings",
    "/supportedimages": "supportedimages",
    "/nodecounts": "poolnodecounts",
    "/poolusagemetrics": "poolusagemetrics",
    "/applications": "listapplicationsummariesresponses",
}
"""From the recordings: what a `GET` is answered with."""

TAGGED = {"/pools/p", "/jobs/j", "/jobs/j/tasks/t", "/jobschedules/s"}
ALWAYS = {
    "server",
    "request-id",
    "strict-transport-security",
    "x-content-type-options",
    "dataserviceversion",
    "date",
}
CONTENT = {*ALWAYS, "content-type", "transfer-encoding"}
CHANGE = {*ALWAYS, "dataserviceid", "etag", "last-modified"}


async def furnished(a: Account) -> str:
    """Has one of everything; the path of the node."""
    node = await a.node()
    await a.job(jobPreparationTask={"commandLine": "0"})
    await a.task()
    await a.make("/jobschedules", SCHEDULE)
    await a.wait()
    return node


def test_what_is_read(tmp_path: Path) -> None:
    async def story(a: Account) -> dict[str, Answer]:
        node = await furnished(a)
        return {path: await a.get(path.format(node=node)) for path in READS}

    answers: dict[str, Answer] = play(tmp_path, story)
    for path, name in READS.items():
        answer = answers[path]
        assert answer.status == 200, path
        assert next(iter(answer.body)) == "odata.metadata", path
        assert answer.body["odata.metadata"] == f"http://{HOST}/$metadata#{name}"
        assert answer.headers["content-type"] == "application/json;odata=minimalmetadata"
        more = {"etag", "last-modified"} if path in TAGGED else set()
        more |= {"dataserviceid"} if path.endswith("remoteloginsettings") else set()
        assert set(answer.headers) == CONTENT | more, path


def test_what_is_changed(tmp_path: Path) -> None:
    pool = {"id": "q", "vmSize": "x", "virtualMachineConfiguration": MACHINE}
    job = {"id": "k", "poolInfo": {"poolId": "q"}}

    async def story(a: Account) -> list[tuple[str, Answer, set[str], str | None]]:
        await furnished(a)
        seen: list[tuple[str, Answer, set[str], str | None]] = []

        async def change(
            method: str, path: str, body: Any, more: set[str], named: str | None = None
        ) -> None:
            seen.append((f"{method} {path}", await a.ask(method, path, body), more, named))

        chunked, sized, made = {"transfer-encoding"}, {"content-length"}, {"location"}
        await change("POST", "/pools", pool, CHANGE | chunked | made, "/pools/q")
        await change("POST", "/jobs", job, CHANGE | chunked | made, "/jobs/job-1")
        await change("PATCH", "/jobs/k", {"priority": 1}, CHANGE | chunked, "/jobs/k")
        task = {"id": "u", "commandLine": "0"}
        await change("POST", "/jobs/k/tasks", task, CHANGE | chunked | made, "/jobs/k/tasks/u")
        path = "/jobs/k/tasks/u/terminate"
        await change("POST", path, None, CHANGE | sized, path)
        without_id = CHANGE - {"dataserviceid"}
        await change("POST", "/jobs/k/tasks/u/reactivate", None, without_id | sized)
        await change("DELETE", "/jobs/k/tasks/u", None, ALWAYS | chunked)
        path = "/jobs/k/disable"
        await change("POST", path, {"disableTasks": "wait"}, CHANGE | chunked, path)
        await change("DELETE", "/jobs/k", None, ALWAYS | chunked)
        path = "/jobschedules/s/disable"
        await change("POST", path, None, CHANGE | sized, path)
        await change("DELETE", "/jobschedules/s", None, ALWAYS | chunked)
        await change("DELETE", "/pools/q", None, ALWAYS | chunked)
        return seen

    for request, answer, names, named in play(tmp_path, story):
        assert answer.status in (200, 201, 202, 204), (request, answer.body)
        assert set(answer.headers) == names, request
        expected = None if named is None else f"http://{HOST}{named}"
        assert answer.headers.get("dataserviceid") == expected, request
        if "location" in names:
            assert answer.headers["location"] == expected, request
