"""Bodies with something wrong in them: each is taken or refused in the service's form."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
    "schedule": {
        "doNotRunUntil": "2026-01-01T00:00:00Z",
        "doNotRunAfter": "2199-12-31T00:00:00.5+01:00",
        "recurrenceInterval": "PT1M",
        "startWindow": "PT1M",
    },
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
    "9999-12-31T23:59:59-10:00",
    "0001-01-01T00:00:00+14:00",
    f"P{'9' * 5000}D",
    f"PT{'9' * 18}.{'9' * 9}S",
    "P1DT",
    "-P1D",
    "\u0661",
    "1_0",
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    '$TargetDedicatedNodes = time("0001-01-01").year',
    "(" * 3000,
)

_DIGITS = re.compile("[0-9]+")
USUAL = {
    (400, "InvalidRequestBody"),
    (400, "InvalidPropertyValue"),
    (400, "MissingRequiredProperty"),
}
REFUSED = USUAL | {
    (400, "AutoScalingFormulaSyntaxError"),
    (409, "InvalidApplicationPackageReferences"),
}
ENDS = ("0", "00", "1", "59", "60", "9999", "9" * 18, "9" * 5000, "\u0669", "-1", "")
"""What stands in the place of digits in times, durations, identifiers and versions."""


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


def mutated(body: dict[str, Any], chance: random.Random) -> tuple[dict[str, Any], bool]:
    """The body with one to three things dropped, doubled, retyped or broken; whether it has a
    property at the end of that which no entity has.
    """
    made = copy.deepcopy(body)
    unknown = False
    for _ in range(chance.randint(1, 3)):
        found = list(places(made))
        if not found:
            break
        container, key = chance.choice(found)
        unknown = False
        match chance.randrange(5):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case 2 if isinstance(container, dict):
                container[f"{key}X"] = container.pop(key)
                unknown = True
            case 3 if isinstance(container[key], str) and _DIGITS.search(container[key]):
                runs = len(_DIGITS.findall(container[key]))
                chosen, end = chance.randrange(runs), chance.choice(ENDS)
                container[key] = _with_run(container[key], chosen, end)
            case _:
                container[key] = chance.choice(STRANGE)
    return made, unknown


def _with_run(text: str, number: int, digits: str) -> str:
    """The text with other digits in the place of one run of them."""
    counted = itertools.count()
    return _DIGITS.sub(lambda run: digits if next(counted) == number else run.group(), text)


def _is_steady(page: Any) -> bool:
    return all(pool["allocationState"] == "steady" for pool in page["value"])


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

    seen: Counter[tuple[int, str | None]] = Counter()

    async def story(client: Client) -> None:
        given = {"id": "given", "usesTaskDependencies": True, "poolInfo": {"poolId": "none"}}
        assert (await client.ask("POST", "/jobs", body=given)).status == 201
        assert (await client.ask("POST", path, body=body)).status == 201
        made: list[str] = [body["id"]]
        for number in range(500):
            wrong, unknown = mutated(body, chance)
            if isinstance(wrong.get("id"), str) and wrong["id"] == body["id"]:
                wrong["id"] += str(number)
            response = await client.ask("POST", path, body=json.dumps(wrong).encode())
            told = None if response.status == 201 else content(response)["code"]
            seen[response.status, told] += 1
            assert not unknown or response.status == 400, (wrong, response)
            if response.status == 201:
                shown = await client.get(f"{path}/{quote(wrong['id'])}")
                assert shown["id"] == wrong["id"]
                made.append(wrong["id"])
            else:
                assert (response.status, told) in REFUSED, (wrong, response)
            if number % 250 == 249:
                # What was made gets to run meanwhile.
                await client.until("/pools", _is_steady)
        assert seen[201, None] > 50
        assert {each for each in USUAL if seen[each]} == USUAL

    play(tmp_path, story)
    # What fails later, by the clock, is only heard here.
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
