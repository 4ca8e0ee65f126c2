"""What a run asks of pools that outlive it, and of preparations, asked of the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from runner.connect import Services
from runner.errors import ServiceRefusedError
from runner.plan.model import TaskRange
from runner.run.services import AutoPool, NodeCommandKind, TaskState
from runner.spec.model.pool import FixedNodes
from runner.spec.model.step import DependentsAction, ExitRule, JobAction
from tests.conformance.remote.asking import (
    bash,
    ended,
    idle_nodes,
    make_command,
    make_job,
    make_task,
    sized,
    wait_for,
)
from tests.unit.remote.samples import STEP


def test_the_same_pool_is_found_and_others_are_refused(services: Services, pool: str) -> None:
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    nodes = idle_nodes(services, pool)

    assert services.batch.create_pool(pool, sized(pool, 1)) is True
    assert services.batch.create_pool(pool, sized(pool, 1, run="r2")) is False
    assert idle_nodes(services, pool) == nodes
    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.create_pool(
            pool, replace(sized(pool, 1), metadata={"run": "r3", "pool": "another"})
        )

    assert caught.value.message == (
        f"Azure Batch has a pool `{pool}` already, which was not made as this one would be"
    )


def test_a_pool_that_is_found_gets_the_nodes_that_are_wanted(services: Services, pool: str) -> None:
    assert services.batch.create_pool(pool, sized(pool, 3, run="r2")) is False
    wait_for(lambda: len(idle_nodes(services, pool)) == 3)

    assert services.batch.create_pool(pool, sized(pool, 1, run="r3")) is False
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)


@pytest.mark.parametrize("has_formula", [True, False])
def test_nodes_are_replaced_in_a_pool_of_a_run(
    services: Services, name: str, has_formula: bool
) -> None:
    """One that is to be kept has no formula, and gets none."""
    batch, now = services.batch, datetime.now(timezone.utc)
    job = make_job(name)
    assert isinstance(job.pool, AutoPool)
    request = replace(job.pool.request, created=now if has_formula else None)
    pool = batch.create_job(replace(job, pool=replace(job.pool, request=request)))
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    (node,) = idle_nodes(services, pool)

    assert batch.remove_nodes(pool, [node])
    wait_for(lambda: is_steady(services, pool))
    assert idle_nodes(services, pool) == []
    wait_for(lambda: batch.give_size(pool, FixedNodes(dedicated=2, spot=0), now))
    wait_for(lambda: len(idle_nodes(services, pool)) == 2)

    assert node not in idle_nodes(services, pool)
    batch.delete_job(name)
    batch.delete_pool(pool)
    assert batch.give_size(pool, FixedNodes(dedicated=1, spot=0), now)


def is_steady(services: Services, pool: str) -> bool:
    status = services.batch.pool_status(pool)
    return status is not None and status.allocation_state == "steady"


def test_a_pool_that_is_being_deleted_is_waited_for(services: Services, pool: str) -> None:
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    before = idle_nodes(services, pool)

    services.batch.delete_pool(pool)

    assert services.batch.create_pool(pool, sized(pool, 1, run="r2")) is True
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    assert idle_nodes(services, pool) != before


def test_a_job_uses_a_pool_that_is_there_and_leaves_it(
    services: Services, pool: str, name: str
) -> None:
    job = replace(make_job(f"{name}-job"), pool=pool)

    assert services.batch.create_job(job) == pool
    services.batch.add_tasks(job.id, [make_task(1, bash("true"))])
    services.batch.finish_adding(job.id)
    wait_for(lambda: "0001" in ended(services, job.id))
    services.batch.delete_job(job.id)

    assert services.batch.pool_status(pool) is not None


@pytest.fixture
def prepared(services: Services, name: str) -> Iterator[str]:
    """A job whose nodes are prepared and released; gone afterwards."""
    request = replace(
        make_job(name),
        preparation=make_command("echo ready > $AZ_BATCH_NODE_SHARED_DIR/prepared"),
        release=make_command("exit 3"),
        uses_dependencies=True,
        heeds_exits=True,
    )
    pool = services.batch.create_job(request)
    yield name
    services.batch.delete_job(name)
    services.batch.delete_pool(pool)


def test_preparations_and_releases_are_told(services: Services, prepared: str) -> None:
    assert services.batch.node_commands(prepared) == ()
    task = make_task(1, bash("cat $AZ_BATCH_NODE_SHARED_DIR/prepared"))
    services.batch.add_tasks(prepared, [task])
    wait_for(lambda: "0001" in ended(services, prepared))

    assert ended(services, prepared)["0001"].succeeded is True
    (preparation,) = services.batch.node_commands(prepared)
    assert preparation.kind is NodeCommandKind.PREPARATION
    assert (preparation.succeeded, preparation.exit_code) == (True, 0)
    assert preparation.directory is not None
    node, path = preparation.node_id, f"{preparation.directory}/stdout.txt"
    status = services.batch.job_status(prepared)
    assert status.pool_id is not None
    assert services.batch.read_node_log(status.pool_id, node, path, 100) == b""
    assert services.batch.read_node_log(status.pool_id, node, "nothing/there", 100) == b""

    services.batch.terminate_job(prepared)
    wait_for(
        lambda: [each.succeeded for each in services.batch.node_commands(prepared)] == [True, False]
    )
    release = services.batch.node_commands(prepared)[1]
    assert release.kind is NodeCommandKind.RELEASE
    assert release.exit_code == 3
    assert release.failure is not None
    assert release.failure.code == "FailureExitCode"


def test_a_job_without_a_preparation_has_none_to_tell(services: Services, name: str) -> None:
    pool = services.batch.create_job(make_job(name))

    assert services.batch.node_commands(name) == ()
    assert services.batch.node_commands("no-such-job") == ()
    services.batch.delete_job(name)
    services.batch.delete_pool(pool)


def test_tasks_wait_for_others_and_for_what_their_exits_say(
    services: Services, prepared: str
) -> None:
    lenient = ExitRule(
        codes=((7, 9),),
        causes=(),
        job=None,
        dependents=DependentsAction.RUN,
        pointer=("task", "on_exit", 0),
    )
    first = replace(
        make_task(1, bash("exit 8")),
        step=replace(STEP, exit_rules=(lenient,)),
        job_action=JobAction.CONTINUE,
    )
    blocking = replace(make_task(2, bash("exit 1")), job_action=JobAction.CONTINUE)
    after_first = replace(make_task(3, bash("true")), needs=(TaskRange(first=1, last=1),))
    after_both = replace(make_task(4, bash("true")), needs=(TaskRange(first=1, last=2),))

    services.batch.add_tasks(prepared, [first, blocking, after_first, after_both])
    wait_for(lambda: set(ended(services, prepared)) == {"0001", "0002", "0003"})

    assert ended(services, prepared)["0003"].succeeded is True
    states = {task.id: task.state for task in services.batch.task_changes(prepared, None)}
    assert TaskState.ACTIVE not in states.values()
    assert "0004" not in states
