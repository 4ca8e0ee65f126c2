"""The digest of a run for a person: failures with their causes, counts, and what to do next.

It renders a report and nothing else; colours and terminals are not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.report.as_text import (
    CONSEQUENCES,
    describe_cause,
    describe_end,
    describe_place,
    format_bytes,
    format_seconds,
    plural,
    printable,
    shorten_node,
)
from runner.report.cost import describe_cost
from runner.report.fold import Report
from runner.report.grouping import FailureGroup, group_failures
from runner.report.next_steps import NextStep, steps_as_text
from runner.report.toll import toll_of
from runner.run.events import HALTED, StartTaskFailed, TaskFinished
from runner.spec.suggestion import shorten

_GROUPS_SHOWN = 10
_OTHERS_SHOWN = 3
_ITEM_CHARACTERS = 40
_NOT_CHECKED = "what is left in the services was not checked"
CAUSES_OF_RETRIES = {
    "exit_code": "an exit code",
    "resource_download": "a failed download",
    "output_upload": "a failed upload",
    "timeout": "the time limit",
    "preemption": "a preemption",
    "requeue": "the loss of a node",
    "unknown": "an unknown cause",
}
"""Why tasks were run again."""


def digest(
    report: Report,
    *,
    run_directory: str,
    output_directory: str,
    run: str = "",
    is_over: bool = True,
    steps: Sequence[NextStep] = (),
) -> str:
    """Some lines of plain text, without a final newline; of a run that is over unless told.

    `run` is the run's id, which makes no difference between failures; `steps` are what to do next.
    """
    lines = [
        *_failures(report, run, run_directory),
        *_state(report, output_directory, is_over=is_over),
        f"run directory: {run_directory}",
        *steps_as_text(steps),
    ]
    return "\n".join(lines)


def _failures(report: Report, run: str, run_directory: str) -> Iterator[str]:
    for failed in report.start_task_failures[:1]:
        yield from _start_task_failure(failed, len(report.start_task_failures))
    groups = group_failures(report.failures, run=run)
    for group in groups[:_GROUPS_SHOWN]:
        yield from _group(group)
    if len(groups) > _GROUPS_SHOWN:
        more = sum(len(group.tasks) for group in groups[_GROUPS_SHOWN:])
        yield f"... and {more:,} more failed; all are in {run_directory}/report.json"
    for cause, words in CONSEQUENCES.items():
        if cause == HALTED:
            continue  # why the run stopped early is said once, and their number below
        others = [each for each in report.failures if each.cause == cause]
        yield from _consequences(others, words, run_directory)


def _state(report: Report, output_directory: str, *, is_over: bool) -> Iterator[str]:
    if not report.has_begun and not is_over:
        yield "nothing was made so far"
    elif not report.has_begun and report.untouched:
        yield "another client has begun the run; it was not touched"
    elif not report.has_begun:
        yield f"the run did not begin: nothing was made, {plural(report.tasks, 'task')} not added"
    else:
        yield _counts(report)
        if report.retries:
            causes = sorted(report.retry_causes.items(), key=lambda each: (-each[1], each[0]))
            listed = ", ".join(
                f"{count:,} after {CAUSES_OF_RETRIES.get(cause, cause)}" for cause, count in causes
            )
            yield f"{plural(report.retries, 'more attempt')}: {listed}"
        yield from _times(report)
        yield from _cost(report)
        if report.downloaded_files:
            size = format_bytes(report.downloaded_bytes)
            yield f"{plural(report.downloaded_files, 'file')} ({size}) in {output_directory}"
        yield from _left(report, is_over=is_over)


def _times(report: Report) -> Iterator[str]:
    """How long it took, how long tasks ran, and what went up for that."""
    if report.wall_seconds is None:
        return
    parts = [f"took {format_seconds(report.wall_seconds)}"]
    if report.times.seconds:
        parts.append(f"tasks ran for {format_seconds(report.times.seconds)} in all")
    if report.uploaded_files:
        size = format_bytes(report.uploaded_bytes)
        parts.append(f"{plural(report.uploaded_files, 'file')} ({size}) went up")
    yield "; ".join(parts)


def _cost(report: Report) -> Iterator[str]:
    """What its nodes cost; on this machine only where somebody asked what they would elsewhere."""
    cost = report.spending.cost()
    line = None if cost.is_local and cost.price is None else describe_cost(cost)
    if line is not None:
        yield printable(line)


def _counts(report: Report) -> str:
    if any(left.kind == "job schedule" for left in report.left):
        return f"{plural(report.tasks, 'task')}: run by a job schedule"
    ran = report.succeeded - report.skipped
    parts = [f"{ran:,} succeeded"] if ran or not report.skipped else []
    if report.skipped:
        parts.append(f"{report.skipped:,} skipped")
    toll = toll_of(report)
    parts += [f"{count:,} {words}" for count, words in toll.over]
    if toll.not_finished:
        parts.append(f"{toll.not_finished:,} not finished")
    if report.left_out:
        parts.append(f"{report.left_out:,} left out")
    return f"{plural(report.tasks, 'task')}: {', '.join(parts)}"


def _consequences(tasks: Sequence[TaskFinished], words: str, run_directory: str) -> Iterator[str]:
    """Tasks that did not come to their own end, apart from those whose fault that is."""
    for task in tasks[:_OTHERS_SHOWN]:
        yield describe_end(task)
    if len(tasks) > _OTHERS_SHOWN:
        more = len(tasks) - _OTHERS_SHOWN
        yield f"... and {more:,} more {words}; all are in {run_directory}/report.json"


def _group(group: FailureGroup) -> Iterator[str]:
    """One failure as it is, or what several have in common and the first of them."""
    first, others = group.first, group.tasks[1:]
    if not others:
        yield describe_end(first)
        yield from _tail(first)
        return
    yield printable(f"{len(group.tasks):,} tasks failed alike: {describe_cause(first)}")
    item = f" ({first.item})" if first.item else ""
    yield printable(f"    first {first.task}{item}{describe_place(first, is_short=True)}")
    yield from _tail(first)
    named = ", ".join(map(_name, others[:_OTHERS_SHOWN]))
    more = len(others) - _OTHERS_SHOWN
    yield f"    also {named}{f' and {more:,} more' if more > 0 else ''}"


def _name(task: TaskFinished) -> str:
    item = printable(shorten(task.item, _ITEM_CHARACTERS)) if task.item else ""
    return f"{task.task} ({item})" if item else task.task


def _tail(task: TaskFinished) -> Iterator[str]:
    if task.stderr_tail:
        yield from (f"    {printable(line)}" for line in task.stderr_tail.splitlines())


def _start_task_failure(failed: StartTaskFailed, count: int) -> Iterator[str]:
    cause = failed.message if failed.exit_code is None else f"exit code {failed.exit_code}"
    code = f" ({printable(cause)})" if cause else ""
    others = f", and on {plural(count - 1, 'other')}" if count > 1 else ""
    node = printable(shorten_node(failed.node))
    yield f"the {failed.command} failed on node {node}{code}{others}"
    yield from (f"    {printable(line)}" for line in failed.stderr_tail.splitlines())


def _left(report: Report, *, is_over: bool) -> Iterator[str]:
    if not report.left and is_over:
        made_nothing = report.skipped and report.skipped == report.tasks - report.left_out
        is_known = report.checked_at is not None or made_nothing
        yield "nothing left in the services" if is_known else _NOT_CHECKED
    for left in report.left:
        yield f"left: {left.kind} {left.name} ({left.why})"
