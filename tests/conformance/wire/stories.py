"""How to be refused with each error of the service.

It must not know what the refusals look like.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from runner.emulator.faults.decode import decode_rule
from tests.conformance.wire.account import MACHINE, QUOTA, Account, Answer

Story = Callable[[Account], Awaitable[Answer]]
FORMULA = {"autoScaleFormula": "$TargetDedicatedNodes=0;"}
SCHEDULE = {
    "id": "s",
    "schedule": {"recurrenceInterval": "PT10M"},
    "jobSpecification": {"poolInfo": {"poolId": "p"}},
}
PREPARED: dict[str, Any] = {
    "jobPreparationTask": {"commandLine": "0"},
    "jobReleaseTask": {"commandLine": "0"},
}


async def not_modified(a: Account) -> Answer:
    await a.pool()
    return await a.ask("GET", "/pools/p", headers={"if-none-match": "*"})


async def modified(a: Account) -> Answer:
    await a.pool()
    return await a.ask("PATCH", "/pools/p", {}, headers={"if-match": "0x0"})


async def conditions(a: Account) -> Answer:
    await a.pool()
    headers = {"if-match": "0x0", "if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}
    return await a.ask("GET", "/pools/p", headers=headers)


async def no_date(a: Account) -> Answer:
    await a.pool()
    return await a.ask("GET", "/pools/p", headers={"if-modified-since": "soon"})


async def dependencies_not_used(a: Account) -> Answer:
    await a.job()
    body = {"id": "t", "commandLine": "0", "dependsOn": {"taskIds": ["x"]}}
    return await a.ask("POST", "/jobs/j/tasks", body)


async def dependencies_too_long(a: Account) -> Answer:
    await a.job(usesTaskDependencies=True)
    ids = [f"{number:064d}" for number in range(1001)]
    body = {"id": "t", "commandLine": "0", "dependsOn": {"taskIds": ids}}
    return await a.ask("POST", "/jobs/j/tasks", body)


async def too_many_bytes(a: Account) -> Answer:
    await a.job()
    return await a.ask("POST", "/jobs/j/addtaskcollection", b" " * (1024 * 1024 + 1))


async def beyond_the_end(a: Account) -> Answer:
    node = await a.node()
    (a.directory / "nodes" / node.rpartition("/")[2] / "shared" / "file").write_bytes(b"12")
    headers = {"ocp-range": "bytes=2-"}
    return await a.ask("GET", f"{node}/files/shared%2Ffile", headers=headers)


async def full_folder(a: Account) -> Answer:
    node = await a.node()
    (a.directory / "nodes" / node.rpartition("/")[2] / "shared" / "file").write_bytes(b"")
    return await a.ask("DELETE", f"{node}/files/shared")


async def formula_wrong(a: Account) -> Answer:
    await a.pool()
    await a.wait()
    return await a.ask("POST", "/pools/p/enableautoscale", {"autoScaleFormula": "$x = (;"})


async def formula_long(a: Account) -> Answer:
    await a.pool()
    await a.wait()
    body = {"autoScaleFormula": "$TargetDedicatedNodes=0;" + " " * 8200}
    return await a.ask("POST", "/pools/p/enableautoscale", body)


async def enabled_too_often(a: Account) -> Answer:
    await a.pool()
    await a.wait()
    await a.make("/pools/p/enableautoscale", FORMULA, status=200)
    return await a.ask("POST", "/pools/p/enableautoscale", FORMULA)


async def pool_twice(a: Account) -> Answer:
    await a.pool()
    return await a.ask("POST", "/pools", _pool())


async def too_many_pools(a: Account) -> Answer:
    for number in range(QUOTA):
        await a.pool(f"p{number}")
    return await a.ask("POST", "/pools", _pool())


async def too_many_jobs(a: Account) -> Answer:
    for number in range(QUOTA):
        await a.job(f"j{number}")
    return await a.ask("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}})


async def no_extension(a: Account) -> Answer:
    node = await a.node()
    return await a.get(f"{node}/extensions/x")


async def pool_resized_early(a: Account) -> Answer:
    await a.pool()
    return await a.ask("POST", "/pools/p/resize", {"targetDedicatedNodes": 1})


async def pool_not_resized(a: Account) -> Answer:
    await a.pool()
    await a.wait()
    return await a.ask("POST", "/pools/p/stopresize")


async def pool_deleted_twice(a: Account) -> Answer:
    await a.pool()
    await a.ask("DELETE", "/pools/p")
    return await a.ask("DELETE", "/pools/p")


async def node_rebooted_twice(a: Account) -> Answer:
    node = await a.node()
    await a.make(f"{node}/reboot", None, status=202)
    return await a.ask("POST", f"{node}/reboot")


async def node_reimaged_twice(a: Account) -> Answer:
    node = await a.node()
    await a.make(f"{node}/reimage", None, status=202)
    return await a.ask("POST", f"{node}/reimage")


async def node_rebooted_early(a: Account, seconds: float) -> Answer:
    await a.pool(targetDedicatedNodes=1)
    await a.wait(timedelta(seconds=seconds))
    listed = await a.get("/pools/p/nodes")
    return await a.ask("POST", f"/pools/p/nodes/{listed.body['value'][0]['id']}/reboot")


async def broken_node_rebooted(a: Account) -> Answer:
    node = await a.node()
    a.faults.add([decode_rule(("unusable", None), {})])
    await a.wait()
    return await a.ask("POST", f"{node}/reboot")


async def node_enabled_twice(a: Account) -> Answer:
    node = await a.node()
    return await a.ask("POST", f"{node}/enablescheduling")


async def old_node_reimaged(a: Account) -> Answer:
    node = await a.node()
    return await a.ask("POST", f"{node}/reimage", query="api-version=2022-10-01.16.0")


async def user_twice(a: Account) -> Answer:
    node = await a.node()
    await a.make(f"{node}/users", {"name": "u", "password": "x"})
    return await a.ask("POST", f"{node}/users", {"name": "u", "password": "x"})


async def no_user(a: Account) -> Answer:
    node = await a.node()
    return await a.ask("DELETE", f"{node}/users/u")


async def no_file(a: Account) -> Answer:
    node = await a.node()
    return await a.ask("GET", f"{node}/files/nothing")


async def schedule_twice(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    return await a.ask("POST", "/jobschedules", SCHEDULE)


async def schedule_with_a_jobs_id(a: Account) -> Answer:
    await a.job("s")
    return await a.ask("POST", "/jobschedules", SCHEDULE)


async def job_with_a_schedules_id(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    return await a.ask("POST", "/jobs", {"id": "s", "poolInfo": {"poolId": "p"}})


async def schedule_disabled_twice(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    await a.make("/jobschedules/s/disable", None, status=204)
    return await a.ask("POST", "/jobschedules/s/disable")


async def schedule_terminated_twice(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    await a.make("/jobschedules/s/terminate", None, status=202)
    return await a.ask("POST", "/jobschedules/s/terminate")


async def schedule_deleted_twice(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    await a.ask("DELETE", "/jobschedules/s")
    return await a.ask("DELETE", "/jobschedules/s")


async def schedule_completed(a: Account) -> Answer:
    await a.make("/jobschedules", SCHEDULE)
    await a.make("/jobschedules/s/terminate", None, status=202)
    await a.wait()
    return await a.ask("POST", "/jobschedules/s/terminate")


async def job_twice(a: Account) -> Answer:
    await a.job()
    return await a.ask("POST", "/jobs", {"id": "J", "poolInfo": {"poolId": "p"}})


async def job_terminated_twice(a: Account) -> Answer:
    await a.job()
    await a.make("/jobs/j/terminate", None, status=202)
    return await a.ask("POST", "/jobs/j/terminate")


async def job_deleted_twice(a: Account) -> Answer:
    await a.job()
    await a.ask("DELETE", "/jobs/j")
    return await a.ask("DELETE", "/jobs/j")


async def job_over(a: Account) -> Answer:
    await a.job()
    await a.make("/jobs/j/terminate", None, status=202)
    await a.wait()
    return await a.ask("POST", "/jobs/j/tasks", {"id": "t", "commandLine": "0"})


async def job_disabled_twice(a: Account) -> Answer:
    await a.job()
    await a.make("/jobs/j/disable", {"disableTasks": "wait"}, status=202)
    return await a.ask("POST", "/jobs/j/disable", {"disableTasks": "wait"})


async def job_unprepared(a: Account) -> Answer:
    await a.job()
    return await a.get("/jobs/j/jobpreparationandreleasetaskstatus")


async def task_named(a: Account, identifier: str) -> Answer:
    await a.job("j", **PREPARED)
    return await a.ask("POST", "/jobs/j/tasks", {"id": identifier, "commandLine": "0"})


async def task_twice(a: Account) -> Answer:
    await a.job()
    await a.task()
    return await a.ask("POST", "/jobs/j/tasks", {"id": "T", "commandLine": "0"})


async def task_ended(a: Account, code: str, operation: str) -> Answer:
    await a.node()
    await a.job()
    await a.task(command=code)
    await a.wait()
    return await a.ask("POST", f"/jobs/j/tasks/t/{operation}")


async def task_not_ended(a: Account) -> Answer:
    await a.job()
    await a.task()
    return await a.ask("POST", "/jobs/j/tasks/t/reactivate")


async def files_of_a_waiting_task(a: Account) -> Answer:
    await a.job()
    await a.task()
    return await a.get("/jobs/j/tasks/t/files")


async def files_of_an_old_task(a: Account) -> Answer:
    await a.node()
    await a.job()
    await a.task(constraints={"retentionTime": "PT1M"})
    await a.wait(timedelta(minutes=2))
    return await a.get("/jobs/j/tasks/t/files")


def _pool(**properties: object) -> dict[str, object]:
    return {"id": "p", "vmSize": "x", "virtualMachineConfiguration": MACHINE, **properties}


STORIES: dict[tuple[str, int], Story] = {
    ("ConditionNotMet", 304): not_modified,
    ("ConditionNotMet", 412): modified,
    ("MissingRequiredProperty", 400): lambda a: a.ask("POST", "/pools", {"id": "p"}),
    ("UnsupportedProperty", 400): dependencies_not_used,
    ("InvalidHeaderValue", 400): no_date,
    ("InvalidPropertyValue", 400): lambda a: a.ask("POST", "/pools", _pool(id="a b")),
    ("MissingRequiredQueryParameter", 400): lambda a: a.ask("GET", "/pools", query=""),
    ("InvalidQueryParameterValue", 400): lambda a: a.get("/pools", maxresults="0"),
    ("InvalidUri", 400): lambda a: a.get("/nothing"),
    ("InvalidRequestBody", 400): lambda a: a.ask("POST", "/pools", b"["),
    ("InvalidAuthenticationInfo", 400): lambda a: a.ask(
        "GET", "/pools", headers={"authorization": "Sharedkey"}, signed=False
    ),
    ("MultipleConditionHeadersNotSupported", 400): conditions,
    ("AuthenticationFailed", 403): lambda a: a.ask(
        "GET", "/pools", headers={"authorization": "SharedKey acct:x"}, signed=False
    ),
    ("UnsupportedHttpVerb", 405): lambda a: a.ask("DELETE", "/pools"),
    ("RequestBodyTooLarge", 413): too_many_bytes,
    ("InvalidRange", 416): beyond_the_end,
    ("UnsupportedRequestVersion", 400): lambda a: a.ask("GET", "/pools", query="api-version=1"),
    ("AutoScalingFormulaSyntaxError", 400): formula_wrong,
    ("AutoScalingFormulaTooLong", 400): formula_long,
    ("PoolNotFound", 404): lambda a: a.get("/pools/x"),
    ("NodeNotFound", 404): lambda a: _after(a.pool(), a.get("/pools/p/nodes/x")),
    ("JobScheduleNotFound", 404): lambda a: a.get("/jobschedules/x"),
    ("JobNotFound", 404): lambda a: a.get("/jobs/x"),
    ("TaskNotFound", 404): lambda a: _after(a.job(), a.get("/jobs/j/tasks/x")),
    ("FileNotFound", 404): no_file,
    ("NodeUserNotFound", 404): no_user,
    ("ApplicationNotFound", 404): lambda a: a.get("/applications/x"),
    ("OperationInvalidForCurrentState", 409): pool_not_resized,
    ("PoolBeingDeleted", 409): pool_deleted_twice,
    ("PoolBeingResized", 409): pool_resized_early,
    ("NodeBeingCreated", 409): lambda a: node_rebooted_early(a, 1),
    ("NodeBeingStarted", 409): lambda a: node_rebooted_early(a, 2),
    ("NodeBeingReimaged", 409): node_reimaged_twice,
    ("NodeBeingRebooted", 409): node_rebooted_twice,
    ("NodeStateUnusable", 409): broken_node_rebooted,
    ("JobScheduleBeingTerminated", 409): schedule_terminated_twice,
    ("JobScheduleBeingDeleted", 409): schedule_deleted_twice,
    ("PoolExists", 409): pool_twice,
    ("JobScheduleExists", 409): schedule_twice,
    ("NodeUserExists", 409): user_twice,
    ("JobExists", 409): job_twice,
    ("JobScheduleDisabled", 409): schedule_disabled_twice,
    ("JobScheduleCompleted", 409): schedule_completed,
    ("JobBeingTerminated", 409): job_terminated_twice,
    ("JobBeingDeleted", 409): job_deleted_twice,
    ("JobCompleted", 409): job_over,
    ("JobNotActive", 409): job_disabled_twice,
    ("TaskExists", 409): task_twice,
    ("TaskCompleted", 409): lambda a: task_ended(a, "0", "terminate"),
    ("TaskNotCompleted", 409): task_not_ended,
    ("TaskSucceeded", 409): lambda a: task_ended(a, "0", "reactivate"),
    ("TaskFilesUnavailable", 409): files_of_a_waiting_task,
    ("TaskFilesCleanedup", 409): files_of_an_old_task,
    ("JobPreparationTaskOrReleaseTaskNotSpecified", 409): job_unprepared,
    ("TaskIdSameAsJobPreparationTask", 409): lambda a: task_named(a, "jobpreparation"),
    ("TaskIdSameAsJobReleaseTask", 409): lambda a: task_named(a, "JobRelease"),
    ("JobWithSameIdExists", 409): schedule_with_a_jobs_id,
    ("JobScheduleWithSameIdExists", 409): job_with_a_schedules_id,
    ("NodeAlreadyInTargetSchedulingState", 409): node_enabled_twice,
    ("OperationNotValidOnNode", 409): old_node_reimaged,
    ("ResourceNotFound", 404): no_extension,
    ("PoolQuotaReached", 409): too_many_pools,
    ("ActiveJobAndScheduleQuotaReached", 409): too_many_jobs,
    ("InvalidApplicationPackageReferences", 409): lambda a: a.ask(
        "POST", "/pools", _pool(applicationPackageReferences=[{"applicationId": "x"}])
    ),
    ("IOError", 403): full_folder,
    ("TooManyEnableAutoScaleRequests", 503): enabled_too_often,
    ("TaskDependencyListTooLong", 400): dependencies_too_long,
}
"""How to be refused with each code and status."""


async def _after(first: Awaitable[object], then: Awaitable[Answer]) -> Answer:
    await first
    return await then
