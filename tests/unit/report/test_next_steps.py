"""What is worth doing next, by how a run has ended."""

from __future__ import annotations

from dataclasses import replace

from runner.report.fold import Report, fold
from runner.report.next_steps import Calling, next_steps, steps_as_text
from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    RunFinished,
    RunStarted,
    StartTaskFailed,
)
from tests.fakes.ends import end_of

LAST = Calling(run="", again="batch-run run spec.yaml")
OLD = Calling(run="demo-1", again=None)
FAILED = end_of(
    "0012", item="a.mp4", node="n1", succeeded=False, exit_code=1, cause="FailureExitCode"
)


END = RunFinished(exit_code=1, succeeded=1, failed=1, unfinished=0, error=None)


def report(*events: Event) -> Report:
    start = RunStarted(workload="demo", target="local", tasks=2, files=2, bytes=10)
    return fold([start, *events, END])


def cleanup(*, kept: bool) -> CleanupFinished:
    left = LeftBehind(kind="job", name="demo-1", why="it could not be deleted", kept=kept)
    return CleanupFinished(deleted=(), left=(left,))


def test_what_went_well_can_be_looked_at() -> None:
    lines = ["next:", "  batch-run report  a page that shows all of it"]
    assert list(steps_as_text(next_steps(report(), LAST))) == lines
    assert list(steps_as_text(next_steps(report(cleanup(kept=True)), LAST))) == lines


def test_a_run_that_goes_on_has_its_own_words() -> None:
    start = RunStarted(workload="demo", target="local", tasks=2, files=2, bytes=10)
    assert next_steps(fold([start, FAILED, cleanup(kept=True)]), LAST) == ()


def test_nothing_is_to_be_done_where_nothing_was() -> None:
    skipped = replace(FAILED, succeeded=True, skipped=True)
    done = report(skipped, replace(skipped, task="0013"))
    assert next_steps(done, LAST) == next_steps(Report(), LAST) == ()
    assert list(steps_as_text(())) == []


def test_a_failure_is_looked_at_and_run_again() -> None:
    assert list(steps_as_text(next_steps(report(FAILED), LAST))) == [
        "next:",
        "  batch-run logs 0012                    all that task 0012 has printed",
        "  batch-run run spec.yaml --only failed  run what did not succeed again",
        "  batch-run report                       a page that shows all of it",
    ]


def test_a_start_task_that_failed_has_a_log() -> None:
    failed = StartTaskFailed(node="n1", exit_code=1, message=None, stderr_tail="no")
    assert list(steps_as_text(next_steps(report(failed), LAST))) == [
        "next:",
        "  batch-run logs --start-task  all that start tasks have printed",
        "  batch-run report             a page that shows all of it",
    ]


def test_commands_that_are_long_stand_alone() -> None:
    again = "batch-run run workloads/ffmpeg.yaml -p bitrate=320k"
    lines = list(steps_as_text(next_steps(report(FAILED), Calling(run="", again=again))))
    assert lines == [
        "next:",
        "  batch-run logs 0012",
        "      all that task 0012 has printed",
        f"  {again} --only failed",
        "      run what did not succeed again",
        "  batch-run report",
        "      a page that shows all of it",
    ]


def test_what_is_left_comes_first_and_an_older_run_is_named() -> None:
    steps = next_steps(report(FAILED, cleanup(kept=False)), OLD)
    assert [step.command for step in steps] == [
        "batch-run clean demo-1",
        "batch-run logs 0012 demo-1",
        "batch-run report demo-1",
    ]
