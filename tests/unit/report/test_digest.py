"""The digest, to the letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from runner.report.as_json import report_as_json
from runner.report.as_text import describe_failure, format_bytes, format_seconds, plural, printable
from runner.report.digest import digest
from runner.report.fold import Report, fold
from runner.report.grouping import group_failures
from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    OutputDownloaded,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskFinished,
    TaskRetried,
    UploadFinished,
)
from tests.effort import assert_linear

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def finished(task: str, exit_code: int | None = 0, **more: object) -> TaskFinished:
    """A task that has ended; failed unless its exit code is 0."""
    values: dict[str, object] = {
        "task": task,
        "item": f"{task}.txt",
        "node": "node-1",
        "succeeded": exit_code == 0,
        "exit_code": exit_code,
        "started": None,
        "ended": None,
        "retries": 0,
        "cause": None,
        "message": None,
        "stdout": None,
        "stderr": None,
        "stderr_tail": None,
        **more,
    }
    return TaskFinished(**values)  # type: ignore[arg-type]


def text(*events: Event, tasks: int = 2) -> str:
    start = RunStarted(workload="demo", target="local", tasks=tasks, files=2, bytes=10)
    events = (start, CleanupFinished(deleted=(), left=(), checked_at=START), *events)
    return digest(fold(events), run_directory="runs/1", output_directory="results/demo")


def test_long_ids_of_nodes_are_shown_by_their_ends_and_told_whole_to_who_asks() -> None:
    node = f"tvmps_1f0c93e7{'0' * 52}04aa_d"
    failed = finished("1", 7, node=node)
    assert text(failed).startswith(
        "task 1 failed (1.txt): exit code 7 on node tvmps_1f0c93e7...04aa_d\n"
    )
    alike = text(failed, finished("2", 7, node=node))
    assert "    first 1 (1.txt) on node tvmps_1f0c93e7...04aa_d\n" in alike
    broken = StartTaskFailed(
        node=node, exit_code=1, message=None, stderr_tail="", command="start task"
    )
    assert text(broken).startswith(
        "the start task failed on node tvmps_1f0c93e7...04aa_d (exit code 1)\n"
    )
    assert describe_failure(failed) == f"exit code 7 on node {node}"


def test_success() -> None:
    downloaded = OutputDownloaded(task="1", role="output", blob="a", path="x", bytes=1500)
    assert text(finished("1"), finished("2"), downloaded) == (
        "2 tasks: 2 succeeded\n"
        "1 file (1.5 kB) in results/demo\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )


def test_a_run_of_another_client_that_was_not_touched() -> None:
    end = RunFinished(
        exit_code=130, succeeded=0, failed=0, unfinished=4, error="interrupted", untouched=True
    )
    report = fold([CleanupFinished(deleted=(), left=()), end])
    assert digest(report, run_directory="runs/1", output_directory="results/demo") == (
        "another client has begun the run; it was not touched\nrun directory: runs/1"
    )


@pytest.mark.parametrize(("tasks", "shown"), [(1, "1 task"), (2_000, "2,000 tasks")])
def test_a_run_that_did_not_begin(tasks: int, shown: str) -> None:
    ends = (
        CleanupFinished(deleted=(), left=()),
        RunFinished(exit_code=2, succeeded=0, failed=0, unfinished=tasks, error="refused"),
    )
    for events in (ends, ends[1:]):
        report = fold(events)
        assert digest(report, run_directory="runs/1", output_directory="results/demo") == (
            f"the run did not begin: nothing was made, {shown} not added\nrun directory: runs/1"
        )
        value = report_as_json(report, run="demo")
        assert (value["tasks"], value["unfinished"]) == (tasks, tasks)


def test_failures_with_their_causes() -> None:
    left = LeftBehind(kind="container", name="demo-input", why="delete: never", kept=True)
    shown = text(
        finished("1", 7, stderr_tail="one\ntwo\x1b[31m"),
        finished("2", 127, retries=2),
        finished("3", None, node=None, cause="BlobNotFound", message="no such blob"),
        CleanupFinished(deleted=(), left=(left,)),
        tasks=4,
    )
    assert shown == (
        "task 1 failed (1.txt): exit code 7 on node node-1\n"
        "    one\n"
        "    two\\x1b[31m\n"
        "task 2 failed (2.txt): exit code 127 on node node-1 after 3 tries: a program of the"
        " command was not found\n"
        "task 3 failed (3.txt): BlobNotFound: no such blob\n"
        "4 tasks: 0 succeeded, 3 failed, 1 not finished\n"
        "left: container demo-input (delete: never)\n"
        "run directory: runs/1"
    )


def test_what_ended_a_task_from_outside_is_named() -> None:
    shown = text(
        finished("1", 137, cause="TaskEnded", message="it took longer than its time"),
        finished("2", 137, cause="FailureExitCode", message="the exit code is not 0"),
    )
    assert shown.startswith(
        "task 1 failed (1.txt): exit code 137 on node node-1: it took longer than its time\n"
        "task 2 failed (2.txt): exit code 137 on node node-1: killed by signal 9 (SIGKILL)\n"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (128, ""),
        (129, ": killed by signal 1 (SIGHUP)"),
        (139, ": killed by signal 11 (SIGSEGV)"),
        (160, ": killed by signal 32"),
        (192, ": killed by signal 64"),
        (193, ""),
        (255, ""),
        (-1073741819, ""),
    ],
)
def test_only_some_exit_codes_are_signals(code: int, words: str) -> None:
    assert text(finished("1", code)).startswith(
        f"task 1 failed (1.txt): exit code {code} on node node-1{words}\n2 tasks: "
    )


def test_tasks_that_ended_with_the_job_stand_behind_whose_fault_it_is() -> None:
    words = "task `9` failed and ended the job, as the spec asks"
    shown = text(
        *(finished(str(number), 137, cause="JobEnded", message=words) for number in range(1, 6)),
        finished("8", 3, ended=START + timedelta(seconds=2)),
        finished("9", 7, ended=START),
        finished("10", None, node=None, cause="DependencyFailed", message="it needs task `9`"),
        tasks=11,
    )
    assert shown == (
        "task 9 failed (9.txt): exit code 7 on node node-1\n"
        "task 8 failed (8.txt): exit code 3 on node node-1\n"
        f"task 1 ended with the job (1.txt): {words}\n"
        f"task 2 ended with the job (2.txt): {words}\n"
        f"task 3 ended with the job (3.txt): {words}\n"
        "... and 2 more ended with the job; all are in runs/1/report.json\n"
        "task 10 never ran (10.txt): it needs task `9`\n"
        "11 tasks: 0 succeeded, 2 failed, 5 ended with the job, 1 never ran, 3 not finished\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )


def test_tasks_that_never_ran_since_the_run_stopped_are_only_counted() -> None:
    halted = [
        finished(str(number), None, cause="Halted", node=None, message="the run stopped early: x")
        for number in (3, 4)
    ]
    end = RunFinished(
        exit_code=1, succeeded=1, failed=1, unfinished=4, error="it stopped early", halted=True
    )
    events: tuple[Event, ...] = (finished("1"), finished("2", 3), *halted, end)
    assert text(*events, tasks=6) == (
        "task 2 failed (2.txt): exit code 3 on node node-1\n"
        "6 tasks: 1 succeeded, 1 failed, 4 never ran\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )
    report = report_as_json(fold(events), run="demo-1")
    assert (report["succeeded"], report["failed"], report["unfinished"]) == (1, 1, 4)
    assert report["halted"] is True
    assert [each["cause"] for each in report["failures"]] == [None, "Halted", "Halted"]


def test_failures_that_are_alike_are_told_once() -> None:
    alike = [
        finished(f"{number:04}", 1, item=f"{number}.mp4", stderr_tail=f"{number}.mp4: no video")
        for number in (13, 12, 20, 21, 22)
    ]
    other = finished("0005", 137, ended=START, retries=2)
    assert text(*alike, other, tasks=9) == (
        "task 0005 failed (0005.txt): exit code 137 on node node-1 after 3 tries: killed by signal"
        " 9 (SIGKILL)\n"
        "5 tasks failed alike: exit code 1\n"
        "    first 0013 (13.mp4) on node node-1\n"
        "    13.mp4: no video\n"
        "    also 0012 (12.mp4), 0020 (20.mp4), 0021 (21.mp4) and 1 more\n"
        "9 tasks: 0 succeeded, 6 failed, 3 not finished\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )


def test_names_of_those_that_failed_alike_are_short_and_harmless() -> None:
    first = finished("0001", 2, item="a\x1b[31m.txt", node=None)
    second = finished("0002", 2, item="\u202e" + "b" * 250, node=None)
    assert text(first, second).splitlines()[:3] == [
        "2 tasks failed alike: exit code 2",
        "    first 0001 (a\\x1b[31m.txt)",
        f"    also 0002 (\\u202e{'b' * 36}...)",
    ]


def test_of_many_kinds_of_failures_some_are_shown() -> None:
    shown = text(*(finished(str(number), 1 + number) for number in range(25)), tasks=25)
    assert shown.count("failed (") == 10
    assert "... and 15 more failed; all are in runs/1/report.json\n" in shown


def test_large_numbers_are_written_as_people_do() -> None:
    ends = [finished(f"{each:05}", each % 6) for each in range(1, 9_001)]
    skipped = [finished(f"{each:05}", skipped=True) for each in range(9_001, 11_001)]
    shown = text(*ends, *skipped, tasks=12_345).splitlines()
    assert "12,345 tasks: 1,500 succeeded, 2,000 skipped, 7,500 failed, 1,345 not finished" in shown


def test_many_failures_take_linear_time() -> None:
    failures = [
        finished(f"{number:05}", 1, item=f"{number}.mp4", stderr_tail=f"x\n{number}.mp4: no\n" * 9)
        for number in range(2_000)
    ]
    (group,) = group_failures(failures, run="demo-1")
    assert len(group.tasks) == 2_000
    assert_linear(lambda count: partial(group_failures, failures[:count], run="demo-1"), 200)


def test_how_long_it_took() -> None:
    report = Report()
    minute = timedelta(minutes=1)
    retried = TaskRetried(task="2", retries=1, started=START, at=START + 2 * minute)
    start = RunStarted(workload="demo", target="local", tasks=2, files=2, bytes=10)
    for minutes, event in (
        (0, start),
        (1, UploadFinished(role="input", blob="a", bytes=4_000)),
        (1, UploadFinished(role="input", blob="b", bytes=7, skipped=True)),
        (3, retried),
        (4, finished("1", started=START, ended=START + minute)),
        (4, finished("1", started=START, ended=START + minute)),
        (5, finished("2", started=START, ended=START + minute, retries=1, attempts=2)),
        (6, CleanupFinished(deleted=(), left=(), checked_at=START)),
        (7, RunFinished(exit_code=0, succeeded=2, failed=0, unfinished=0, error=None)),
    ):
        report.add(event, START + minutes * minute)
    assert digest(report, run_directory="runs/1", output_directory="results").splitlines() == [
        "2 tasks: 2 succeeded",
        "1 more attempt: 1 after an unknown cause",
        "took 7m 00s; tasks ran for 4m 00s in all; 1 file (4.0 kB) went up",
        "nothing left in the services",
        "run directory: runs/1",
    ]
    value = report_as_json(report, run="demo-1")
    assert (value["began"], value["ended"]) == (
        "2026-01-02T03:04:05.000000Z",
        "2026-01-02T03:11:05.000000Z",
    )
    assert (value["wall_seconds"], value["task_seconds"], value["attempts"]) == (420.0, 240.0, 3)
    report.add(replace(start, resumed=True), START + 9 * minute)
    assert (report.began, report.ended, report.wall_seconds) == (START, None, None)


def test_groups_as_data() -> None:
    alike = [finished(f"000{n}", 1, stderr_tail=f"000{n}.txt: no") for n in (1, 2)]
    lost = finished("0003", None, cause="JobEnded", message="the job ended")
    value = report_as_json(fold([*alike, lost]), run="demo-1")
    assert value["groups"] == [
        {
            "exit_code": 1,
            "cause": None,
            "words": "_: no",
            "count": 2,
            "first": "0001",
            "tasks": ["0001", "0002"],
        }
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m 00s"),
        (3_599.7, "1h 00m"),
        (7_385, "2h 03m"),
        (86_399.8, "1d 00h"),
        (183_600, "2d 03h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert format_seconds(seconds) == words


def test_start_task() -> None:
    failed = StartTaskFailed(node="n1", exit_code=100, message=None, stderr_tail="E: no\n")
    other = StartTaskFailed(node="n2", exit_code=100, message=None, stderr_tail="E: no\n")
    assert text(failed, other).startswith(
        "the start task failed on node n1 (exit code 100), and on 1 other\n    E: no\n2 tasks: "
    )


def test_start_task_that_could_not_be_started() -> None:
    failed = StartTaskFailed(
        node="n1", exit_code=None, message="the program was not found", stderr_tail=""
    )
    assert text(failed).startswith(
        "the start task failed on node n1 (the program was not found)\n2 tasks: "
    )


def test_numbers() -> None:
    assert [format_bytes(size) for size in (0, 999, 1000, 2_500_000, 10**13)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "10.0 TB",
    ]
    assert [plural(count, "file") for count in (0, 1, 10_000)] == [
        "0 files",
        "1 file",
        "10,000 files",
    ]


def test_nothing_steers_the_terminal() -> None:
    assert printable("a\tb\x1b]0;x\x07\n\u202e é 世 \udcff") == (
        "a\tb\\x1b]0;x\\x07\\n\\u202e é 世 \\udcff"
    )


def test_tasks_that_never_ran_stand_apart_from_whose_fault_it_is() -> None:
    shown = text(
        finished("2", None, node=None, cause="DependencyFailed", message="it needs task `1`"),
        finished("1", 7),
        *(
            finished(str(number), None, item="", cause="DependencyFailed", message="it needs more")
            for number in range(3, 7)
        ),
        tasks=7,
    )
    assert shown == (
        "task 1 failed (1.txt): exit code 7 on node node-1\n"
        "task 2 never ran (2.txt): it needs task `1`\n"
        "task 3 never ran: it needs more\n"
        "task 4 never ran: it needs more\n"
        "... and 2 more never ran; all are in runs/1/report.json\n"
        "7 tasks: 0 succeeded, 1 failed, 5 never ran, 1 not finished\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )


def test_a_schedule_has_no_ends_to_count() -> None:
    left = LeftBehind(kind="job schedule", name="demo", why="a job every hour", kept=True)
    assert text(CleanupFinished(deleted=(), left=(left,)), tasks=1) == (
        "1 task: run by a job schedule\n"
        "left: job schedule demo (a job every hour)\n"
        "run directory: runs/1"
    )


def test_files_that_were_there_are_not_uploaded() -> None:
    report = fold(
        [
            UploadFinished(role="input", blob="a", bytes=5),
            UploadFinished(role="input", blob="b", bytes=7, skipped=True),
        ]
    )
    assert (report.uploaded_files, report.uploaded_bytes) == (1, 5)
    assert (report.unchanged_files, report.files_there) == (1, 2)


def test_what_is_not_home_is_no_failure_of_its_task() -> None:
    events = (
        finished("1"),
        finished("2", 7),
        finished("3", cause="TransferFailed", succeeded=False, message="cannot write `x`: no room"),
        finished("4", 5, cause="TransferFailed", message="cannot write `y\x1b`: no room"),
    )
    assert text(*events, tasks=5) == (
        "task 2 failed (2.txt): exit code 7 on node node-1\n"
        "task 3 (3.txt) ended, and is not home: cannot write `x`: no room\n"
        "task 4 (4.txt) ended with exit code 5, and is not home: cannot write `y\\x1b`: no room\n"
        "5 tasks: 1 succeeded, 1 failed, 2 not home, 1 not finished\n"
        "nothing left in the services\n"
        "run directory: runs/1"
    )
    report = report_as_json(fold(events), run="demo-1")
    assert (report["failed"], report["not_home"]) == (3, 2)


def test_data_say_what_became_of_those_that_did_not_fail_by_themselves() -> None:
    ended = [
        finished("1", 137, cause="JobEnded"),
        finished("2", None, cause="DependencyFailed", node=None),
        finished("3", None, cause="Halted", node=None),
        finished("4", 3),
        finished("5", cause="TransferFailed", succeeded=False),
    ]
    end = RunFinished(
        exit_code=1, succeeded=0, failed=4, unfinished=3, error="it stopped early", halted=True
    )
    # One that is told again, as after it was resumed, counts as it ended last.
    events: tuple[Event, ...] = (finished("4", None, cause="Halted", node=None), *ended, end)
    report = report_as_json(fold(events), run="demo-1")
    names = ("failed", "not_home", "ended_with_job", "never_ran", "unfinished")
    assert [report[name] for name in names] == [4, 1, 1, 4, 3]
    assert (
        "7 tasks: 0 succeeded, 1 failed, 1 not home, 1 ended with the job, 4 never ran\n"
        in text(*events, tasks=7)
    )


def test_of_much_that_is_not_home_some_is_named() -> None:
    missed = [
        finished(str(number), cause="TransferFailed", succeeded=False, item="", message="no room")
        for number in range(1, 6)
    ]
    assert text(*missed, tasks=5).startswith(
        "task 1 ended, and is not home: no room\n"
        "task 2 ended, and is not home: no room\n"
        "task 3 ended, and is not home: no room\n"
        "... and 2 more not home; all are in runs/1/report.json\n"
        "5 tasks: 0 succeeded, 5 not home\n"
    )


BROKEN_OFF = RunFinished(exit_code=3, succeeded=0, failed=0, unfinished=2, error="out of reach")
RESUMED = RunStarted(workload="demo", target="azure", tasks=2, files=2, bytes=10, resumed=True)
LISTED = CleanupFinished(deleted=(), left=(), checked_at=START)
NOT_LISTED = CleanupFinished(deleted=(), left=())
NOT_CHECKED = "what is left in the services was not checked"
NOTHING_LEFT = "nothing left in the services"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((BROKEN_OFF,), NOT_CHECKED),
        ((NOT_LISTED, BROKEN_OFF), NOT_CHECKED),
        ((LISTED, BROKEN_OFF), NOTHING_LEFT),
        ((LISTED, BROKEN_OFF, BROKEN_OFF), NOT_CHECKED),
        ((LISTED, BROKEN_OFF, NOT_LISTED, BROKEN_OFF), NOT_CHECKED),
        ((LISTED, RESUMED, BROKEN_OFF), NOT_CHECKED),
        ((LISTED, BROKEN_OFF, RESUMED, LISTED, BROKEN_OFF), NOTHING_LEFT),
        ((finished("1", skipped=True), NOT_LISTED), NOT_CHECKED),
        ((finished("1", skipped=True), finished("2", skipped=True), NOT_LISTED), NOTHING_LEFT),
    ],
)
def test_what_is_left_is_told_by_whoever_has_looked(events: tuple[Event, ...], said: str) -> None:
    began = RunStarted(workload="demo", target="azure", tasks=2, files=2, bytes=10)
    shown = digest(fold((began, *events)), run_directory="runs/1", output_directory="results")
    assert shown.splitlines()[-2:] == [said, "run directory: runs/1"]
