"""What an earlier run has done is not done again: from its results to tasks that are settled.

It must not know how a run leaves settled tasks out, nor how anything is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runner.errors import ExitCode, UsageError
from runner.plan.model import Plan
from runner.run.events import CleanupFinished, RunFinished, RunStarted
from runner.run.records.journal import Journal
from runner.run.records.places import RUNS
from runner.run.results.deciding import Verdict, decide
from runner.run.results.decisions import Action, Decisions
from runner.run.results.entries import name_digest
from runner.run.results.evidence import Evidence
from runner.run.results.lock_file import LOCK_FILE, read_lock, task_names
from runner.run.results.results_index import ResultsIndex
from runner.run.results.selection import Selection, select
from runner.run.results.settled import HomeOutput, Settled
from runner.run.tasks.unrun import skipped_task
from runner.spec.model.terms import Role


def judge(
    evidence: Evidence,
    *,
    force: bool,
    only: str | None,
    last_run: str | None,
    working_directory: Path,
) -> Verdict:
    """What to do with each task; `only` and `force` are as the command line has them.

    Raises `UsageError` for an id that there is not, or where `failed` is asked for and no run was
    there before.
    """
    selection: Selection | None = None
    if only is not None:
        selection = select(
            only,
            evidence.plan,
            lambda: find_unfinished(evidence.plan, evidence.index, last_run, working_directory),
        )
    return decide(evidence, force=force, selection=selection)


def find_unfinished(
    plan: Plan, index: ResultsIndex, last_run: str | None, working_directory: Path
) -> frozenset[int]:
    """The tasks of a plan that had not succeeded when the last run was over.

    Tasks are told by step and item: ids are others once a file has been added. One that the last
    run left out counts where it failed the last time that it ran.
    """
    if last_run is None:
        raise UsageError(
            "`--only failed`: no run was there before with this workload and output directory",
            hint="run it without `--only` first",
        )
    lock = read_lock(working_directory / RUNS / last_run / LOCK_FILE)
    missing = set[bytes]()
    for task, planned in lock.planned.items():
        end = lock.ended.get(task)
        if end is None and planned.action == Action.LEAVE.value:
            end = index.find_name(planned.step, planned.item)
            is_missing = end is not None and not end.succeeded
        else:
            is_missing = end is None or not end.succeeded
        if is_missing:
            missing.add(name_digest(planned.step, planned.item))
    return frozenset(
        number
        for number, (_, step, item) in enumerate(task_names(plan), start=1)
        if name_digest(step, item) in missing
    )


def settle(evidence: Evidence, verdict: Verdict) -> Settled:
    """The tasks that are not to be submitted, and the files of those that others need."""
    decisions = verdict.decisions
    settled = Settled(len(decisions))
    for number in decisions.with_action(Action.LEAVE):
        settled.leave_out(number)
    for number in decisions.with_action(Action.SKIP):
        settled.skip(number)
        place = verdict.place(number)
        if place is None or not verdict.is_needed[number]:
            continue
        result = evidence.index.result(place)
        for output in () if result is None else result.outputs:
            path = evidence.keeping.path(output)
            settled.keep_output(HomeOutput(role=Role(output.role), blob=output.blob, path=path))
    return settled


def recall(settled: Settled, directory: Path, output_directory: Path) -> None:
    """Of a run that is taken up again: what it left out and skipped from its beginning.

    Nothing where the run has no lock file, as one that is known from the services alone.
    """
    path = directory / LOCK_FILE
    if not path.exists():
        return
    lock = read_lock(path)
    for task, planned in lock.planned.items():
        if planned.action == Action.LEAVE.value:
            settled.leave_out(int(task))
    for task, result in lock.ended.items():
        if not result.skipped:
            continue
        if not all((output_directory / output.path).exists() for output in result.outputs):
            settled.reopen(int(task))  # it was deleted since, or replaced before the run moved
            continue
        if not settled.is_settled(int(task)):
            settled.skip(int(task))
        for output in result.outputs:
            home = output_directory / output.path
            settled.keep_output(HomeOutput(role=Role(output.role), blob=output.blob, path=home))


def record_nothing_to_do(
    plan: Plan, settled: Settled, journal: Journal, *, target: str
) -> ExitCode:
    """The whole of a run of which no task is to run: no service is asked for anything."""
    journal.record(
        RunStarted(
            workload=plan.workload.name,
            target=target,
            tasks=len(plan.tasks),
            files=0,
            bytes=0,
            left_out=settled.left_out,
        )
    )
    for number in settled.skipped():
        journal.record(skipped_task(plan.tasks[number - 1]))
    journal.record(CleanupFinished(deleted=(), left=()))
    journal.record(
        RunFinished(
            exit_code=ExitCode.SUCCESS,
            succeeded=settled.succeeded,
            failed=0,
            unfinished=settled.left_out,
            error=None,
        )
    )
    return ExitCode.SUCCESS


def rerun_lines(decisions: Decisions) -> Iterator[str]:
    """Lines for people: how many tasks are not run, and how to run them all the same."""
    total = f"{len(decisions):,} task{'' if len(decisions) == 1 else 's'}"
    skipped, left = decisions.count(Action.SKIP), decisions.count(Action.LEAVE)
    if skipped:
        are = "is" if skipped == 1 else "are"
        yield f"{skipped:,} of {total} {are} unchanged and skipped (`--force` runs all)"
    if left:
        are = "is" if left == 1 else "are"
        yield f"{left:,} of {total} {are} left out, as `--only` says"
