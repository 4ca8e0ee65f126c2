"""How much is written to disk for tasks: counted, since it is what their lives cost most."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pytest

from runner.emulator.batch.core.engine import advance
from runner.emulator.batch.node.launch import Launch, Outcome
from runner.emulator.batch.node.near import NearStorage
from runner.emulator.batch.service import BatchService
from runner.emulator.storage.database import StorageError
from tests.unit.emulator.batch.node.blob_service import serving
from tests.unit.emulator.batch.node.near_box import NearBox
from tests.unit.emulator.batch.test_service import (
    ACCOUNT,
    ENDPOINT,
    POOL,
    Client,
    RecordingExecutor,
    now,
)

TASKS = tuple({"id": f"t{number}", "commandLine": "none"} for number in range(100))


@dataclass
class Log:
    """What SQLite was told to do, with the values."""

    statements: list[str] = field(default_factory=list)

    def note(self, statement: str) -> None:
        self.statements.append(" ".join(statement.split()))

    def inserts(self, table: str) -> list[str]:
        return [each for each in self.statements if each.startswith(f"INSERT INTO {table} ")]

    def written(self, kind: str) -> int:
        """How many records of a kind were written."""
        return sum(each.count(f"('{kind}', ") for each in self.inserts("records"))


@asynccontextmanager
async def opened(
    directory: Path, executor: RecordingExecutor, slots: int, near: NearStorage | None = None
) -> AsyncIterator[tuple[Client, Log]]:
    """A service that keeps its records, with a node and a job."""
    service = BatchService(
        account=ACCOUNT,
        endpoint=ENDPOINT,
        directory=directory,
        clock=now,
        run_admin=False,
        environ={},
        executor=executor,
        near=near,
        keep=True,
    )
    await service.start()
    client, log = Client(service), Log()
    try:
        await client.ask(
            "POST", "/pools", body={**POOL, "targetDedicatedNodes": 1, "taskSlotsPerNode": slots}
        )
        await client.until(
            "/pools/p/nodes", lambda body: [node["state"] for node in body["value"]] == ["idle"]
        )
        job = {"id": "j", "poolInfo": {"poolId": "p"}}
        assert (await client.ask("POST", "/jobs", body=job)).status == 201
        assert service._journal is not None
        service._journal._database._connection.set_trace_callback(log.note)
        yield client, log
    finally:
        await service.close()


async def add(client: Client) -> None:
    body = {"value": TASKS}
    assert (await client.ask("POST", "/jobs/j/addtaskcollection", body=body)).status == 200


def test_a_collection_of_tasks_is_one_transaction_of_two_statements(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, RecordingExecutor(hold=True), slots=1) as (client, log):
            await client.ask("POST", "/jobs/j/disable", body={"disableTasks": "requeue"})
            await client.until("/jobs/j", lambda job: job["state"] == "disabled")
            log.statements.clear()
            await add(client)
            assert [each.split(" (")[0] for each in log.statements] == [
                "BEGIN IMMEDIATE",
                "INSERT INTO records",
                "INSERT INTO documents",
                "COMMIT",
            ]
            assert (log.written("Task"), log.written("Job")) == (100, 1)

    asyncio.run(test())


def test_a_task_is_written_when_it_is_added_and_for_each_state_that_was_seen(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        async with opened(tmp_path, RecordingExecutor(), slots=4) as (client, log):
            await add(client)
            await client.until(
                "/jobs/j/taskcounts", lambda counts: counts["taskCounts"]["completed"] == 100
            )
            # Added, at work, at its end; documents, which are most of it, once.
            assert 200 <= log.written("Task") <= 300
            assert sum(each.count("SELECT id FROM") for each in log.inserts("documents")) == 100
            assert sum(map(len, log.inserts("records"))) / 100 < 2000

    asyncio.run(test())


def test_nobody_is_told_of_an_end_before_what_the_task_has_put_is_on_disk(tmp_path: Path) -> None:
    async def test() -> None:
        with serving() as blobs:
            near = NearBox(blobs, tmp_path / "stored")
            async with opened(tmp_path, RecordingExecutor(), slots=4, near=near) as (client, log):
                near.can_write = False
                with pytest.raises(StorageError):
                    await add(client)
                log.statements.clear()
                with pytest.raises(StorageError):
                    await client.get("/jobs/j/taskcounts")
                assert log.statements == []
                near.can_write = True
                await client.until(
                    "/jobs/j/taskcounts", lambda counts: counts["taskCounts"]["completed"] == 100
                )

    asyncio.run(test())


def test_a_task_begins_once_it_is_on_disk(tmp_path: Path) -> None:
    """A request that was lost with the emulator leaves nothing on a node."""
    seen: list[str] = []

    class Watching(RecordingExecutor):
        async def run(self, launch: Launch) -> Outcome:
            seen.extend(log.statements)
            return await super().run(launch)

    log = Log()

    async def test() -> None:
        nonlocal log
        async with opened(tmp_path, Watching(hold=True), slots=1) as (client, log):
            log.statements.clear()
            task = {"id": "t", "commandLine": "none"}
            assert (await client.ask("POST", "/jobs/j/tasks", body=task)).status == 201
            assert log.statements.count("COMMIT") == 1
            assert log.written("Task") == 1

    asyncio.run(test())
    assert [each.split(" (")[0] for each in seen] == [
        "BEGIN IMMEDIATE",
        "INSERT INTO records",
        "INSERT INTO documents",
        "COMMIT",
    ]


class Gate(RecordingExecutor):
    """Ends all runs at one moment."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

    async def run(self, launch: Launch) -> Outcome:
        await self.open.wait()
        return await super().run(launch)


def test_a_task_that_could_not_be_written_does_not_begin_when_another_ends(
    tmp_path: Path,
) -> None:
    class Counting(Gate):
        begun = 0

        async def run(self, launch: Launch) -> Outcome:
            self.begun += 1
            return await super().run(launch)

    async def test() -> None:
        executor = Counting()
        with serving() as blobs:
            near = NearBox(blobs, tmp_path / "stored")
            async with opened(tmp_path, executor, slots=1, near=near) as (client, _):
                task = {"commandLine": "none"}
                await client.ask("POST", "/jobs/j/tasks", body={"id": "first", **task})
                await client.until(
                    "/jobs/j/taskcounts", lambda counts: counts["taskCounts"]["running"] == 1
                )
                near.can_write = False
                with pytest.raises(StorageError):
                    await client.ask("POST", "/jobs/j/tasks", body={"id": "second", **task})
                executor.open.set()
                for _ in range(20):
                    await asyncio.sleep(0)
                assert executor.begun == 1
                near.can_write = True
                await client.until(
                    "/jobs/j/taskcounts", lambda counts: counts["taskCounts"]["completed"] == 2
                )
                assert executor.begun == 2

    asyncio.run(test())


def test_ends_of_one_moment_are_looked_at_together(tmp_path: Path) -> None:
    looks = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal looks
        looks += event == "call" and frame.f_code is advance.__code__

    async def test() -> None:
        gate = Gate()
        async with opened(tmp_path, gate, slots=100) as (client, _):
            await add(client)
            await client.until(
                "/jobs/j/taskcounts", lambda counts: counts["taskCounts"]["running"] == 100
            )
            sys.setprofile(count)
            gate.open.set()
            for _ in range(20):
                await asyncio.sleep(0)
            sys.setprofile(None)
            counts = (await client.get("/jobs/j/taskcounts"))["taskCounts"]
        assert (counts["completed"], looks) == (100, 1)

    asyncio.run(test())
