"""The bodies of pools and job schedules that go to Azure Batch, whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from runner.remote.pool_formula import pool_formula
from runner.remote.wire import job_body, task_body
from runner.remote.wire_pool import pool_body
from runner.remote.wire_schedule import schedule_body
from runner.spec.model.pool import FixedNodes
from tests.unit.remote.samples import (
    FULL_POOL_REQUEST,
    JOB,
    NO_ADDRESSES,
    POOL,
    POOL_REQUEST,
    SCHEDULE,
    TASK,
)


def test_a_pool_sends_all_that_it_has() -> None:
    assert pool_body(FULL_POOL_REQUEST) == {
        "virtualMachineConfiguration": {
            "imageReference": {"virtualMachineImageId": "/subscriptions/s/images/i"},
            "nodeAgentSKUId": "batch.node.ubuntu 24.04",
            "containerConfiguration": {
                "type": "dockerCompatible",
                "containerImageNames": ["docker.io/library/busybox:1", "own.azurecr.io/tool:2"],
                "containerRegistries": [
                    {
                        "registryServer": "own.azurecr.io",
                        "username": "puller",
                        "password": "top secret",
                    },
                ],
            },
            "osDisk": {"caching": "readonly"},
        },
        "vmSize": "Standard_D4s_v5",
        "enableAutoScale": True,
        "autoScaleFormula": "$TargetDedicatedNodes = 1;",
        "autoScaleEvaluationInterval": "PT300S",
        "taskSlotsPerNode": 4,
        "taskSchedulingPolicy": {"nodeFillType": "pack"},
        "startTask": {
            "commandLine": "/bin/bash -c x",
            "environmentSettings": [{"name": "A", "value": "1"}],
            "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
            "maxTaskRetryCount": 2,
            "waitForSuccess": True,
            "resourceFiles": [
                {
                    "storageContainerUrl": "http://h/c?sig=s",
                    "blobPrefix": "bin/",
                    "filePath": "tools",
                },
                {"httpUrl": "http://h/c/run.sh?sig=s", "filePath": "run.sh", "fileMode": "0755"},
            ],
        },
        "mountConfiguration": [
            {
                "azureBlobFileSystemConfiguration": {
                    "accountName": "a",
                    "containerName": "c",
                    "accountKey": "top secret",
                    "relativeMountPath": "keyed",
                    "blobfuseOptions": "-o ro",
                }
            },
            {
                "azureBlobFileSystemConfiguration": {
                    "accountName": "a",
                    "containerName": "c",
                    "sasKey": "top secret",
                    "relativeMountPath": "signed",
                }
            },
            {
                "azureFileShareConfiguration": {
                    "accountName": "a",
                    "azureFileUrl": "https://a.file.core.windows.net/s",
                    "accountKey": "top secret",
                    "relativeMountPath": "share",
                    "mountOptions": "-o vers=3.0",
                }
            },
            {"nfsMountConfiguration": {"source": "h:/p", "relativeMountPath": "nfs"}},
            {
                "cifsMountConfiguration": {
                    "username": "u",
                    "source": "//h/s",
                    "password": "top secret",
                    "relativeMountPath": "cifs",
                }
            },
        ],
        "networkConfiguration": {
            "subnetId": "/subscriptions/s/subnets/n",
            "publicIPAddressConfiguration": {
                "provision": "usermanaged",
                "ipAddressIds": ["/subscriptions/s/addresses/1"],
            },
            "enableAcceleratedNetworking": True,
        },
        "userAccounts": [
            {"name": "worker", "password": "top secret", "elevationLevel": "admin"},
        ],
        "enableInterNodeCommunication": True,
        "applicationPackageReferences": [
            {"applicationId": "blender", "version": "4.2"},
            {"applicationId": "ffmpeg"},
        ],
        "resizeTimeout": "PT20M",
        "metadata": [
            {"name": "batch-run", "value": "cat-1"},
            {"name": "pool", "value": "0a1b"},
            {"name": "cost", "value": "7"},
        ],
    }


def test_a_pool_of_a_run_gives_its_nodes_back_by_itself() -> None:
    created = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    body = pool_body(replace(POOL_REQUEST, created=created))

    assert "targetDedicatedNodes" not in body
    assert "targetLowPriorityNodes" not in body
    assert body["enableAutoScale"] is True
    assert body["autoScaleEvaluationInterval"] == "PT300S"
    size = POOL.size
    assert isinstance(size, FixedNodes)
    assert body["autoScaleFormula"] == pool_formula(size, created=created)


def test_a_formula_of_the_user_stays_as_it_is_written() -> None:
    created = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    request = replace(FULL_POOL_REQUEST, created=created)

    assert pool_body(request) == pool_body(FULL_POOL_REQUEST)


def test_a_pool_without_public_addresses() -> None:
    request = replace(POOL_REQUEST, pool=replace(POOL, network=NO_ADDRESSES))

    assert pool_body(request)["networkConfiguration"] == {
        "publicIPAddressConfiguration": {"provision": "nopublicipaddresses"}
    }


def test_a_pool_for_containers_needs_no_image_beforehand() -> None:
    machine = pool_body(replace(POOL_REQUEST, runs_containers=True))["virtualMachineConfiguration"]

    assert machine["containerConfiguration"] == {"type": "dockerCompatible"}


def test_secrets_are_not_shown() -> None:
    assert "top secret" not in repr(FULL_POOL_REQUEST)


def test_a_schedule_makes_jobs_that_end_with_their_one_task() -> None:
    job = job_body(JOB)
    del job["id"]

    assert schedule_body(SCHEDULE) == {
        "id": "cat-nightly",
        "schedule": {
            "recurrenceInterval": "PT86400S",
            "startWindow": "PT1800S",
            "doNotRunUntil": "2026-01-01T01:00:00Z",
            "doNotRunAfter": "2026-02-01T00:00:00Z",
        },
        "jobSpecification": {
            **job,
            "jobManagerTask": {**task_body(TASK), "killJobOnCompletion": True},
        },
        "metadata": [{"name": "batch-run", "value": "cat-1"}],
    }


def test_a_schedule_may_begin_at_once_and_start_however_late() -> None:
    plain = replace(SCHEDULE, schedule=replace(SCHEDULE.schedule, start=None, window=None))

    assert schedule_body(plain)["schedule"] == {
        "recurrenceInterval": "PT86400S",
        "doNotRunAfter": "2026-02-01T00:00:00Z",
    }
