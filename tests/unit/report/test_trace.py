"""A run's events become rows of tasks and nodes, lanes and a table."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta, timezone

import pytest

from runner.report.lanes import find_lanes
from runner.report.trace import StepRange, TaskState, Trace
from runner.report.trace_as_tsv import trace_as_tsv
from runner.report.trace_reading import read_trace
from runner.run.events import (
    GONE,
    HALTED,
    CleanupFinished,
    Event,
    NodeChanged,
    OutputDownloaded,
    RunFinished,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from tests.fakes.ends import end_of

START = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
_HEAD = (
    "task\tstep\titem\tstate\tattempt\tattempts\tnode\tslot\tadded\tstarted\tended\t"
    "queue_seconds\trun_seconds\tupload_seconds\texit_code\tcause\tmessage\toutputs\toutput_bytes\n"
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def started(task: str, node: str, when: float, attempt: int = 1) -> TaskStarted:
    return TaskStarted(task=task, node=node, at=at(when), attempt=attempt)


def finished(
    task: str,
    node: str | None,
    began: float | None,
    ended: float | None,
    *,
    exit_code: int | None = 0,
    cause: str | None = None,
    attempts: int = 1,
    skipped: bool = False,
    item: str = "",
) -> TaskFinished:
    return end_of(
        task,
        item=item or f"f{task}",
        node=node,
        succeeded=cause is None,
        exit_code=exit_code,
        started=None if began is None else at(began),
        ended=None if ended is None else at(ended),
        retries=attempts - 1,
        cause=cause,
        stderr_tail=None if cause is None else "oh no",
        skipped=skipped,
        attempts=attempts,
    )


def begun(tasks: int, *, resumed: bool = False) -> RunStarted:
    return RunStarted(workload="w", target="local", tasks=tasks, files=0, bytes=0, resumed=resumed)


def node(name: str, state: str, previous: str | None = None) -> NodeChanged:
    return NodeChanged(node=name, state=state, previous=previous)


def trace_of(*events: tuple[float, Event]) -> Trace:
    return read_trace(
        ((at(when), event) for when, event in events),
        steps=(StepRange(name="cut", first=1), StepRange(name="join", first=3)),
    )


def states(trace: Trace) -> list[tuple[str, str]]:
    return [(row.id, row.state.value) for row in trace.tasks]


def test_each_way_that_a_task_may_stand_is_told() -> None:
    trace = trace_of(
        (0, begun(8)),
        (1, TaskAdded(task="1", item="a")),
        (1, TaskAdded(task="2", item="b")),
        (1, TaskAdded(task="3", item="c")),
        (2, started("2", "n", 2)),
        (2, started("3", "n", 2)),
        (3, TaskRetried(task="3", retries=1, attempt=1, cause="exit_code", at=at(3))),
        (3, finished("4", "n", 1, 2)),
        (3, finished("5", None, None, None, skipped=True)),
        (3, finished("6", "n", 1, 2, exit_code=1, cause="FailureExitCode")),
        (3, finished("7", None, None, None, exit_code=None, cause=HALTED)),
    )

    assert states(trace) == [
        ("1", "queued"),
        ("2", "running"),
        ("3", "retrying"),
        ("4", "succeeded"),
        ("5", "skipped"),
        ("6", "failed"),
        ("7", "never ran"),
    ]
    assert trace.planned == 8
    assert [row.step for row in trace.tasks] == ["cut", "cut", *["join"] * 5]
    assert [len(row.attempts) for row in trace.tasks] == [0, 1, 1, 1, 0, 1, 0]


def test_attempts_are_put_together_from_all_that_tells_of_them() -> None:
    trace = trace_of(
        (0, TaskAdded(task="1", item="a")),
        (2, started("1", "n1", 1)),
        (
            5,
            TaskRetried(task="1", retries=0, attempt=1, cause="preemption", node="n1", at=at(4)),
        ),
        # Of the second nobody saw anything but that there was one.
        (9, finished("1", "n2", 7, 8.5, exit_code=3, cause="FailureExitCode", attempts=3)),
    )

    (row,) = trace.tasks
    assert [(each.number, each.node, each.cause, each.seconds) for each in row.attempts] == [
        (1, "n1", "preemption", 3.0),
        (3, "n2", "FailureExitCode", 1.5),
    ]
    assert (row.times_begun, row.queue_seconds, row.run_seconds) == (3, 1.0, 1.5)
    assert row.stderr_tail == "oh no"


def test_the_last_word_on_a_task_counts_and_files_count_once() -> None:
    def output(size: int) -> OutputDownloaded:
        return OutputDownloaded(task="1", role="out", blob="a", path="/a", bytes=size)

    trace = trace_of(
        (0, begun(1)),
        (0, UploadFinished(role="in", blob="x", bytes=5)),
        (1, output(10)),
        (1, finished("1", "n", 0, 1, cause="TransferFailed")),
        (2, begun(1, resumed=True)),
        (2, UploadFinished(role="in", blob="x", bytes=5, skipped=True)),
        (3, output(12)),
        (3, finished("1", "n", 0, 1)),
    )

    (row,) = trace.tasks
    assert (row.state, len(row.attempts)) == (TaskState.SUCCEEDED, 1)
    assert (row.output_files, row.output_bytes) == (1, 12)
    (out,), (into,) = trace.outputs.values(), trace.inputs.values()
    assert (out.count, out.bytes) == (1, 12)
    assert (into.count, into.bytes, into.unchanged) == (1, 5, 1)


def test_files_count_once_however_many_a_task_has() -> None:
    def outputs(count: int, size: int, role: str = "out") -> list[tuple[float, Event]]:
        names = (f"{number:03}.png" for number in range(count))
        return [
            (1, OutputDownloaded(task="1", role=role, blob=name, path=name, bytes=size))
            for name in names
        ]

    other = OutputDownloaded(task="2", role="out", blob="b", path="b", bytes=1)
    trace = trace_of(
        (0, begun(2)),
        *outputs(5, 1, "log"),
        *outputs(50, 10),
        (1, other),
        (2, begun(2, resumed=True)),
        *outputs(48, 11),
        *outputs(4, 2, "log"),
    )

    row, _ = trace.tasks
    assert (row.output_files, row.output_bytes) == (52, 48 * 11 + 8)
    assert [(each.blob, each.bytes) for each in row.outputs] == [
        (f"{number:03}.png", 11) for number in range(20)
    ]
    assert {role: (files.count, files.bytes) for role, files in trace.outputs.items()} == {
        "out": (49, 48 * 11 + 1),
        "log": (4, 8),
    }


def test_uploading_is_told_only_where_storage_says_so_between_start_and_end() -> None:
    def run(modified: float) -> float | None:
        brought = OutputDownloaded(
            task="1", role="o", blob="a", path="/a", bytes=1, modified=at(modified)
        )
        trace = trace_of((9, brought), (9, finished("1", "n", 2, 8)))
        since = trace.tasks[0].uploading_since
        return None if since is None else (since - START).total_seconds()

    assert [run(1), run(2), run(6), run(7)] == [None, 3.0, 7.0, None]


def test_attempts_that_run_at_a_time_have_places_of_their_own() -> None:
    trace = trace_of(
        (0, node("n1", "starting")),
        (2, node("n1", "running", "starting")),
        (9, finished("1", "n1", 2, 6)),
        (9, finished("2", "n1", 2, 4)),
        (9, finished("3", "n1", 4, 8)),
        (9, finished("4", "n2", 3, 5)),
        (9, started("5", "n2", 7)),
        (9, node("n3", "idle")),
        (10, node("n1", GONE, "running")),
        (11, CleanupFinished(deleted=("pool p",), left=())),
    )

    lanes = find_lanes(trace, slots=2)

    assert [each.slot for row in trace.tasks for each in row.attempts] == [0, 1, 1, 0, 0]
    assert [
        (lane.node.id, lane.slots, lane.attempts, lane.seconds, round(lane.busy_share, 3))
        for lane in lanes
    ] == [("n1", 2, 3, 10.0, 0.5), ("n3", 2, 0, 2.0, 0.0), ("n2", 2, 2, 8.0, 0.375)]
    assert [(each.state, each.until) for each in trace.nodes[0].states] == [
        ("starting", at(2)),
        ("running", at(10)),
    ]


def test_a_run_without_events_has_an_empty_trace() -> None:
    trace = read_trace(())

    assert (trace.tasks, find_lanes(trace)) == ([], [])
    assert list(trace_as_tsv(trace)) == [_HEAD]


def test_no_field_of_the_table_begins_with_a_quotation_mark() -> None:
    name = '""a" b\t'
    _, line = trace_as_tsv(trace_of((0, begun(1)), (0, TaskAdded(task="1", item=name))))

    assert line == '1\tcut\t\\x22"a" b\\t\tqueued\t\t0\t\t\t2026-01-31T12:00:00.000000Z' + (
        "\t" * 9 + "0\t0\n"
    )
    (item,) = [each["item"] for each in csv.DictReader([_HEAD, line], delimiter="\t")]
    assert item.encode("ascii").decode("unicode_escape") == name


@pytest.mark.parametrize(
    ("item", "written"),
    [
        ("=cmd|' /C calc'!A0", "\\x3dcmd|' /C calc'!A0"),
        ("+1+1.txt", "\\x2b1+1.txt"),
        ("-2.txt", "\\x2d2.txt"),
        ("@SUM(A1:A9)", "\\x40SUM(A1:A9)"),
        ("-5", "-5"),
        ("+0.25", "+0.25"),
        ("-1e-3", "-1e-3"),
        ("a=b", "a=b"),
    ],
)
def test_no_field_of_the_table_is_a_formula(item: str, written: str) -> None:
    _, line = trace_as_tsv(trace_of((0, begun(1)), (0, TaskAdded(task="1", item=item))))

    assert line.split("\t")[2] == written
    assert written.encode("ascii").decode("unicode_escape") == item


def test_the_table_has_a_line_an_attempt_and_no_field_breaks_it() -> None:
    name = "a\tb\nc\\d\u202e\x1b[31m"
    trace = trace_of(
        (0, begun(3)),
        (0, TaskAdded(task="1", item=name)),
        (1, TaskRetried(task="1", retries=1, attempt=1, cause="exit_code", at=at(1))),
        (
            5,
            OutputDownloaded(task="1", role="o", blob="x", path="/x", bytes=7, modified=at(3)),
        ),
        (5, finished("1", "n", 2, 5, attempts=2, item=name)),
        (5, finished("3", None, None, None, skipped=True)),
        (9, RunFinished(exit_code=0, succeeded=2, failed=0, unfinished=1, error=None)),
    )
    find_lanes(trace)

    item = r"a\tb\nc\\d\u202e\x1b[31m"
    assert list(trace_as_tsv(trace)) == [
        _HEAD,
        (
            f"1\tcut\t{item}\tretried\t1\t2\t\t\t2026-01-31T12:00:00.000000Z\t\t"
            "2026-01-31T12:00:01.000000Z\t\t\t\t\texit_code\t\t0\t0\n"
        ),
        (
            f"1\tcut\t{item}\tsucceeded\t2\t2\tn\t0\t2026-01-31T12:00:00.000000Z\t"
            "2026-01-31T12:00:02.000000Z\t2026-01-31T12:00:05.000000Z\t\t3.000\t1.000\t0\t\t\t1\t7\n"
        ),
        "3\tjoin\tf3\tskipped\t\t0\t\t\t\t\t\t\t\t\t0\t\t\t0\t0\n",
    ]
