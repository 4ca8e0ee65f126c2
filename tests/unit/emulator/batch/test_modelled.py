"""The Batch service with modelled tasks in told time, and with faults that strike its nodes."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.batch.modelling.given import Modelling
from runner.emulator.batch.modelling.passage import Mode, VirtualTime
from runner.emulator.batch.modelling.rules import Model, parse_model
from runner.emulator.batch.service import BatchService
from runner.emulator.faults.choose import Faults
from runner.emulator.faults.parse import parse_option
from tests.unit.emulator.batch.test_service import ACCOUNT, ENDPOINT, POOL, Client

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
BYTES_OF_A_FINISHED_TASK = 1600
"""All that it adds to the memory; as the service shows it, it is 1,400 bytes of JSON by itself."""


class Told(Client):
    """A service whose time passes when it is told to."""

    passage: VirtualTime

    async def pass_time(self, length: timedelta) -> None:
        await self.passage.advance(length)

    async def make(self, *, spot: int = 0, dedicated: int = 0, **job: Any) -> None:
        """A pool with its nodes, and a job."""
        pool = {**POOL, "targetLowPriorityNodes": spot, "targetDedicatedNodes": dedicated}
        assert (await self.ask("POST", "/pools", body=pool)).status == 201
        job = {"id": "j", "poolInfo": {"poolId": "p"}, **job}
        assert (await self.ask("POST", "/jobs", body=job)).status == 201
        await self.pass_time(MINUTE)

    async def add(self, *ids: str, **more: Any) -> None:
        """Tasks, in one collection."""
        tasks = [{"id": identifier, "commandLine": "none", **more} for identifier in ids]
        response = await self.ask("POST", "/jobs/j/addtaskcollection", body={"value": tasks})
        assert response.status == 200

    async def counts(self) -> tuple[int, int, int]:
        """Tasks that wait, run and have ended."""
        counts = (await self.get("/jobs/j/taskcounts"))["taskCounts"]
        return counts["active"], counts["running"], counts["completed"]

    async def task(self, identifier: str) -> Any:
        return await self.get(f"/jobs/j/tasks/{identifier}")


@asynccontextmanager
async def opened(
    directory: Path, *models: str, faults: tuple[str, ...] = (), keep: bool = False
) -> AsyncIterator[Told]:
    """A service with these rules."""
    passage = VirtualTime(lambda: START, Mode.MANUAL)
    service = BatchService(
        account=ACCOUNT,
        endpoint=ENDPOINT,
        directory=directory,
        clock=lambda: datetime.now(timezone.utc),
        run_admin=False,
        environ={},
        modelling=Modelling(
            model=Model([parse_model(text) for text in models], seed=1), passage=passage
        ),
        faults=Faults([parse_option(text) for text in faults], seed=1),
        keep=keep,
    )
    await service.start()
    client = Told(service)
    object.__setattr__(client, "passage", passage)
    try:
        yield client
    finally:
        await service.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), timeout=60)

    asyncio.run(limited())


def test_tasks_take_their_time_and_no_other(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "10m exit=3 task=bad", "1h") as told:
            await told.make(dedicated=2)
            await told.add("bad", "good", "next")
            assert await told.counts() == (1, 2, 0)
            await told.pass_time(10 * MINUTE)
            assert await told.counts() == (0, 2, 1)
            await told.pass_time(1000 * MINUTE)
            bad, good, following = [await told.task(t) for t in ("bad", "good", "next")]
        begun = "2026-01-02T03:05:05Z"
        assert bad["executionInfo"]["startTime"] == good["executionInfo"]["startTime"] == begun
        assert bad["executionInfo"]["endTime"] == "2026-01-02T03:15:05Z"
        assert bad["executionInfo"]["exitCode"] == 3
        assert following["executionInfo"]["startTime"] == "2026-01-02T03:15:05Z"
        assert good["executionInfo"]["endTime"] == "2026-01-02T04:05:05Z"
        assert good["executionInfo"]["result"] == "success"

    run(test)


def test_time_that_was_let_pass_has_passed_after_a_restart_too(tmp_path: Path) -> None:
    async def test() -> None:
        week = timedelta(days=7)
        async with opened(tmp_path, "1h", keep=True) as told:
            await told.make(dedicated=1)
            await told.pass_time(week)
            body = {"targetDedicatedNodes": 3}
            assert (await told.ask("POST", "/pools/p/resize", body=body)).status == 202
            resized = told.passage.now()
        async with opened(tmp_path, "1h", keep=True) as told:
            assert START + week < resized <= told.passage.now() < resized + MINUTE
            await told.pass_time(MINUTE)
            pool = await told.get("/pools/p")
            assert (pool["allocationState"], pool["currentDedicatedNodes"]) == ("steady", 3)
            await told.add("a")
            await told.pass_time(61 * MINUTE)
            assert await told.counts() == (0, 0, 1)

    run(test)


def test_a_task_may_say_what_it_does(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "1h") as told:
            await told.make(dedicated=2)
            variable = [{"name": "BATCH_RUN_MODEL", "value": "5m exit=4"}]
            await told.add("own", environmentSettings=variable)
            variable = [{"name": "BATCH_RUN_MODEL", "value": "soon"}]
            await told.add("wrong", environmentSettings=variable)
            await told.pass_time(5 * MINUTE)
            own, wrong = await told.task("own"), await told.task("wrong")
        assert own["executionInfo"]["exitCode"] == 4
        failure = wrong["executionInfo"]["failureInfo"]
        assert failure["code"] == "CommandLaunchFailed"
        assert failure["details"][0]["value"] == (
            "`BATCH_RUN_MODEL=soon`, character 1: `soon` is no duration such as `40ms`, `1.5s`,"
            " `10m`, `2h` or `7d`"
        )

    run(test)


def test_time_limits_and_retries_hold(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "1h exit=1") as told:
            await told.make(dedicated=1)
            await told.add("long", constraints={"maxWallClockTime": "PT30M"})
            await told.pass_time(30 * MINUTE)
            ended = (await told.task("long"))["executionInfo"]
            assert (ended["exitCode"], ended["failureInfo"]["code"]) == (137, "TaskEnded")
            await told.add("again", constraints={"maxTaskRetryCount": 2})
            await told.pass_time(180 * MINUTE)
            ended = (await told.task("again"))["executionInfo"]
            assert (ended["retryCount"], ended["exitCode"]) == (2, 1)

    run(test)


def test_what_is_ended_ends(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "1h") as told:
            await told.make(dedicated=1)
            await told.add("a", "b")
            assert (await told.ask("POST", "/jobs/j/tasks/a/terminate")).status == 204
            assert await told.counts() == (0, 1, 1)
            assert (await told.ask("DELETE", "/jobs/j")).status == 202
            await told.pass_time(MINUTE)
            assert (await told.ask("GET", "/jobs/j")).status == 404

    run(test)


def test_nodes_are_prepared_and_released_in_their_time(tmp_path: Path) -> None:
    async def test() -> None:
        models = ("2m kind=preparation", "3m kind=release", "4m kind=start", "1h")
        async with opened(tmp_path, *models) as told:
            await told.make(
                dedicated=1,
                jobPreparationTask={"commandLine": "none"},
                jobReleaseTask={"commandLine": "none"},
            )
            await told.add("a")
            assert (await told.task("a"))["state"] == "preparing"
            await told.pass_time(2 * MINUTE)
            assert (await told.task("a"))["state"] == "running"
            await told.pass_time(60 * MINUTE)
            assert (await told.ask("POST", "/jobs/j/terminate")).status == 202
            await told.pass_time(2 * MINUTE)
            assert (await told.get("/jobs/j"))["state"] == "terminating"
            await told.pass_time(2 * MINUTE)
            assert (await told.get("/jobs/j"))["state"] == "completed"

    run(test)


def test_nodes_are_lost_when_a_rule_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        faults = ("preempt share=0.5 at=30m", "unusable nodes=1 at=2h")
        async with opened(tmp_path, "1h", faults=faults) as told:
            await told.make(spot=4)
            await told.add(*(f"t{n}" for n in range(8)))
            # The rule counts from before the minute in which the nodes came.
            await told.pass_time(28 * MINUTE)
            assert await told.counts() == (4, 4, 0)
            await told.pass_time(MINUTE)
            lost = [await told.task(f"t{n}") for n in range(8)]
            assert sum(task["executionInfo"]["requeueCount"] for task in lost) == 2
            await told.pass_time(10 * 60 * MINUTE)
            assert await told.counts() == (0, 0, 8)
            nodes = (await told.get("/pools/p/nodes"))["value"]
            assert sorted(node["state"] for node in nodes) == ["idle"] * 3 + ["unusable"]

    run(test)


def test_nodes_are_lost_again_and_again(tmp_path: Path) -> None:
    async def test() -> None:
        fault = "preempt nodes=1 at=10m each=10m first=3"
        async with opened(tmp_path, "1d", faults=(fault,)) as told:
            await told.make(spot=1)
            await told.add("a")
            await told.pass_time(600 * MINUTE)
            assert (await told.task("a"))["executionInfo"]["requeueCount"] == 3

    run(test)


def test_start_tasks_and_resizes_fail_when_a_rule_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        faults = ("start-task-failure exit=9 first=1", "resize-error first=1")
        async with opened(tmp_path, faults=faults) as told:
            pool = {**POOL, "targetDedicatedNodes": 2}
            pool["startTask"] = {"commandLine": "none", "waitForSuccess": True}
            await told.ask("POST", "/pools", body=pool)
            await told.pass_time(MINUTE)
            shown = await told.get("/pools/p")
            assert (shown["allocationState"], shown["currentDedicatedNodes"]) == ("steady", 0)
            assert [error["code"] for error in shown["resizeErrors"]] == ["AllocationFailed"]
            resize = {"targetDedicatedNodes": 2}
            await told.ask("POST", "/pools/p/resize", body=resize)
            await told.pass_time(MINUTE)
            nodes = (await told.get("/pools/p/nodes"))["value"]
            ends = {node["state"]: node["startTaskInfo"]["exitCode"] for node in nodes}
            assert ends == {"starttaskfailed": 9, "idle": 0}

    run(test)


def test_hundreds_of_nodes_work_for_a_week_in_seconds(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "1h..3h exit=1 rate=0.05") as told:
            await told.make(dedicated=200)
            for first in range(0, 600, 100):
                await told.add(*(f"t{n}" for n in range(first, first + 100)))
            await told.pass_time(7 * 24 * 60 * MINUTE)
            counts = (await told.get("/jobs/j/taskcounts"))["taskCounts"]
        assert counts["completed"] == 600
        assert 10 < counts["failed"] < 60

    run(test)


def test_a_finished_task_is_small(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "30s..90s") as told:
            await told.make(dedicated=25)

            async def finish(name: str, count: int) -> None:
                for first in range(0, count, 100):
                    await told.add(*(f"{name}{n}" for n in range(first, first + 100)))
                await told.pass_time(45 * MINUTE)

            # What nodes remember of the last tasks is bounded, and is there by then.
            await finish("before", 500)
            gc.collect()
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                await finish("task", 500)
                gc.collect()
                grown = tracemalloc.get_traced_memory()[0] - before
            finally:
                tracemalloc.stop()
            assert await told.counts() == (0, 0, 1000)
        assert grown / 500 < BYTES_OF_A_FINISHED_TASK

    run(test)


def test_a_request_does_as_much_among_many_tasks_as_among_few(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path, "1h") as told:
            await told.make(dedicated=2)
            work: list[dict[str, int]] = []
            for size in (300, 3000):
                while sum(await told.counts()) < size:
                    known = sum(await told.counts())
                    await told.add(*(f"t{known + n:05}" for n in range(100)))
                work.append({name: await calls_of(told, *ask) for name, ask in REQUESTS.items()})
        few, many = work
        assert {name: many[name] for name in many if many[name] > few[name] * 1.05} == {}

    run(test)


@pytest.mark.parametrize("keep", [False, True])
def test_a_poll_finds_all_that_changed_in_the_order_of_lists(tmp_path: Path, keep: bool) -> None:
    def after(moment: datetime) -> Callable[[dict[str, Any]], bool]:
        return lambda task: task["stateTransitionTime"] >= moment.isoformat()[:19]

    async def listed(told: Told, query: str) -> list[str]:
        ids: list[str] = []
        while query:
            page = await told.get("/jobs/j/tasks", query=f"api-version=2025-06-01{query}")
            ids += [task["id"] for task in page["value"]]
            _, _, token = page.get("odata.nextLink", "").partition("&$skiptoken=")
            query = f"{query.partition('&$skiptoken=')[0]}&$skiptoken={token}" if token else ""
        return ids

    async def test() -> None:
        async with opened(tmp_path, "1m..40m exit=1 rate=0.2", keep=keep) as told:
            await told.make(dedicated=10)
            for first in range(0, 1500, 100):
                await told.add(*(f"t{n * 7919 % 1500}" for n in range(first, first + 100)))
                await told.pass_time(MINUTE)
            await told.ask("POST", "/jobs/j/disable", body={"disableTasks": "requeue"})
            await told.pass_time(MINUTE)
            await told.ask("POST", "/jobs/j/enable")
            await told.pass_time(MINUTE)
        async with opened(tmp_path, "1m..40m", keep=keep) if keep else nullcontext(told) as told:
            page = await told.get("/jobs/j/tasks")
            token = page["odata.nextLink"].partition("&$skiptoken=")[2]
            query = f"api-version=2025-06-01&$skiptoken={token}"
            tasks = page["value"] + (await told.get("/jobs/j/tasks", query=query))["value"]
            assert len(tasks) == 1500
            for minutes in (0, 5, 14, 17, 18, 100):
                moment = START + minutes * MINUTE
                since = f"stateTransitionTime ge DateTime'{moment.isoformat()[:19]}Z'"
                for state, fits in STATES.items():
                    query = f"&$filter={state}{since}&$select=id&maxresults=400"
                    wanted = [t["id"] for t in tasks if fits(t["state"]) and after(moment)(t)]
                    assert await listed(told, query) == wanted, query

    run(test)


STATES: dict[str, Callable[[str], bool]] = {
    "": lambda state: True,
    "state ne 'active' and ": lambda state: state != "active",
    "state eq 'active' and ": lambda state: state == "active",
    "state eq 'completed' and ": lambda state: state == "completed",
}

SINCE = "stateTransitionTime ge DateTime'2026-01-02T03:00:00Z'"
REQUESTS: dict[str, tuple[str, str, str, Any]] = {
    "add": ("POST", "/jobs/j/tasks", "", {"id": "t00000x", "commandLine": "none"}),
    "delete": ("DELETE", "/jobs/j/tasks/t00000x", "", None),
    "get": ("GET", "/jobs/j/tasks/t00150", "", None),
    "counts": ("GET", "/jobs/j/taskcounts", "", None),
    "job": ("GET", "/jobs/j", "", None),
    "list": ("GET", "/jobs/j/tasks", "&maxresults=50", None),
    "select": ("GET", "/jobs/j/tasks", "&maxresults=50&$select=id", None),
    "filter": ("GET", "/jobs/j/tasks", "&maxresults=50&$filter=state eq 'active'", None),
    "changes": ("GET", "/jobs/j/tasks", "&$filter=state ne 'active'", None),
    "poll": (
        "GET",
        "/jobs/j/tasks",
        f"&$select=id,state&$filter=state ne 'active' and {SINCE}",
        None,
    ),
    "terminate": ("POST", "/jobs/j/tasks/t00200/terminate", "", None),
    "reactivate": ("POST", "/jobs/j/tasks/t00200/reactivate", "", None),
}


async def calls_of(told: Told, method: str, path: str, query: str, body: Any) -> int:
    """How many functions a request calls: what it does, whatever machine does it."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(count)
    try:
        response = await told.ask(method, path, query=f"api-version=2025-06-01{query}", body=body)
    finally:
        sys.setprofile(None)
        gc.enable()
    assert response.status < 300, response
    return calls
