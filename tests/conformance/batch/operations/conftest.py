"""What each test of one operation needs: every way to talk to the service, and something to ask of.

It must not know the operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, completed, is_gone, machine, wait_until
from tests.conformance.batch.conftest import EVERY_VARIANT
from tests.conformance.batch.operations.coverage import (
    ABSENT,
    operation_of,
    operations,
)
from tests.conformance.batch.variants import ALL_VARIANTS, OLDER, VARIANTS, Variant
from tests.conformance.openapi.judging import Judge

NOWHERE = models.BatchPoolInfo(pool_id="nowhere")


@pytest.fixture(params=(*ALL_VARIANTS, *OLDER) if EVERY_VARIANT else VARIANTS, ids=str)
def variant(request: pytest.FixtureRequest) -> Variant:
    """How the test talks to the service: each way in turn."""
    chosen: Variant = request.param
    return chosen


@pytest.fixture(autouse=True)
def exercised(request: pytest.FixtureRequest, judge: Judge | None) -> Iterator[None]:
    """Makes sure that the operation after which a test is named has succeeded and been refused."""
    operation = operation_of(request.function)
    if operation not in operations():
        yield
        return
    version = request.getfixturevalue("variant").version
    if version in ABSENT and operation in ABSENT[version]:
        pytest.skip(f"{version} has it not for pools of virtual machines")
    yield
    if judge is None:
        return
    assert operation in judge.succeeded, "it never succeeded"
    assert operation in judge.refused, "it was never refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that is idle."""

    pool: str
    id: str


@pytest.fixture
def pool(client: BatchClient, name: str) -> Iterator[str]:
    """A pool without nodes, at rest."""
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=machine(),
            metadata=[models.BatchMetadataItem(name="colour", value="red")],
        )
    )
    steady(client, name)
    yield name
    if not is_gone(lambda: client.get_pool(name)):
        client.begin_delete_pool(name, **POLL).wait()


def steady(client: BatchClient, pool: str) -> None:
    """Waits until the pool has as many nodes as it wants."""
    wait_until(lambda: client.get_pool(pool).allocation_state == models.AllocationState.STEADY)


@pytest.fixture
def node(client: BatchClient, name: str) -> Iterator[Node]:
    """A node with an extension, alone in its pool."""
    configuration = machine()
    configuration.extensions = [
        models.VMExtension(name="agent", publisher="contoso", type="agentforlinux")
    ]
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=configuration,
            target_dedicated_nodes=1,
        )
    )
    yield Node(pool=name, id=idle(client, name))
    client.begin_delete_pool(name, **POLL).wait()


def idle(client: BatchClient, pool: str) -> str:
    """The id of the pool's one node, once that is idle."""

    def look() -> str | None:
        found = client.list_nodes(pool, filter="state eq 'idle'")
        return next((str(node.id) for node in found), None)

    return wait_until(look)


@pytest.fixture
def job(client: BatchClient, name: str) -> Iterator[str]:
    """A job on a pool that there is not, so that its tasks wait."""
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=NOWHERE))
    yield name
    if not is_gone(lambda: client.get_job(name)):
        client.begin_delete_job(name, **POLL).wait()


@pytest.fixture
def task(client: BatchClient, job: str) -> str:
    """A task of the job that waits."""
    client.create_task(job, models.BatchTaskCreateOptions(id="t", command_line="/bin/true"))
    return "t"


@pytest.fixture
def done(client: BatchClient, node: Node) -> Iterator[str]:
    """A job with a task `t` that has written to `stdout.txt` and `wd/made`, and has failed."""
    name = node.pool
    info = models.BatchPoolInfo(pool_id=name)
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    command = "/bin/bash -c 'echo said; echo made > made; exit 3'"
    client.create_task(name, models.BatchTaskCreateOptions(id="t", command_line=command))
    completed(client, name, "t")
    yield name
    client.begin_delete_job(name, **POLL).wait()


@pytest.fixture
def schedule(client: BatchClient, name: str) -> Iterator[str]:
    """A schedule that makes a job a day."""
    client.create_job_schedule(schedule_options(name))
    yield name
    if not is_gone(lambda: client.get_job_schedule(name)):
        client.begin_delete_job_schedule(name, **POLL).wait()


def schedule_options(name: str) -> models.BatchJobScheduleCreateOptions:
    """What a schedule is created with."""
    from datetime import timedelta

    return models.BatchJobScheduleCreateOptions(
        id=name,
        schedule=models.BatchJobScheduleConfiguration(recurrence_interval=timedelta(days=1)),
        job_specification=models.BatchJobSpecification(pool_info=NOWHERE),
    )
