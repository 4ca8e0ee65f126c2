"""Ends a run: has whoever drives it end it, or takes away what nobody looks after any more.

It must not know how a run is driven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from runner.cli.audience import Audience
from runner.cli.driver_request import ask_to_end
from runner.cli.live.display import Silence
from runner.cli.resuming import load_again, plan_again, settings_of
from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.connect import Services, open_azure, open_local
from runner.errors import (
    ExitCode,
    ServiceError,
    most_severe,
)
from runner.plan.model import LOGS, Plan
from runner.report.runs_as_text import describe_standing
from runner.run.events import VERSION, CleanupFinished, LeftBehind, RunFinished
from runner.run.holding import Hold, TakenOverError
from runner.run.pools.making import recall_lease
from runner.run.records.driving import Driver, find_driver
from runner.run.records.driving import drive as drive_alone
from runner.run.records.journal import Journal
from runner.run.records.past import Past, note_cleaning, read_past, read_submission
from runner.run.records.places import LOCAL_STATE
from runner.run.records.reading import cut_torn_end, read_events
from runner.run.records.record import RunRecord, read_record
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.records.standing import Standing, find_standing, what_is_left
from runner.run.removal.cleanup import Cleanup, Ending, Keep
from runner.run.stop import Stop
from runner.run.submit import Submission

Opening = Callable[[RunRecord, Path, World], Services]
_OVER = frozenset({Standing.SUCCEEDED, Standing.FAILED, Standing.REFUSED, Standing.INTERRUPTED})
_ENDS_OF_TASKS = frozenset({ExitCode.SUCCESS, ExitCode.TASKS_FAILED, ExitCode.LEFT_BEHIND})


def has_ended(directory: Path) -> bool:
    """Whether a run had come to its end, and left nothing that it should not, before anybody asked.

    Raises `UsageError` where the directory has no record of a run.
    """
    standing = find_standing(directory, read_record(directory), driver=find_driver(directory))
    return standing in _OVER and not what_is_left(directory)


def cancelled_as_json(directory: Path, *, had_ended: bool) -> dict[str, Any]:
    """What became of the run, as its directory has it; keys are only ever added."""
    record = read_record(directory)
    standing = find_standing(directory, record, driver=find_driver(directory))
    left: tuple[LeftBehind, ...] = ()
    for _, event in read_events(directory):
        if isinstance(event, CleanupFinished):
            left = event.left
    return {
        "v": VERSION,
        "run": record.run,
        "state": standing.value,
        "resumable": standing.is_resumable,
        "had_ended": had_ended,
        "left": [asdict(each) for each in left],
    }


def cancel_run(
    directory: Path,
    world: World,
    interruptions: Interruptions,
    *,
    open_services: Opening | None = None,
) -> int:
    """Ends the run of a directory: 0 where nothing of it is left, 5 where something is.

    A run that has ended already, and has left nothing that it should not, is told of: 0.
    """
    record = read_record(directory)
    driver = find_driver(directory)
    if driver is not None and not ask_to_end(driver, directory, record, world, interruptions):
        return ExitCode.INTERRUPTED
    standing = find_standing(directory, record, driver=None)
    if standing in _OVER and not what_is_left(directory):
        world.say(f"run {record.run} has ended: {describe_standing(standing)}")
        return ExitCode.SUCCESS
    with drive_alone(directory) as alone:
        opening = _open_services if open_services is None else open_services
        return _end(directory, record, alone, opening, world, interruptions)


def _end(
    directory: Path,
    record: RunRecord,
    driver: Driver,
    open_services: Opening,
    world: World,
    interruptions: Interruptions,
) -> int:
    """Takes away what a run has made that nobody drives, as an interruption does."""
    cut_torn_end(directory)
    plan = plan_again(record, directory, load_again(record, directory))
    past = read_past(directory, plan)
    audience = Audience(
        plan, display=Silence(world), directory=directory, world=world, as_json=False
    )
    audience.recall(read_events(directory))
    submission = read_submission(directory)
    stop = Stop()
    cleanup = CleanupFinished(deleted=(), left=())
    if submission is not None:
        with open_services(record, directory, world) as services:
            services.heed(stop, world.say)
            interruptions.stop = stop.request
            with _holding(services, plan, driver, stop, world) as is_ours:
                stop.heed()
                note_cleaning(directory)
                cleanup = _clean_up(plan, submission, past, record, services, is_ours, world)
    is_clean = all(each.kept for each in cleanup.left)
    with closing(
        Journal(
            directory,
            run=plan.run_id,
            clock=world.clock.now,
            listener=audience.hear,
            redaction=world.redaction,
        )
    ) as journal:
        journal.record(cleanup)
        journal.record(_ended(past, len(plan.tasks), is_clean=is_clean))
        audience.finish(lambda: stop.requested)
        audience.tell_end(journal, record=record)
    return ExitCode.SUCCESS if is_clean else ExitCode.LEFT_BEHIND


def _open_services(record: RunRecord, directory: Path, world: World) -> Services:
    settings = settings_of(record, world)
    if settings is not None:
        return open_azure(settings)
    return open_local(
        state=directory / LOCAL_STATE,
        allow_admin=record.allow_admin,
        isolation=record.isolation,
        limits=record.limits,
        environ=world.environ,
    )


@contextmanager
def _holding(
    services: Services, plan: Plan, driver: Driver, stop: Stop, world: World
) -> Iterator[Callable[[], bool]]:
    """Keeps clients of other machines away, where there are any and they have a place to meet.

    Gives what tells whether the run is still ours.
    """
    if services.target == "local":
        yield lambda: True
        return
    container = plan.container_name(LOGS)
    hold = Hold(services.blobs, container, RECORD_BLOB, holder=driver.lease)

    def wait(seconds: float) -> None:
        world.clock.wait(stop, seconds)
        stop.check()

    hold.claim(wait, world.say)
    try:
        yield hold.is_still_ours
    finally:
        hold.end(releases=True)


def _clean_up(
    plan: Plan,
    submission: Submission,
    past: Past,
    record: RunRecord,
    services: Services,
    is_ours: Callable[[], bool],
    world: World,
) -> CleanupFinished:
    is_lost = False

    def is_still_ours() -> bool:
        nonlocal is_lost
        is_lost = is_lost or not is_ours()
        return not is_lost

    shared = submission.kept_pool
    why = None if shared is None else _why_used(shared, plan, services)
    if shared is not None and why is not None:
        world.say(f"the nodes of pool {shared} stay as they are: {why}")
        submission = replace(submission, kept_pool=None, used_pool=shared)
    cleanup = Cleanup(
        plan,
        submission,
        batch=services.batch,
        blobs=services.blobs,
        keep=frozenset(Keep(each) for each in record.keep),
        may_keep=services.target == "azure",
        lease=recall_lease(
            plan,
            submission.kept_pool,
            batch=services.batch,
            clock=world.clock,
            tell=world.say,
        ),
        now=world.clock.now,
        is_ours=is_still_ours,
        tell=world.say,
    )
    finished = cleanup.clean_up(pool_id=None, ending=_ending(past))
    if is_lost:
        raise TakenOverError(
            "a client on another machine has taken the run over, or ended it",
            hint=f"nothing of it was touched since; `batch-run cancel {plan.run_id}` tries again",
        )
    return finished


def _why_used(pool: str, plan: Plan, services: Services) -> str | None:
    """Why a pool that is kept for other runs is not ours to end: another may be in it by now."""
    try:
        others = (job for job in services.batch.jobs_in(pool) if job != plan.run_id)
        return next((f"job {job} is in it" for job in others), None)
    except ServiceError as error:
        return error.message


def _ending(past: Past) -> Ending:
    """How much of the run was done; what has not ended can be resumed even now."""
    if not len(past.settled):
        return Ending.NOTHING_DONE
    had_ended = past.end is not None and past.end.exit_code in _ENDS_OF_TASKS
    return Ending.FAILED_WITH_RESULTS if had_ended else Ending.CUT_SHORT


def _ended(past: Past, total: int, *, is_clean: bool) -> RunFinished:
    """The run's end; of one whose tasks had ended before, it is still what became of them."""
    if past.end is not None and past.end.exit_code in _ENDS_OF_TASKS:
        code = most_severe(
            ExitCode.TASKS_FAILED if past.end.failed else ExitCode.SUCCESS,
            ExitCode.SUCCESS if is_clean else ExitCode.LEFT_BEHIND,
        )
        return replace(past.end, exit_code=code)
    succeeded, failed = past.settled.succeeded, len(past.settled.failures)
    return RunFinished(
        exit_code=ExitCode.INTERRUPTED,
        succeeded=succeeded,
        failed=failed,
        unfinished=total - succeeded - failed,
        error="cancelled",
    )
