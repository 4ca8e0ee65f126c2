"""Finds what runs have left by the lists of the services, and gives a pool its nodes again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from runner.connect import Services
from runner.plan.model import RunId
from runner.run.removal.traces import Kind, list_traces
from runner.run.services import AutoPool, JobRequest
from runner.spec.model.pool import FixedNodes
from tests.conformance.remote.asking import idle_nodes, make_pool, wait_for
from tests.unit.remote.samples import JOB, SCHEDULE


@pytest.fixture
def run() -> RunId:
    """The id of a run that no other test has."""
    number = uuid4().int
    letters = "".join("abcdefghijklmnopqrstuvwxyz"[number >> 5 * n & 15] for n in range(4))
    return RunId(f"traced-20260131t12{number % 10_000:04}z-{letters}")


@pytest.fixture
def job(services: Services, run: RunId) -> Iterator[JobRequest]:
    """The job of a run and its pool, of one node that goes by itself."""
    metadata = {"batch-run": run, "workload": "traced"}
    pool = replace(
        make_pool("x"), metadata=metadata, created=datetime.now(timezone.utc) - timedelta(days=1)
    )
    request = replace(
        JOB,
        id=run,
        pool=AutoPool(id_prefix="traced-", request=pool, keep=False),
        duration=timedelta(hours=1),
        metadata={**metadata, "batch-run-keep": "--keep job"},
    )
    yield request
    services.batch.delete_job(run)


def test_all_that_a_run_has(services: Services, run: RunId, job: JobRequest) -> None:
    batch, blobs = services.batch, services.blobs
    pool = batch.create_job(job)
    kept = {"batchrun": run, "batchrunkeep": "delete: never"}
    blobs.create_container(f"{run}-output", kept)
    blobs.create_container(f"{run}-other", {"batchrun": "another"})
    try:
        found = {trace.kind: trace for trace in list_traces(batch, blobs, run)}
        everybodys = list_traces(batch, blobs)
        metadata = blobs.container_metadata(f"{run}-output")
    finally:
        blobs.delete_container(f"{run}-output")
        blobs.delete_container(f"{run}-other")

    assert set(found.values()) <= set(everybodys)
    assert set(found) == {Kind.JOB, Kind.POOL, Kind.CONTAINER}
    made, there, container = found[Kind.JOB], found[Kind.POOL], found[Kind.CONTAINER]
    assert (made.name, made.state, made.kept_because) == (run, "active", "--keep job")
    assert made.is_active
    assert (there.name, there.nodes, there.for_others) == (pool, 1, False)
    assert (container.name, container.kept_because) == (f"{run}-output", "delete: never")
    assert None not in (made.made, there.made, container.made)
    assert metadata == kept
    assert blobs.container_metadata(f"{run}-output") is None
    status = batch.job_status(run)
    assert (status.created, status.run) == (made.made, run)
    assert batch.jobs_in(pool) == (run,)
    batch.terminate_job(run)
    wait_for(lambda: batch.jobs_in(pool) == ())


def test_a_schedule_goes_with_its_jobs(services: Services, run: RunId, job: JobRequest) -> None:
    end = datetime.now(timezone.utc) + timedelta(days=1)
    schedule = replace(SCHEDULE.schedule, start=None, end=end)
    request = replace(SCHEDULE, id=run, schedule=schedule, job=job)
    services.batch.create_schedule(request)
    (found,) = (each for each in services.batch.list_traces(run) if each.kind is Kind.SCHEDULE)
    assert (found.name, found.state, found.is_active) == (run, "active", True)

    services.batch.delete_schedule(run)

    wait_for(lambda: services.batch.list_traces(run) == ())
    services.batch.delete_schedule(run)  # what is gone is no error


def test_a_pool_gets_its_nodes_again(services: Services, job: JobRequest) -> None:
    pool = services.batch.create_job(job)
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)

    size = FixedNodes(dedicated=2, spot=0)
    wait_for(lambda: services.batch.give_size(pool, size, datetime.now(timezone.utc)))

    wait_for(lambda: len(idle_nodes(services, pool)) == 2)
    # The service takes no more than one formula every 30 seconds.
    assert not services.batch.give_size(pool, size, datetime.now(timezone.utc))
