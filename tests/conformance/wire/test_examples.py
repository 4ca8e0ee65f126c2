"""The requests of Microsoft's own examples: every body that is documented is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.wire.account import REFERENCE, Account, Answer, play

VERSION = "2024-07-01.20.0"
FOLDER = REFERENCE / "examples" / VERSION
BODIES = {
    "PoolAdd": ("POST", "/pools", "pool"),
    "PoolPatch": ("PATCH", "/pools/poolId", "poolPatchParameter"),
    "PoolUpdate": ("POST", "/pools/poolId/updateproperties", "poolUpdatePropertiesParameter"),
    "PoolResize": ("POST", "/pools/poolId/resize", "poolResizeParameter"),
    "PoolEnableAutoscale": (
        "POST",
        "/pools/poolId/enableautoscale",
        "poolEnableAutoScaleParameter",
    ),
    "JobAdd": ("POST", "/jobs", "job"),
    "JobPatch": ("PATCH", "/jobs/jobId", "jobPatchParameter"),
    "JobUpdate": ("PUT", "/jobs/jobId", "jobUpdateParameter"),
    "JobTerminate": ("POST", "/jobs/jobId/terminate", "jobTerminateParameter"),
    "JobScheduleAdd": ("POST", "/jobschedules", "cloudJobSchedule"),
    "JobSchedulePatch": ("PATCH", "/jobschedules/jobScheduleId", "jobSchedulePatchParameter"),
    "JobScheduleUpdate": ("PUT", "/jobschedules/jobScheduleId", "jobScheduleUpdateParameter"),
    "TaskAdd": ("POST", "/jobs/jobId/tasks", "task"),
    "TaskAddCollection": ("POST", "/jobs/jobId/addtaskcollection", "taskCollection"),
    "TaskUpdate": ("PUT", "/jobs/jobId/tasks/taskId", "taskUpdateParameter"),
}
"""By the first word of an example's name: the request, and which of its parameters is the body."""

NOT_TAKEN = {
    "PoolAdd_MountConfiguration": "there is no Ubuntu 20.04 of that offer",
    "PoolAdd_VirtualMachineConfigurationWithContainers": "there is no Ubuntu 120.04",
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem.partition("_")[0] in BODIES)
pytestmark = pytest.mark.skipif(not NAMES, reason=f"the examples are not at {FOLDER}")


async def _prepare(a: Account, name: str) -> None:
    await a.pool("poolId")
    await a.wait()
    if not name.startswith("JobAdd"):
        await a.job("jobId", usesTaskDependencies=True, onTaskFailure="performexitoptionsjobaction")
    if name.startswith("TaskUpdate"):
        await a.make("/jobs/jobId/tasks", {"id": "taskId", "commandLine": "0"})
    if name in ("JobSchedulePatch", "JobScheduleUpdate"):
        specification = {"poolInfo": {"poolId": "poolId"}}
        schedule = {"recurrenceInterval": "PT10M"}
        body = {"id": "jobScheduleId", "schedule": schedule, "jobSpecification": specification}
        await a.make("/jobschedules", body)
    if name in ("JobPatch", "JobUpdate"):
        # They give the job another pool.
        await a.make("/jobs/jobId/disable", {"disableTasks": "wait"}, status=202)
        await a.wait()


@pytest.mark.parametrize("name", NAMES)
def test_a_documented_request_is_taken(name: str, tmp_path: Path) -> None:
    example: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    method, path, parameter = BODIES[name.partition("_")[0]]
    body = example["parameters"][parameter]

    async def story(a: Account) -> Answer:
        await _prepare(a, name)
        return await a.ask(method, path, body, query=f"api-version={VERSION}")

    answer: Answer = play(tmp_path, story)
    if name in NOT_TAKEN:
        assert (answer.status, answer.code) == (400, "InvalidPropertyValue")
    else:
        assert str(answer.status) in example["responses"], answer.body


def test_what_is_not_taken_is_an_example() -> None:
    assert NOT_TAKEN.keys() <= set(NAMES)
