"""What somebody may want to do next with a run: at most three commands that fit how it stands.

It must not know how a run is found or how commands are carried out; how they are called is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.frozen import dataclass
from runner.report.fold import Report
from runner.report.grouping import first_failure

_MOST = 3
# Of 80 columns, without what stands before and between.
_WIDTH = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A command line, and what it is good for."""

    command: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """How commands name the run, and how it is started once more.

    `run` is empty for the last run of the folder, which commands mean where they are not told.
    `again` is the whole command line that made the run, None where no command would make it again.
    """

    run: str
    again: str | None


def next_steps(report: Report, calling: Calling) -> tuple[NextStep, ...]:
    """For a run that has ended, the most useful command first; none for one that goes on."""
    if report.exit_code is None:
        return ()
    return tuple(_steps(report, calling))[:_MOST]


def steps_as_text(steps: Sequence[NextStep]) -> Iterator[str]:
    """A line for each, under a line that says what they are; no line where there is none.

    What is too wide for a terminal takes two lines.
    """
    if not steps:
        return
    width = max(len(step.command) for step in steps)
    is_wide = any(width + len(step.purpose) > _WIDTH for step in steps)
    yield "next:"
    for step in steps:
        if is_wide:
            yield f"  {step.command}"
            yield f"      {step.purpose}"
        else:
            yield f"  {step.command:<{width}}  {step.purpose}"


def _steps(report: Report, calling: Calling) -> Iterator[NextStep]:
    run = f" {calling.run}" if calling.run else ""
    if any(not left.kept for left in report.left):
        yield NextStep(command=f"batch-run clean{run}", purpose="take away what is left")
    if not report.has_begun:
        return
    if report.start_task_failures:
        yield NextStep(
            command=f"batch-run logs --start-task{run}", purpose="all that start tasks have printed"
        )
    first = first_failure(report.failures)
    if first is not None:
        yield NextStep(
            command=f"batch-run logs {first.task}{run}",
            purpose=f"all that task {first.task} has printed",
        )
    if report.failures and calling.again is not None:
        yield NextStep(
            command=f"{calling.again} --only failed", purpose="run what did not succeed again"
        )
    if report.tasks > report.skipped + report.left_out:
        yield NextStep(command=f"batch-run report{run}", purpose="a page that shows all of it")
