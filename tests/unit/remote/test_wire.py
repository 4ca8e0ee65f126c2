"""The bodies that go to Azure Batch, whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.plan.model import CommandLine, TaskId
from runner.remote.wire import duration, job_body, merged, task_body
from runner.run.services import (
    JobRequest,
    OutputRequest,
    PoolRequest,
    ResourceRequest,
    StartTaskRequest,
    TaskRequest,
)
from runner.spec.pool import Image
from runner.spec.step import UploadCondition
from runner.spec.terms import Elevation


def make_job(*, start_task: StartTaskRequest | None = None, **extra: object) -> JobRequest:
    return JobRequest(
        id="cat-1",
        pool=PoolRequest(
            id_prefix="cat-",
            image=Image(
                publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
            ),
            node_agent="batch.node.ubuntu 24.04",
            vm_size="Standard_D2s_v5",
            dedicated_nodes=2,
            spot_nodes=0,
            task_slots_per_node=1,
            start_task=start_task,
            metadata={"batch-run": "cat-1"},
            keep=False,
            extra={"virtualMachineConfiguration": {"osDisk": {"caching": "readonly"}}},
        ),
        duration=timedelta(hours=24),
        metadata={"batch-run": "cat-1"},
        extra=extra,
    )


def test_a_job_brings_its_pool_and_has_a_maximum_wall_time() -> None:
    start_task = StartTaskRequest(
        command=CommandLine(line="/bin/bash -c x", environment={"A": "1"}, script="x"),
        resources=(ResourceRequest(container_url="http://h/c?sig=s"),),
        run_as=Elevation.ADMIN,
        wait_for_success=True,
        retries=2,
    )

    assert job_body(make_job(start_task=start_task, priority=5)) == {
        "id": "cat-1",
        "priority": 5,
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
                        "osDisk": {"caching": "readonly"},
                    },
                    "vmSize": "Standard_D2s_v5",
                    "targetDedicatedNodes": 2,
                    "targetLowPriorityNodes": 0,
                    "taskSlotsPerNode": 1,
                    "metadata": [{"name": "batch-run", "value": "cat-1"}],
                    "startTask": {
                        "commandLine": "/bin/bash -c x",
                        "environmentSettings": [{"name": "A", "value": "1"}],
                        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
                        "maxTaskRetryCount": 2,
                        "waitForSuccess": True,
                        "resourceFiles": [{"storageContainerUrl": "http://h/c?sig=s"}],
                    },
                },
            }
        },
        "onAllTasksComplete": "noaction",
        "metadata": [{"name": "batch-run", "value": "cat-1"}],
    }


def test_a_pool_without_a_start_task_sends_none() -> None:
    body = job_body(make_job())

    assert "startTask" not in body["poolInfo"]["autoPoolSpecification"]["pool"]


def test_a_task_sends_all_that_it_has() -> None:
    request = TaskRequest(
        id=TaskId("0001"),
        display_name="main/a.txt",
        command=CommandLine(line="/bin/bash -c 'cat a'", environment={"B": "ü"}, script="cat a"),
        resources=(
            ResourceRequest(blob_url="http://h/in/a.txt?sig=s", path="a.txt"),
            ResourceRequest(container_url="http://h/c?sig=s", path="all"),
        ),
        outputs=(
            OutputRequest(
                pattern="a.out",
                container_url="http://h/out?sig=s",
                path="a.out",
                when=UploadCondition.SUCCESS,
            ),
            OutputRequest(
                pattern="../std*.txt",
                container_url="http://h/logs?sig=s",
                path="",
                when=UploadCondition.COMPLETION,
            ),
            OutputRequest(
                pattern="core",
                container_url="http://h/out?sig=s",
                path="core",
                when=UploadCondition.FAILURE,
            ),
        ),
        run_as=Elevation.USER,
        retries=1,
        timeout=timedelta(minutes=30),
        extra={"requiredSlots": 2, "constraints": {"retentionTime": "P1D"}},
    )

    assert task_body(request) == {
        "id": "0001",
        "displayName": "main/a.txt",
        "commandLine": "/bin/bash -c 'cat a'",
        "environmentSettings": [{"name": "B", "value": "ü"}],
        "requiredSlots": 2,
        "constraints": {
            "maxTaskRetryCount": 1,
            "maxWallClockTime": "PT1800S",
            "retentionTime": "P1D",
        },
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
        "resourceFiles": [
            {"httpUrl": "http://h/in/a.txt?sig=s", "filePath": "a.txt"},
            {"storageContainerUrl": "http://h/c?sig=s", "filePath": "all"},
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
    }


def test_a_bare_task_sends_no_empty_lists() -> None:
    request = TaskRequest(
        id=TaskId("1"),
        display_name="main/1",
        command=CommandLine(line="true", environment={}, script="true"),
        resources=(),
        outputs=(),
        run_as=Elevation.ADMIN,
        retries=0,
        timeout=None,
        extra={},
    )

    assert task_body(request) == {
        "id": "1",
        "displayName": "main/1",
        "commandLine": "true",
        "constraints": {"maxTaskRetryCount": 0},
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
    }


def test_what_is_merged_in_wins_and_leaves_its_sources_alone() -> None:
    body = {"a": {"b": 1, "c": [1]}, "d": 1}
    extra = {"a": {"c": [2], "e": None}, "d": {"f": 1}}

    assert merged(body, extra) == {"a": {"b": 1, "c": [2], "e": None}, "d": {"f": 1}}
    assert body == {"a": {"b": 1, "c": [1]}, "d": 1}
    assert extra == {"a": {"c": [2], "e": None}, "d": {"f": 1}}


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
