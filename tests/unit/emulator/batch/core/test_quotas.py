"""What an account may have at most, and jobs that get no pool."""

from __future__ import annotations

import pytest

from runner.emulator.batch.core.autopools import QUOTA_REACHED
from runner.emulator.batch.core.ids import JobId, PoolId
from runner.emulator.batch.core.job import AutoPool, JobState
from runner.emulator.batch.core.jobs import terminate_job
from runner.emulator.batch.core.limits import Limits, Quotas
from runner.emulator.batch.core.pools import create_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import TaskState
from tests.unit.emulator.batch.core.world import World


def test_there_are_no_more_pools_than_may_be() -> None:
    world = World(limits=Limits(quotas=Quotas(pools=1)))
    world.pool()
    with pytest.raises(RefusedError) as caught:
        create_pool(world.state, world.now, PoolId("other"), world.draft())
    assert caught.value.reason is Reason.POOL_QUOTA_REACHED


def test_there_are_no_more_active_jobs_than_may_be() -> None:
    world = World(limits=Limits(quotas=Quotas(active_jobs=1)))
    world.pool()
    world.job()
    with pytest.raises(RefusedError) as caught:
        world.job("other")
    assert caught.value.reason is Reason.JOB_QUOTA_REACHED
    terminate_job(world.state, world.now, JobId("job"), "enough")
    world.wait()
    world.job("other")
    assert world.job_now("other").state is JobState.ACTIVE


def test_a_job_whose_pool_is_one_too_many_says_so() -> None:
    world = World(limits=Limits(quotas=Quotas(pools=1)))
    world.pool()
    auto = AutoPool(prefix="auto", keep_alive=False, of_schedule=False, draft=world.draft())
    world.job(where=auto)
    world.add("a")
    world.wait()
    job = world.job_now()
    assert job.scheduling_error == QUOTA_REACHED
    assert job.pool == "autoAB-CD"
    assert world.task("a").state is TaskState.ACTIVE
    assert len(world.state.store.pools) == 1
    terminate_job(world.state, world.now, JobId("job"), "enough")
    world.wait()
    assert world.job_now().state is JobState.COMPLETED
