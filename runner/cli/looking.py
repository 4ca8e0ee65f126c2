"""Looks at a run from outside: at its directory, and at its services without patience.

Nothing is started or changed. It must not know what is shown of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runner.cli.folding import fold_now
from runner.cli.resting import have_services_ended
from runner.cli.resuming import settings_of
from runner.cli.world import World
from runner.connect import Services, open_azure, open_running
from runner.errors import BatchRunError, ServiceError
from runner.remote.local_state import PAGE
from runner.report.status_as_text import RunStatus
from runner.run.records.driving import find_driver
from runner.run.records.places import LOCAL_STATE
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import find_standing
from runner.run.services import JobState

# Somebody waits at a terminal for an answer that may as well not come.
_PATIENCE = timedelta(seconds=10)
# Local services answer at once, or have ended.
_LOCAL_PATIENCE = timedelta(seconds=2)


class NotThereError(ServiceError):
    """The local services of the run have ended; its directory is all there is."""


def open_to_look(record: RunRecord, directory: Path, world: World) -> Services:
    """The services of a run, to be closed.

    Raises `ServiceError` where they are out of reach, and `UsageError` where the environment does
    not say how to reach them.
    """
    settings = settings_of(record, world)
    if settings is not None:
        return open_azure(settings, patience=_PATIENCE)
    services = open_running(directory / LOCAL_STATE, patience=_LOCAL_PATIENCE)
    if services is None:
        raise NotThereError("the local services do not run")
    return services


def find_status(directory: Path, world: World) -> RunStatus:
    """What the directory says, and where nobody drives a run that may go on, its service as well.

    Raises `UsageError` where the directory has no record, or its events cannot be read.
    """
    record = read_record(directory)
    driver = find_driver(directory)
    folded = fold_now(directory, driver, world)
    status = RunStatus(
        record=record,
        standing=find_standing(directory, record, driver=driver),
        pid=None if driver is None else driver.pid,
        report=folded.report,
        seen=folded.seen,
        running=len(folded.running),
        pace=folded.pace,
        page=_find_page(directory, world),
    )
    goes_on = driver is None and status.standing.is_resumable and folded.report.has_begun
    return _ask(status, directory, world) if goes_on else status


def _find_page(directory: Path, world: World) -> str | None:
    """None where nobody serves it: an emulator that was killed leaves the file behind."""
    path = directory / LOCAL_STATE / PAGE
    if not path.is_file() or have_services_ended(directory):
        return None
    return world.shown(path)


def _ask(status: RunStatus, directory: Path, world: World) -> RunStatus:
    """With what the service says of the job, of its tasks and of its pool."""
    run = status.record.run
    try:
        with open_to_look(status.record, directory, world) as services:
            job = services.batch.job_status(run)
            status = replace(status, job=job, counts=services.batch.task_counts(run))
            if job.state is JobState.GONE or job.pool_id is None:
                return status
            status = replace(status, pool=services.batch.pool_status(job.pool_id))
            if status.pool is None:
                return status
            return replace(status, nodes=services.batch.node_statuses(job.pool_id))
    except NotThereError:
        return replace(status, rests=True)
    except BatchRunError as error:
        return replace(status, unasked=error.message)
