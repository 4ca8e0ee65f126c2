"""The bodies of jobs and tasks that go to Azure Batch, whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runner.remote.wire import job_body, task_body
from runner.remote.wire_parts import duration, merged, with_extra
from runner.run.services import AutoPool
from runner.spec.model.step import (
    DependentsAction,
    ExitCause,
    ExitRule,
    JobAction,
    TaskContainer,
    WorkingDirectory,
)
from runner.spec.templates.template import compile_template
from tests.unit.remote.samples import (
    FULL_JOB,
    FULL_TASK,
    JOB,
    POOL_REQUEST,
    STEP,
    TASK,
)


def test_a_job_brings_its_pool_and_has_a_maximum_wall_time() -> None:
    assert job_body(JOB) == {
        "id": "cat-1",
        "constraints": {"maxWallClockTime": "PT86400S"},
        "poolInfo": {
            "autoPoolSpecification": {
                "autoPoolIdPrefix": "cat-",
                "poolLifetimeOption": "job",
                "keepAlive": False,
                "pool": {
                    "virtualMachineConfiguration": {
                        "imageReference": {
                            "publisher": "canonical",
                            "offer": "ubuntu-24_04-lts",
                            "sku": "server",
                            "version": "latest",
                        },
                        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
                    },
                    "vmSize": "Standard_D2s_v5",
                    "targetDedicatedNodes": 2,
                    "targetLowPriorityNodes": 0,
                    "taskSlotsPerNode": 1,
                    "metadata": [{"name": "batch-run", "value": "cat-1"}],
                },
            }
        },
        "onAllTasksComplete": "noaction",
        "metadata": [{"name": "batch-run", "value": "cat-1"}],
    }


def test_a_pool_may_outlive_its_job() -> None:
    kept = replace(JOB, pool=AutoPool(id_prefix="cat-", request=POOL_REQUEST, keep=True))

    assert job_body(kept)["poolInfo"]["autoPoolSpecification"]["keepAlive"] is True


def test_a_job_sends_all_that_it_has() -> None:
    resources = [
        {"storageContainerUrl": "http://h/c?sig=s", "blobPrefix": "bin/", "filePath": "tools"},
        {"httpUrl": "http://h/c/run.sh?sig=s", "filePath": "run.sh", "fileMode": "0755"},
    ]
    admin = {"autoUser": {"scope": "pool", "elevationLevel": "admin"}}

    assert job_body(FULL_JOB) == {
        "id": "cat-1",
        "priority": 5,
        "maxParallelTasks": 7,
        "allowTaskPreemption": True,
        "constraints": {"maxWallClockTime": "PT86400S", "maxTaskRetryCount": 3},
        "poolInfo": {"poolId": "pool-1"},
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "performexitoptionsjobaction",
        "usesTaskDependencies": True,
        "commonEnvironmentSettings": [{"name": "LANG", "value": "C.UTF-8"}],
        "jobPreparationTask": {
            "commandLine": "/bin/bash -c x",
            "environmentSettings": [{"name": "A", "value": "1"}],
            "userIdentity": admin,
            "resourceFiles": resources,
            "constraints": {"maxWallClockTime": "PT600S", "maxTaskRetryCount": 2},
            "waitForSuccess": True,
            "rerunOnNodeRebootAfterSuccess": False,
        },
        "jobReleaseTask": {
            "commandLine": "/bin/bash -c x",
            "environmentSettings": [{"name": "A", "value": "1"}],
            "userIdentity": admin,
            "resourceFiles": resources,
            "maxWallClockTime": "PT600S",
        },
        "metadata": [
            {"name": "team", "value": "film"},
            {"name": "batch-run", "value": "cat-1"},
        ],
    }


def test_a_task_sends_all_that_it_has() -> None:
    carry_on = {"jobAction": "none", "dependencyAction": "block"}
    disable = {"jobAction": "disable", "dependencyAction": "satisfy"}

    assert task_body(FULL_TASK) == {
        "id": "0001",
        "displayName": "main/a.txt",
        "commandLine": "/bin/bash -c 'cat a'",
        "environmentSettings": [
            {"name": "C", "value": "ours"},
            {"name": "D", "value": "2"},
            {"name": "B", "value": "ü"},
        ],
        "constraints": {
            "maxTaskRetryCount": 4,
            "maxWallClockTime": "PT1800S",
            "retentionTime": "PT86400S",
        },
        "userIdentity": {"username": "worker"},
        "resourceFiles": [
            {"httpUrl": "http://h/in/a.txt?sig=s", "filePath": "a.txt"},
            {"storageContainerUrl": "http://h/c?sig=s"},
        ],
        "outputFiles": [
            {
                "filePattern": "a.out",
                "destination": {
                    "container": {"containerUrl": "http://h/out?sig=s", "path": "a.out"}
                },
                "uploadOptions": {"uploadCondition": "tasksuccess"},
            },
            {
                "filePattern": "../std*.txt",
                "destination": {"container": {"containerUrl": "http://h/logs?sig=s"}},
                "uploadOptions": {"uploadCondition": "taskcompletion"},
            },
            {
                "filePattern": "core",
                "destination": {
                    "container": {"containerUrl": "http://h/out?sig=s", "path": "core"}
                },
                "uploadOptions": {"uploadCondition": "taskfailure"},
            },
        ],
        "dependsOn": {"taskIdRanges": [{"start": 1, "end": 4}, {"start": 9, "end": 9}]},
        "requiredSlots": 2,
        "exitConditions": {
            "exitCodes": [{"code": 2, "exitOptions": disable}],
            "exitCodeRanges": [{"start": 10, "end": 19, "exitOptions": disable}],
            "preProcessingError": carry_on,
            "fileUploadError": carry_on,
            "default": {"jobAction": "none"},
        },
        "containerSettings": {
            "imageName": "tool:2",
            "containerRunOptions": "--rm",
            "workingDirectory": "containerImageDefault",
        },
        "multiInstanceSettings": {
            "numberOfInstances": 3,
            "coordinationCommandLine": "wait",
            "commonResourceFiles": [{"httpUrl": "http://h/in/hosts?sig=s", "filePath": "hosts"}],
        },
        "applicationPackageReferences": [{"applicationId": "blender", "version": "4.2"}],
        "affinityInfo": {"affinityId": "TVM:1"},
    }


def test_a_bare_task_sends_no_empty_lists() -> None:
    assert task_body(TASK) == {
        "id": "1",
        "displayName": "main/1",
        "commandLine": "true",
        "constraints": {"maxTaskRetryCount": 0},
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
    }


def test_a_container_starts_in_the_tasks_directory_and_says_nothing_more() -> None:
    container = TaskContainer(
        image=compile_template("busybox"),
        options="",
        working_directory=WorkingDirectory.TASK,
        pointer=("task", "container"),
    )
    task = replace(TASK, step=replace(STEP, container=container), container_image="busybox")

    assert task_body(task)["containerSettings"] == {"imageName": "busybox"}


def rule(job: JobAction | None, dependents: DependentsAction | None) -> ExitRule:
    return ExitRule(
        codes=((1, 1),),
        causes=(ExitCause.OTHER,),
        job=job,
        dependents=dependents,
        pointer=("task", "on_exit", 0),
    )


@pytest.mark.parametrize(
    ("rules", "otherwise", "conditions"),
    [
        # The job heeds no ends: the service refuses a job action, so that none may be sent.
        (
            (rule(None, DependentsAction.RUN),),
            None,
            {
                "exitCodes": [{"code": 1, "exitOptions": {"dependencyAction": "satisfy"}}],
                "default": {"dependencyAction": "satisfy"},
            },
        ),
        (
            (rule(JobAction.TERMINATE, None),),
            JobAction.CONTINUE,
            {
                "exitCodes": [{"code": 1, "exitOptions": {"jobAction": "terminate"}}],
                "default": {"jobAction": "terminate"},
            },
        ),
        # What a rule leaves open is what holds without one, not the service's default.
        (
            (rule(None, DependentsAction.BLOCK),),
            JobAction.CONTINUE,
            {
                "exitCodes": [
                    {"code": 1, "exitOptions": {"jobAction": "none", "dependencyAction": "block"}}
                ],
                "default": {"jobAction": "none", "dependencyAction": "block"},
            },
        ),
        ((), JobAction.CONTINUE, {"default": {"jobAction": "none"}}),
    ],
)
def test_rules_for_exits(
    rules: tuple[ExitRule, ...], otherwise: JobAction | None, conditions: dict[str, Any]
) -> None:
    task = replace(TASK, step=replace(STEP, exit_rules=rules), job_action=otherwise)

    assert task_body(task)["exitConditions"] == conditions


def test_what_is_merged_in_wins_and_leaves_its_sources_alone() -> None:
    body = {"a": {"b": 1, "c": [1]}, "d": 1}
    extra = {"a": {"c": [2], "e": None}, "d": {"f": 1}}

    assert merged(body, extra) == {"a": {"b": 1, "c": [2], "e": None}, "d": {"f": 1}}
    assert body == {"a": {"b": 1, "c": [1]}, "d": 1}
    assert extra == {"a": {"c": [2], "e": None}, "d": {"f": 1}}


@pytest.mark.parametrize(
    ("extra", "metadata"),
    [
        ({}, [{"name": "run", "value": "1"}]),
        (
            {"metadata": [{"name": "run", "value": "2"}, {"name": "cost", "value": "7"}]},
            [{"name": "run", "value": "1"}, {"name": "cost", "value": "7"}],
        ),
        # Not for us to judge: the service refuses it and says why.
        ({"metadata": "wrong"}, "wrong"),
    ],
)
def test_metadata_of_the_users_own_come_after_ours(extra: dict[str, object], metadata: Any) -> None:
    assert with_extra({"id": "a"}, extra, {"run": "1"}) == {"id": "a", "metadata": metadata}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(seconds=90), "PT90S"),
        (timedelta(days=7), "PT604800S"),
        (timedelta(milliseconds=1500), "PT1.5S"),
        (timedelta(microseconds=1), "PT0.000001S"),
    ],
)
def test_durations_are_iso_8601(value: timedelta, text: str) -> None:
    assert duration(value) == text
