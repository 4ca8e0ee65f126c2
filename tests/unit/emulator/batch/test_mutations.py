"""Bodies with something wrong in them: each is taken or refused in the service's form."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.emulator.batch.test_service import MACHINE, Client, content, play

COMMAND: dict[str, Any] = {
    "commandLine": "true",
    "containerSettings": {
        "imageName": "i",
        "registry": {"username": "u", "password": "p"},
        "containerHostBatchBindMounts": [{"source": "Task", "isReadOnly": True}],
    },
    "resourceFiles": [
        {"httpUrl": "http://h/x", "filePath": "x", "fileMode": "0644"},
        {"storageContainerUrl": "http://h/c?sig=x", "blobPrefix": "p"},
        {"autoStorageContainerName": "c"},
    ],
    "environmentSettings": [{"name": "A", "value": "b"}],
    "userIdentity": {"autoUser": {"scope": "task", "elevationLevel": "admin"}},
}
POOL: dict[str, Any] = {
    "id": "pool",
    "vmSize": "x",
    "virtualMachineConfiguration": {
        **MACHINE,
        "dataDisks": [
            {"lun": 1, "diskSizeGB": 50, "managedDisk": {"storageAccountType": "premium_lrs"}}
        ],
        "containerConfiguration": {
            "type": "dockerCompatible",
            "containerRegistries": [{"registryServer": "h", "password": "p"}],
        },
    },
    "enableAutoScale": True,
    "autoScaleFormula": "$TargetDedicatedNodes = min(2, avg($PendingTasks.GetSample(1)));",
    "autoScaleEvaluationInterval": "PT5M",
    "enableInterNodeCommunication": True,
    "startTask": {**COMMAND, "waitForSuccess": True, "maxTaskRetryCount": 1},
    "applicationPackageReferences": [{"applicationId": "a", "version": "1"}],
    "userAccounts": [{"name": "u", "password": "p", "linuxUserConfiguration": {"uid": 1}}],
    "networkConfiguration": {
        "subnetId": "s",
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": "n",
                    "protocol": "tcp",
                    "backendPort": 1,
                    "frontendPortRangeStart": 1,
                    "frontendPortRangeEnd": 2,
                    "networkSecurityGroupRules": [
                        {"priority": 150, "access": "allow", "sourceAddressPrefix": "*"}
                    ],
                }
            ]
        },
        "publicIPAddressConfiguration": {"provision": "usermanaged", "ipAddressIds": ["i"]},
    },
    "mountConfiguration": [
        {"nfsMountConfiguration": {"source": "h:/x", "relativeMountPath": "x"}},
    ],
    "taskSchedulingPolicy": {"nodeFillType": "Pack"},
}
SPECIFICATION: dict[str, Any] = {
    "priority": 1,
    "maxParallelTasks": 2,
    "usesTaskDependencies": True,
    "constraints": {"maxWallClockTime": "PT1H", "maxTaskRetryCount": 1},
    "jobManagerTask": {**COMMAND, "id": "m", "requiredSlots": 1, "runExclusive": True},
    "jobPreparationTask": {**COMMAND, "id": "p", "constraints": {"maxTaskRetryCount": 1}},
    "jobReleaseTask": {**COMMAND, "id": "r", "maxWallClockTime": "PT5M"},
    "commonEnvironmentSettings": [{"name": "A", "value": "b"}],
    "poolInfo": {
        "autoPoolSpecification": {
            "poolLifetimeOption": "job",
            "pool": {key: value for key, value in POOL.items() if key != "id"},
        }
    },
    "metadata": [{"name": "a", "value": "b"}],
}
TASK: dict[str, Any] = {
    **COMMAND,
    "id": "task",
    "multiInstanceSettings": {"numberOfInstances": 2, "coordinationCommandLine": "true"},
    "dependsOn": {"taskIds": ["a"], "taskIdRanges": [{"start": 1, "end": 2}]},
    "exitConditions": {
        "exitCodes": [{"code": 1, "exitOptions": {"dependencyAction": "satisfy"}}],
        "default": {"dependencyAction": "block"},
    },
    "outputFiles": [
        {
            "filePattern": "*",
            "destination": {"container": {"containerUrl": "http://h/c?sig=x", "path": "p"}},
            "uploadOptions": {"uploadCondition": "tasksuccess"},
        }
    ],
    "constraints": {"retentionTime": "PT1H", "maxTaskRetryCount": -1},
    "requiredSlots": 1,
}
SCHEDULE: dict[str, Any] = {
    "id": "schedule",
    "schedule": {"recurrenceInterval": "PT1M", "startWindow": "PT1M"},
    "jobSpecification": SPECIFICATION,
}
STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x" * 5000,
    "\x00",
    "\ud800",
    "../..",
    "P1D",
    "P99999999D",
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    '$TargetDedicatedNodes = time("0001-01-01").year',
    "(" * 3000,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a document with a key of it."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield value, key
            yield from places(below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield value, index
            yield from places(below)


def mutated(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The body with one to three things dropped, doubled, retyped or broken."""
    made = copy.deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        found = list(places(made))
        if not found:
            break
        container, key = chance.choice(found)
        match chance.randrange(4):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case 2 if isinstance(container, dict):
                container[f"{key}X"] = container.pop(key)
            case _:
                container[key] = chance.choice(STRANGE)
    return made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pools", POOL),
        ("/jobs", {"id": "job", **SPECIFICATION}),
        ("/jobs/given/tasks", TASK),
        ("/jobschedules", SCHEDULE),
    ],
    ids=["pool", "job", "task", "schedule"],
)
def test_no_body_is_too_strange(
    tmp_path: Path, path: str, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(path)
    application = tmp_path / "applications" / "a"
    application.mkdir(parents=True)
    (application / "1.zip").touch()

    async def story(client: Client) -> None:
        given = {"id": "given", "usesTaskDependencies": True, "poolInfo": {"poolId": "none"}}
        assert (await client.ask("POST", "/jobs", body=given)).status == 201
        assert (await client.ask("POST", path, body=body)).status == 201
        for number in range(1000):
            wrong = mutated(body, chance)
            if isinstance(wrong.get("id"), str) and wrong["id"] == body["id"]:
                wrong["id"] += str(number)
            response = await client.ask("POST", path, body=json.dumps(wrong).encode())
            assert response.status in (201, 400, 409, 501), (wrong, response)
            if response.status != 201:
                assert content(response)["code"], wrong
            if number % 100 == 0:
                shown = await client.get(path)
                assert shown["value"]
                # What was made gets to run meanwhile.
                await asyncio.sleep(0.02)

    play(tmp_path, story)
    # What fails later, by the clock, is only heard here.
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
