"""The api-versions: what each of them lacks, against Microsoft's documents of three of them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.batch.operations.dialects.lifetimes import LIFETIMES, Entity, Lifetime
from runner.emulator.batch.operations.versions import (
    API_VERSIONS,
    V2024_02,
    V2024_07,
    V2025_06,
    Version,
)
from tests.conformance.wire.account import MACHINE, REFERENCE, Account, Answer, play

SWAGGER = {Entity.POOLS: "CloudPool", Entity.JOBS: "CloudJob", Entity.SCHEDULES: "CloudJobSchedule"}
SWAGGER |= {Entity.TASKS: "CloudTask", Entity.NODES: "ComputeNode"}
SWAGGER |= {Entity.NODE_COUNTS: "PoolNodeCounts"}
SDK = {Entity.POOLS: "BatchPool", Entity.JOBS: "BatchJob", Entity.SCHEDULES: "BatchJobSchedule"}
SDK |= {Entity.TASKS: "BatchTask", Entity.NODES: "BatchNode"}
SDK |= {
    Entity.NODE_COUNTS: "BatchPoolNodeCounts",
    Entity.REMOTE_LOGIN: "BatchNodeRemoteLoginSettings",
}
# What the three documents themselves do not say alike of the service.
UNDOCUMENTED = {
    (V2024_07, ("cloudServiceConfiguration",)),
}
REASON = f"the documents of the service are not at {REFERENCE}"


@lru_cache
def _swagger(version: Version) -> Any:
    path = REFERENCE / "openapi" / f"{version}.json"
    return json.loads(path.read_text(encoding="utf-8"))["definitions"]


@lru_cache
def _sdk() -> Any:
    path = REFERENCE / "wire-2025-06-01.json"
    return json.loads(path.read_text(encoding="utf-8"))["models"]


def _has(version: Version, entity: Entity, path: tuple[str, ...]) -> bool:
    if version == V2025_06:
        return _sdk_has(SDK[entity], path)
    return _swagger_has(_swagger(version), {"$ref": f"#/definitions/{SWAGGER[entity]}"}, path)


def _swagger_has(definitions: Any, schema: Any, path: tuple[str, ...]) -> bool:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "items" in schema:
        return _swagger_has(definitions, schema["items"], path)
    parts = (schema, *(_resolved(definitions, part) for part in schema.get("allOf", ())))
    properties: dict[str, Any] = {}
    for part in parts:
        properties |= part.get("properties", {})
    if path[0] not in properties:
        return False
    return len(path) == 1 or _swagger_has(definitions, properties[path[0]], path[1:])


def _resolved(definitions: Any, schema: Any) -> Any:
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rpartition("/")[2]]


def _sdk_has(model: str, path: tuple[str, ...]) -> bool:
    fields = _sdk()[model]
    found = next((f for f in _fields(fields) if f["wire"] == path[0]), None)
    if found is None:
        return False
    if len(path) == 1:
        return True
    names = [name for name in _sdk() if f"_models.{name}'" in f"{found['type']}'"]
    names += [name for name in _sdk() if f'_models.{name}"' in found["type"]]
    names += [name for name in _sdk() if f"_models.{name}]" in found["type"]]
    return any(_sdk_has(name, path[1:]) for name in dict.fromkeys(names))


def _fields(model: Any) -> Any:
    fields = model.get("fields") or model.get("properties")
    return fields.values() if isinstance(fields, dict) else fields


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=REASON)
@pytest.mark.parametrize("version", [V2024_02, V2024_07, V2025_06])
@pytest.mark.parametrize("entity", [entity for entity in Entity if entity in SWAGGER])
def test_lifetimes_are_those_of_the_documents(version: Version, entity: Entity) -> None:
    wrong = [
        lifetime.path
        for lifetime in LIFETIMES[entity]
        if lifetime.covers(version) != _has(version, entity, lifetime.path)
    ]
    assert wrong == []


def test_a_lifetime_begins_with_its_version_and_ends_before_the_other() -> None:
    lifetime = Lifetime(("x",), since=API_VERSIONS[2], until=API_VERSIONS[5])
    assert [lifetime.covers(version) for version in API_VERSIONS] == [
        2 <= number < 5 for number in range(len(API_VERSIONS))
    ]


def version_of(number: int) -> str:
    return f"api-version={API_VERSIONS[number]}"


OLDEST, NEXT, NEWEST = version_of(0), version_of(1), version_of(-1)
POOL = {"id": "p", "vmSize": "x", "virtualMachineConfiguration": MACHINE}


def test_the_slots_of_nodes_had_another_name(tmp_path: Path) -> None:
    async def story(a: Account) -> tuple[Answer, ...]:
        await a.make("/pools", {**POOL, "maxTasksPerNode": 4}, query=OLDEST)
        return (
            await a.ask("GET", "/pools/p", query=OLDEST),
            await a.ask("GET", "/pools/p", query=f"{OLDEST}&$select=id,maxTasksPerNode"),
            await a.ask("GET", "/pools", query=NEXT),
            await a.ask("POST", "/pools", {**POOL, "taskSlotsPerNode": 4}, query=OLDEST),
            await a.ask("POST", "/pools", {**POOL, "maxTasksPerNode": 4}, query=NEXT),
        )

    old, selected, new, refused_old, refused_new = play(tmp_path, story)
    assert (old.body["maxTasksPerNode"], old.body.get("taskSlotsPerNode")) == (4, None)
    assert list(selected.body)[1:] == ["id", "maxTasksPerNode"]
    assert new.body["value"][0]["taskSlotsPerNode"] == 4
    assert refused_old.code == refused_new.code == "InvalidRequestBody"


def test_counts_of_tasks_were_flat(tmp_path: Path) -> None:
    async def story(a: Account) -> tuple[Answer, Answer]:
        await a.job()
        await a.task()
        path = "/jobs/j/taskcounts"
        return await a.ask("GET", path, query=OLDEST), await a.ask("GET", path, query=NEXT)

    old, new = play(tmp_path, story)
    counts = {"active": 1, "running": 0, "completed": 0, "succeeded": 0, "failed": 0}
    metadata = old.body.pop("odata.metadata")
    assert old.body == counts
    assert new.body == {"odata.metadata": metadata, "taskCounts": counts, "taskSlotCounts": counts}


def test_disks_moved(tmp_path: Path) -> None:
    def pool(**disk: Any) -> dict[str, Any]:
        machine = {**MACHINE, "dataDisks": [{"lun": 1, "diskSizeGB": 50, **disk}]}
        return {**POOL, "virtualMachineConfiguration": machine}

    async def story(a: Account) -> tuple[Any, Any]:
        await a.make("/pools", pool(storageAccountType="premium_lrs"), query=version_of(-2))
        answers = [
            await a.ask("GET", "/pools/p", query=query) for query in (version_of(-2), NEWEST)
        ]
        old, new = (answer.body["virtualMachineConfiguration"]["dataDisks"] for answer in answers)
        return old, new

    old, new = play(tmp_path, story)
    common = {"lun": 1, "caching": "none", "diskSizeGB": 50}
    assert old == [{**common, "storageAccountType": "premium_lrs"}]
    assert new == [{**common, "managedDisk": {"storageAccountType": "premium_lrs"}}]


@pytest.mark.parametrize(
    ("properties", "first", "last"),
    [
        ({"targetNodeCommunicationMode": "classic"}, 4, 8),
        ({"upgradePolicy": {"mode": "manual"}}, 7, 9),
        ({"resourceTags": {"a": "b"}}, 6, 8),
        ({"applicationLicenses": ["maya"]}, 0, 7),
    ],
)
def test_what_a_version_does_not_have_is_refused_and_not_shown(
    properties: dict[str, Any], first: int, last: int, tmp_path: Path
) -> None:
    (name,) = properties

    async def story(a: Account) -> list[tuple[int, bool]]:
        seen: list[tuple[int, bool]] = []
        await a.make("/pools", {**POOL, **properties}, query=version_of(first))
        for number in range(len(API_VERSIONS)):
            body = {**POOL, "id": f"p{number}", **properties}
            created = await a.ask("POST", "/pools", body, query=version_of(number))
            shown = await a.ask("GET", "/pools/p", query=version_of(number))
            seen.append((created.status, name in shown.body))
        return seen

    assert play(tmp_path, story) == [
        (201, True) if first <= number <= last else (400, False)
        for number in range(len(API_VERSIONS))
    ]


def test_pools_of_cloud_services(tmp_path: Path) -> None:
    body = {"id": "p", "vmSize": "x", "cloudServiceConfiguration": {"osFamily": "5"}}

    async def story(a: Account) -> tuple[Answer, Answer, Answer]:
        refused = await a.ask("POST", "/pools", body, query=version_of(8))
        await a.make("/pools", {**body, "targetDedicatedNodes": 1}, query=version_of(7))
        await a.wait()
        nodes = await a.ask("GET", "/pools/p/nodes", query=version_of(7))
        return refused, await a.ask("GET", "/pools/p", query=version_of(7)), nodes

    refused, pool, nodes = play(tmp_path, story)
    assert (refused.status, refused.code) == (400, "InvalidRequestBody")
    assert pool.body["cloudServiceConfiguration"] == {"osFamily": "5", "osVersion": "*"}
    assert "virtualMachineInfo" not in nodes.body["value"][0]


def test_what_the_pool_of_a_job_lacks(tmp_path: Path) -> None:
    pool = {
        "vmSize": "x",
        "virtualMachineConfiguration": MACHINE,
        "upgradePolicy": {"mode": "auto"},
    }
    specification = {"poolLifetimeOption": "job", "pool": pool}
    job = {"id": "j", "poolInfo": {"autoPoolSpecification": specification}}

    async def story(a: Account) -> tuple[Answer, Answer, Answer]:
        refused = await a.ask("POST", "/jobs", job, query=OLDEST)
        await a.make("/jobs", job)
        return refused, await a.ask("GET", "/jobs", query=OLDEST), await a.get("/jobs")

    refused, old, new = play(tmp_path, story)
    assert refused.values == {
        "Reason": "There is no property upgradePolicy in api-version 2020-03-01.11.0"
    }
    shown = old.body["value"][0]["poolInfo"]["autoPoolSpecification"]["pool"]
    assert "upgradePolicy" not in shown
    assert shown["maxTasksPerNode"] == 1
    assert "maxParallelTasks" not in old.body["value"][0]
    shown = new.body["value"][0]["poolInfo"]["autoPoolSpecification"]["pool"]
    assert shown["upgradePolicy"] == {"mode": "auto"}


def test_operations_that_a_version_does_not_have(tmp_path: Path) -> None:
    async def story(a: Account) -> list[tuple[int, int, int]]:
        node = await a.node()
        seen: list[tuple[int, int, int]] = []
        for number in range(len(API_VERSIONS)):
            query = version_of(number)
            statistics = await a.ask("GET", "/lifetimejobstats", query=query)
            extensions = await a.ask("GET", f"{node}/extensions", query=query)
            start = await a.ask("POST", f"{node}/start", query=query)
            seen.append((statistics.status, extensions.status, start.status))
        return seen

    statuses = play(tmp_path, story)
    assert [one for one, _, _ in statuses] == [200] * 5 + [400] * 5
    assert [one for _, one, _ in statuses] == [400] * 2 + [200] * 8
    assert [one for _, _, one in statuses] == [400] * 8 + [409] * 2


def test_ports_of_logins_that_only_the_last_version_leaves_to_endpoints(tmp_path: Path) -> None:
    endpoint = {
        "name": "login",
        "protocol": "tcp",
        "backendPort": 3389,
        "frontendPortRangeStart": 15_000,
        "frontendPortRangeEnd": 15_100,
    }
    machine = {"virtualMachineConfiguration": MACHINE}
    network = {"endpointConfiguration": {"inboundNATPools": [endpoint]}}

    async def story(a: Account) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []
        for number in range(len(API_VERSIONS)):
            query = version_of(number)
            pool = {"vmSize": "x", **machine, "networkConfiguration": network}
            made = await a.ask("POST", "/pools", {"id": f"p{number}", **pool}, query=query)
            info = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": pool}}
            job = {"id": f"j{number}", "poolInfo": info}
            seen.append((made.status, (await a.ask("POST", "/jobs", job, query=query)).status))
        return seen

    assert play(tmp_path, story) == [(400, 400)] * 9 + [(201, 201)]


STRANGE: tuple[Any, ...] = (None, 1, "x", True, [], {}, [None], [[{}]], {"": None})


@pytest.mark.parametrize("listed", [False, True])
def test_no_value_is_too_strange_for_any_version(listed: bool, tmp_path: Path) -> None:
    def along(path: tuple[str, ...], value: Any) -> dict[str, Any]:
        for name in reversed(path[1:]):
            value = [{name: value}] if listed else {name: value}
        return {path[0]: value}

    async def story(a: Account) -> list[str]:
        wrong: list[str] = []
        number = 0
        for entity, path, plain in (
            (Entity.POOLS, "/pools", POOL),
            (Entity.JOBS, "/jobs", {"poolInfo": {"poolId": "p"}}),
            (Entity.SCHEDULES, "/jobschedules", {"schedule": {"recurrenceInterval": "PT10M"}}),
        ):
            for lifetime in LIFETIMES[entity]:
                number += 1
                value = STRANGE[number % len(STRANGE)]
                version = API_VERSIONS[number % len(API_VERSIONS)]
                body = {**plain, "id": f"x{number % 7}", **along(lifetime.path, value)}
                answer = await a.ask("POST", path, body, query=f"api-version={version}")
                if answer.status not in (201, 400, 409):
                    wrong.append(f"{version} {lifetime.path} {value}: {answer.status}")
        return wrong

    assert play(tmp_path, story) == []
