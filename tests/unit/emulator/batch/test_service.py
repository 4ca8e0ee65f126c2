"""The service without sockets and processes: headers, envelopes, parameters, admin start tasks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.batch.node.launch import Launch, Outcome
from runner.emulator.batch.service import BatchService
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request, Response
from tests.unit.emulator.batch.signing import plain_request, sign

ACCOUNT = Account(name="localbatch", kind=Kind.BATCH, key=b"k" * 64)
ENDPOINT = "http://127.0.0.1:1/localbatch"
MACHINE = {
    "imageReference": {"publisher": "debian", "offer": "debian-12", "sku": "12"},
    "nodeAgentSKUId": "batch.node.debian 12",
}
POOL = {"id": "p", "vmSize": "x", "virtualMachineConfiguration": MACHINE}


def now() -> datetime:
    """The machine's own time, since the loop's timers follow that."""
    return datetime.now(timezone.utc)


@dataclass
class RecordingExecutor:
    """Ends every run at once with exit code 0, and remembers what it was given."""

    launches: list[Launch] = field(default_factory=list)
    hold: bool = False
    cancelled: int = 0

    async def run(self, launch: Launch) -> Outcome:
        self.launches.append(launch)
        started = now()
        try:
            if self.hold:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Outcome(started=started, ended=now(), exit_code=0, failure=None)

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Client:
    """Asks a service, signed."""

    service: BatchService

    async def ask(self, method: str, path: str, **options: Any) -> Response:
        request = sign(plain_request(method, path, **options), ACCOUNT, now())
        return await self.service.handle(request)

    async def get(self, path: str, **options: Any) -> Any:
        response = await self.ask("GET", path, **options)
        return content(response)

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        deadline = asyncio.get_running_loop().time() + 10
        while asyncio.get_running_loop().time() < deadline:
            body = await self.get(path)
            if holds(body):
                return body
            await asyncio.sleep(0.002)
        raise AssertionError("it did not happen in time")


def content(response: Response) -> Any:
    """The JSON of a response."""
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def refusal(response: Response) -> tuple[int, str, dict[str, str]]:
    """Status, code and values of a refusal."""
    body = content(response)
    values = {entry["key"]: entry["value"] for entry in body.get("values", ())}
    return response.status, body["code"], values


@asynccontextmanager
async def opened(
    directory: Path,
    executor: RecordingExecutor,
    *,
    run_admin: bool = False,
    environ: Mapping[str, str] = {},
) -> AsyncIterator[Client]:
    """A service that runs."""
    service = BatchService(
        account=ACCOUNT,
        endpoint=ENDPOINT,
        directory=directory,
        clock=now,
        run_admin=run_admin,
        environ=environ,
        executor=executor,
        applications=directory / "applications",
    )
    await service.start()
    try:
        yield Client(service)
    finally:
        await service.close()


def play(
    directory: Path,
    story: Callable[[Client], Awaitable[None]],
    executor: RecordingExecutor | None = None,
    *,
    run_admin: bool = False,
) -> None:
    """Runs a story against a service."""

    async def whole() -> None:
        given = executor or RecordingExecutor()
        async with opened(directory, given, run_admin=run_admin) as client:
            await story(client)

    asyncio.run(whole())


def test_the_headers_of_a_creation(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        response = await client.ask("POST", "/pools", body=POOL)
        headers = dict(response.headers)
        assert response.status == 201
        assert response.body == b""
        assert headers["DataServiceId"] == headers["Location"] == f"{ENDPOINT}/pools/p"
        assert headers["Server"] == "Microsoft-HTTPAPI/2.0"
        assert headers["DataServiceVersion"] == "3.0"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["ETag"].startswith("0x8D")
        assert len(headers["request-id"]) == 36
        shown = await client.get("/pools/p")
        assert shown["odata.metadata"] == f"{ENDPOINT}/$metadata#pools/@Element"
        assert shown["eTag"] == headers["ETag"]

    play(tmp_path, story)


def test_the_envelope_of_an_error(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        response = await client.ask("GET", "/pools/none")
        body = content(response)
        identifier = dict(response.headers)["request-id"]
        message, request_line, time_line = body["message"]["value"].split("\n")
        assert body["odata.metadata"] == (
            f"{ENDPOINT}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"
        )
        assert (response.status, body["code"]) == (404, "PoolNotFound")
        assert message == "The specified pool does not exist."
        assert request_line == f"RequestId:{identifier}"
        assert len(time_line) == len("Time:2026-01-22T20:18:17.6076943Z")
        head = await client.ask("HEAD", "/pools/none")
        assert (head.status, head.body) == (404, b"")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "MissingRequiredQueryParameter", {"QueryParameterName": "api-version"})),
        (
            "api-version=2025-06-01&maxresults=0",
            (
                400,
                "InvalidQueryParameterValue",
                {
                    "QueryParameterName": "maxresults",
                    "QueryParameterValue": "0",
                    "Reason": "MaxResults cannot be less than 1",
                },
            ),
        ),
        *(
            (
                f"api-version=2025-06-01&maxresults={written}",
                (
                    400,
                    "InvalidQueryParameterValue",
                    {
                        "QueryParameterName": "maxresults",
                        "QueryParameterValue": value,
                        "Reason": "The value is not an integer",
                    },
                ),
            )
            for written, value in (("1_0", "1_0"), ("%D9%A1", "\u0661"))
        ),
        (
            "API-Version=2025-06-01&MaxResults=1001",
            (
                400,
                "InvalidQueryParameterValue",
                {
                    "QueryParameterName": "maxresults",
                    "QueryParameterValue": "1001",
                    "Reason": "MaxResults cannot be more than 1000",
                },
            ),
        ),
        (
            "api-version=2025-06-01&$skiptoken=%C3%BC",
            (
                400,
                "InvalidQueryParameterValue",
                {
                    "QueryParameterName": "$skiptoken",
                    "QueryParameterValue": "ü",
                    "Reason": "The value is not a token",
                },
            ),
        ),
    ],
)
def test_parameters_that_do_not_fit(
    tmp_path: Path, query: str, expected: tuple[int, str, dict[str, str]]
) -> None:
    async def story(client: Client) -> None:
        assert refusal(await client.ask("GET", "/pools", query=query)) == expected

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "The content is not valid JSON"),
        (b"\xff\xfe", "The content is not valid JSON"),
        (b'{"id": NaN}', "The content is not valid JSON"),
        (b"[" * 100_000, "The content is not valid JSON"),
        (b"[]", "The content is not an object"),
        (None, "The content is not an object"),
    ],
)
def test_bodies_that_make_no_sense(tmp_path: Path, body: bytes | None, reason: str) -> None:
    async def story(client: Client) -> None:
        response = await client.ask("POST", "/jobs", body=body)
        assert refusal(response) == (400, "InvalidRequestBody", {"Reason": reason})

    play(tmp_path, story)


def test_the_next_page_keeps_the_query(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        for name in ("b", "a", "C"):
            info = {"id": name, "poolInfo": {"poolId": "nowhere"}}
            assert (await client.ask("POST", "/jobs", body=info)).status == 201
        query = "api-version=2025-06-01&maxresults=2&$select=id&timeOut=30"
        first = await client.get("/jobs", query=query)
        assert first["value"] == [{"id": "a"}, {"id": "b"}]
        link = first["odata.nextLink"]
        assert link.startswith(f"{ENDPOINT}/jobs?{query}&$skiptoken=WATV2:")
        last = await client.get("/jobs", query=link.partition("?")[2])
        assert last["value"] == [{"id": "C"}]
        assert "odata.nextLink" not in last

    play(tmp_path, story)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        before = "api-version=2024-02-01.19.0"
        response = await client.ask("POST", "/certificates", body={}, query=before)
        assert refusal(response) == (
            501,
            "NotImplemented",
            {
                "Operation": "create_certificate",
                "Reason": "The emulator does not have the operation create_certificate",
            },
        )
        refused = await client.ask("POST", "/certificates", body={})
        assert refusal(refused)[:2] == (400, "InvalidUri")
        assert refusal(await client.ask("GET", "/nothing"))[:2] == (400, "InvalidUri")
        assert refusal(await client.ask("PUT", "/pools/p"))[:2] == (405, "UnsupportedHttpVerb")

    play(tmp_path, story)


def test_an_admin_start_task_is_not_run_where_it_may_not(tmp_path: Path) -> None:
    executor = RecordingExecutor()
    admin = {"autoUser": {"elevationLevel": "admin"}}
    start_task = {"commandLine": "apt-get install x", "userIdentity": admin}
    body = {**POOL, "targetDedicatedNodes": 1, "startTask": start_task}

    async def story(client: Client) -> None:
        assert (await client.ask("POST", "/pools", body=body)).status == 201
        nodes = await client.until(
            "/pools/p/nodes", lambda body: [n["state"] for n in body["value"]] == ["idle"]
        )
        (node,) = nodes["value"]
        info = node["startTaskInfo"]
        assert (info["state"], info["exitCode"], info["result"]) == ("completed", 0, "success")
        file = tmp_path / "nodes" / node["id"] / "startup" / "stderr.txt"
        assert file.read_text(encoding="utf-8") == (
            "This task asks for admin. The emulator was not allowed to run admin commands on"
            " this machine, so it was not run and counts as having succeeded.\n"
        )
        assert executor.launches == []

        await client.ask("POST", "/jobs", body={"id": "j", "poolInfo": {"poolId": "p"}})
        task = {"id": "t", "commandLine": "x", "userIdentity": admin}
        await client.ask("POST", "/jobs/j/tasks", body=task)
        ended = await client.until("/jobs/j/tasks/t", lambda body: body["state"] == "completed")
        assert ended["executionInfo"]["failureInfo"]["code"] == "CommandLaunchFailed"
        assert executor.launches == []

    play(tmp_path, story, executor)


def test_an_admin_start_task_is_run_where_it_may(tmp_path: Path) -> None:
    executor = RecordingExecutor()
    accounts = [{"name": "root", "password": "pw", "elevationLevel": "admin"}]
    start_task = {"commandLine": "x", "userIdentity": {"username": "root"}}
    body = {**POOL, "targetDedicatedNodes": 1, "startTask": start_task, "userAccounts": accounts}

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body=body)
        await client.until("/pools/p/nodes", lambda b: [n["state"] for n in b["value"]] == ["idle"])
        assert [launch.elevated for launch in executor.launches] == [True]

    play(tmp_path, story, executor, run_admin=True)


def test_a_task_deleted_while_it_runs_is_killed(tmp_path: Path) -> None:
    executor = RecordingExecutor(hold=True)

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body={**POOL, "targetDedicatedNodes": 1})
        await client.ask("POST", "/jobs", body={"id": "j", "poolInfo": {"poolId": "p"}})
        task = {"id": "t", "commandLine": "x"}

        async def kill_a_run(round_: int) -> None:
            assert (await client.ask("POST", "/jobs/j/tasks", body=task)).status == 201
            await client.until("/jobs/j/tasks/t", lambda _: len(executor.launches) == round_)
            assert (await client.ask("DELETE", "/jobs/j/tasks/t")).status == 200
            await client.until(
                "/pools/p/nodes", lambda body: body["value"][0]["runningTasksCount"] == 0
            )
            assert executor.cancelled == round_

        for number in (1, 2):
            await kill_a_run(number)

    play(tmp_path, story, executor)


@pytest.mark.parametrize("name", ["lifetimejobstats", "lifetimepoolstats"])
def test_older_versions_have_operations_of_their_own(tmp_path: Path, name: str) -> None:
    async def story(client: Client) -> None:
        shown = await client.get(f"/{name}", query="api-version=2022-10-01.16.0")
        assert shown["url"] == f"{ENDPOINT}/{name}"
        response = await client.ask("GET", f"/{name}", query="api-version=2023-05-01.17.0")
        assert refusal(response)[:2] == (400, "InvalidUri")
        certificate = "/certificates(thumbprintAlgorithm=sha1,thumbprint=0a)"
        response = await client.ask("GET", certificate, query="api-version=2024-02-01.19.0")
        assert refusal(response)[2]["Operation"] == "get_certificate"

    play(tmp_path, story)


def test_closing_kills_what_runs(tmp_path: Path) -> None:
    executor = RecordingExecutor(hold=True)

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body={**POOL, "targetDedicatedNodes": 1})
        await client.ask("POST", "/jobs", body={"id": "j", "poolInfo": {"poolId": "p"}})
        await client.ask("POST", "/jobs/j/tasks", body={"id": "t", "commandLine": "x"})
        # Its state changes before the executor is called.
        await client.until("/jobs/j/tasks/t", lambda body: len(executor.launches) == 1)

    play(tmp_path, story, executor)
    assert executor.cancelled == 1


def test_what_an_earlier_start_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "nodes" / "tvmps_old_d" / "wd"
    left.mkdir(parents=True)

    async def story(client: Client) -> None:
        assert list((tmp_path / "nodes").iterdir()) == []

    play(tmp_path, story)


def test_an_executor_that_breaks_fails_the_task_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingExecutor):
        def run(self, launch: Launch) -> Coroutine[Any, Any, Outcome]:
            raise RuntimeError("out of threads")

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body={**POOL, "targetDedicatedNodes": 1})
        await client.ask("POST", "/jobs", body={"id": "j", "poolInfo": {"poolId": "p"}})
        await client.ask("POST", "/jobs/j/tasks", body={"id": "t", "commandLine": "x"})
        ended = await client.until("/jobs/j/tasks/t", lambda body: body["state"] == "completed")
        assert ended["executionInfo"]["failureInfo"] == {
            "category": "ServerError",
            "code": "Unknown",
            "message": "An unknown scheduling error has occurred",
            "details": [{"name": "Message", "value": "out of threads"}],
        }

    play(tmp_path, story, Broken())
    assert [record.message for record in caplog.records] == ["a task could not be run"]


def test_the_client_request_id_comes_back_when_asked_for(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        headers = {"client-request-id": "abc", "return-client-request-id": "true"}
        response = await client.ask("GET", "/pools", headers=headers)
        assert dict(response.headers)["client-request-id"] == "abc"

    play(tmp_path, story)


def test_the_request_of_an_unsigned_client_changes_nothing(tmp_path: Path) -> None:
    async def story(client: Client) -> None:
        request: Request = plain_request("POST", "/pools", body=POOL)
        response = await client.service.handle(request)
        assert refusal(response)[:2] == (401, "AuthenticationFailed")
        assert (await client.get("/pools"))["value"] == []

    play(tmp_path, story)
