"""The page of a run as text: what it may hold, and what it never does."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.report.digest import digest as digest_of
from runner.report.fold import Report
from runner.report.lanes import find_lanes
from runner.report.page import assemble
from runner.report.page.assemble import page_of
from runner.report.page.durations import durations_as_html
from runner.report.page.view import PageView
from runner.report.trace import Attempt, TaskRow, TaskState
from runner.report.trace_reading import read_trace
from runner.run.events import (
    Event,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskAdded,
    TaskFinished,
)
from runner.run.records.git_state import GitState
from runner.run.records.standing import Standing
from tests.fakes.ends import end_of
from tests.fakes.records import RECORD

START = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
EVIL = "</script><img src=x onerror=alert(1)>&amp;\u2028\u202e\x1b[31m\"'"


def failed(number: int, *, tail: str, item: str = "a") -> TaskFinished:
    return end_of(
        f"{number:05}",
        item=item,
        node=EVIL,
        succeeded=False,
        exit_code=1,
        started=START,
        ended=START + timedelta(seconds=number),
        cause="FailureExitCode",
        message=EVIL,
        stderr_tail=tail,
    )


def view_of(events: Sequence[Event], **more: Any) -> PageView:
    report = Report()
    for event in events:
        report.add(event, START)
    trace = read_trace((START, event) for event in events)
    view = PageView(
        record=RECORD,
        standing=Standing.FAILED,
        report=report,
        trace=trace,
        lanes=tuple(find_lanes(trace)),
        cost=report.spending.cost(),
        plan=None,
        spec=EVIL,
        scripts={"00001": EVIL},
        again="batch-run run w.yaml",
        made=START,
    )
    return replace(view, **more)


def begun(tasks: int) -> RunStarted:
    return RunStarted(workload="w", target="local", tasks=tasks, files=0, bytes=0)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    value: dict[str, Any] = json.loads(found[1])
    return value


def test_what_strangers_have_written_is_text() -> None:
    page = page_of(view_of([begun(1), failed(1, tail=EVIL, item=EVIL)]))

    assert "<img" not in page
    assert page.count("</script>") == 2
    assert not {"\u2028", "\u202e", "\x1b"} & set(page)
    shown = "</script><img src=x onerror=alert(1)>&amp;\\u2028\\u202e\\x1b[31m\"'"
    data = data_of(page)
    assert data["tasks"][0][1] == shown
    assert data["nodes"] == [shown]
    lines = shown.replace("\\u2028", "\n")  # an end of a line, where there may be several
    assert data["words"] == {"00001": [shown, lines, lines]}


def test_the_policy_names_style_and_script_as_they_are() -> None:
    page = page_of(view_of([]))

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy is not None and style is not None and script is not None
    assert policy[1] == (
        f"default-src 'none'; style-src 'sha256-{digest(style[1])}';"
        f" script-src 'sha256-{digest(script[1])}'; base-uri 'none'; form-action 'none'"
    )


def test_each_part_of_the_script_is_in_the_page_once() -> None:
    page = page_of(view_of([]))

    parts = sorted((Path(assemble.__file__).parent / "script").iterdir())
    assert parts
    assert [page.count(each.read_text()) for each in parts] == [1] * len(parts)


def digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_ten_thousand_failures_with_much_to_say_still_make_a_page_that_can_be_mailed() -> None:
    events: list[Event] = [begun(10_000)]
    for number in range(1, 10_001):
        item = f"scene-{number:05}.mp4"
        words = "".join(chr(97 + (number * 31 + place) % 26) for place in range(20))
        events += [
            TaskAdded(task=f"{number:05}", item=item),
            failed(number, tail=f"{'<line of a log>' * 40}\nerror {words}", item=item),
        ]

    page = page_of(view_of(events))

    assert len(page.encode()) < 2_000_000
    assert len(data_of(page)["tasks"]) == 10_000


def test_the_tiles_say_of_tasks_that_did_not_succeed_what_the_digest_says() -> None:
    causes = (None, "TransferFailed", "JobEnded", "DependencyFailed", "DependencyFailed")
    events: list[Event] = [
        begun(7),
        *(replace(failed(n, tail=""), cause=cause) for n, cause in enumerate(causes, 1)),
    ]
    assert tiles_of(events) == [
        *(("tasks", "7"), ("failed", "1"), ("not home", "1"), ("ended with the job", "1")),
        *(("never ran", "2"), ("not added", "2")),
    ]
    assert (
        "7 tasks: 0 succeeded, 1 failed, 1 not home, 1 ended with the job, 2 never ran,"
        " 2 not finished\n"
    ) in digest_of(view_of(events).report, run_directory="r", output_directory="o")
    # Of a run that stopped early, those that had not been added never ran either.
    end = RunFinished(exit_code=1, succeeded=0, failed=5, unfinished=2, error="", halted=True)
    assert tiles_of([*events, end])[-1] == ("never ran", "4")


def tiles_of(events: Sequence[Event]) -> list[tuple[str, str]]:
    tiles = re.search(r'<dl class="tiles">(.*?)</dl>', page_of(view_of(events)))
    assert tiles is not None
    pairs = re.findall(r"<dt>([^<]*)(?:<small>[^<]*</small>)?</dt><dd>([\d,]+)</dd>", tiles[1])
    return [(name, number) for name, number in pairs if name != "nodes"]


def test_each_way_that_a_run_stands_is_said() -> None:
    notes = {
        standing: [
            re.sub("<[^>]*>", "", note)
            for note in re.findall(
                r'<p class="note">(.*?)</p>', page_of(view_of([begun(1)], standing=standing))
            )
        ]
        for standing in Standing
    }

    then = (
        "The last thing seen of it is of 2026-01-31 12:00:00 UTC, and all is shown as it was then."
    )
    at = "This run was in progress when the page was made, at 2026-01-31 12:00:00 UTC."
    goes_on = [f"{at} {then} batch-run report {RECORD.run} makes the page anew."]
    resume = f"{then} batch-run resume {RECORD.run} goes on with it."
    broke_off = [f"This run did not come to its end. {resume}"]
    assert notes == {
        Standing.DRIVEN: goes_on,
        Standing.DETACHED: goes_on,
        Standing.NOT_AWAITED: goes_on,
        Standing.ABANDONED: [f"This run did not come to its end: its client has died. {resume}"],
        Standing.INTERRUPTED: broke_off,
        Standing.BROKEN_OFF: broke_off,
        Standing.REFUSED: [],
        Standing.FAILED: [],
        Standing.SUCCEEDED: [],
        Standing.LEFT_BEHIND: [],
    }


def test_a_run_of_which_nothing_was_seen_has_no_empty_parts() -> None:
    page = page_of(view_of([], standing=Standing.ABANDONED))

    assert "its client has died. Nothing was seen of it. <span" in page
    assert "No task was seen on a node." in page
    assert 'id="timeline-place"' not in page
    assert '<svg class="share"' not in page


def test_what_the_spec_was_made_of_is_said() -> None:
    git = GitState(commit="ab" * 20, branch="main", changed=True)
    record = replace(RECORD, git=git, made_with={"Python": "3.13.1"})

    page = page_of(view_of([], record=record))

    assert (
        f"<dt>git</dt><dd><code>{'ab' * 20}</code> on main; files of the spec&#x27;s folder had"
        " changed since</dd>"
    ).replace("&#x27;", "'") in page
    assert "<dt>Python</dt><dd>3.13.1</dd>" in page


def test_a_start_task_that_failed_comes_first() -> None:
    events: list[Event] = [
        begun(1),
        StartTaskFailed(node="n1", exit_code=4, message=None, stderr_tail="sorry\n<b>"),
        StartTaskFailed(node="n2", exit_code=4, message=None, stderr_tail="sorry"),
        failed(1, tail="oh"),
    ]

    page = page_of(view_of(events))

    headings = re.findall(r"<h3>(?:<span[^>]*>✗</span> )?(.*?)</h3>", page)
    assert headings == [
        "the start task failed on node n1, and on 1 other: exit code 4",
        "task 00001 (a): exit code 1",
        "Run again what failed",
    ]
    assert "sorry\n&lt;b&gt;</pre>" in page
    assert f"<code>batch-run logs --start-task {RECORD.run}</code>" in page


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        ((0.68, 0.74), ["0.68s", "0.69s", "0.70s", "0.71s", "0.72s", "0.73s"]),
        ((4.0, 10.0), ["4.0s", "5.0s", "6.0s", "7.0s", "8.0s", "9.0s"]),
        ((60.0, 61.2), ["1m 00.0s", "1m 00.2s", "1m 00.4s", "1m 00.6s", "1m 00.8s", "1m 01.0s"]),
        ((3720.0, 3726.0), ["1h 02m 00s", "1h 02m 02s", "1h 02m 04s"]),
        ((0.5, 0.5), ["0.5s"]),
    ],
)
def test_times_that_are_near_each_other_are_told_apart(
    seconds: tuple[float, ...], labels: list[str]
) -> None:
    page = durations_as_html(
        TaskRow(
            id=str(number),
            state=TaskState.SUCCEEDED,
            attempts=[
                Attempt(number=1, started=START, ended=START + timedelta(seconds=each)),
            ],
        )
        for number, each in enumerate(seconds)
    )

    assert re.findall(r'<text x="[\d.]+" y="144">([^<]+)</text>', page) == labels


@pytest.mark.parametrize(
    ("failed_tasks", "note"),
    [
        (2, "1,000 tasks that succeeded are not in this list"),
        (1_500, "1,000 tasks are not in this list"),
    ],
)
def test_of_many_tasks_those_that_failed_are_listed_before_those_that_wait(
    failed_tasks: int, note: str
) -> None:
    fine = [
        replace(failed(number, tail="", item=f"f{number}"), succeeded=True, exit_code=0, cause=None)
        for number in range(1, 2_001)
    ]
    bad = [failed(number, tail="", item="b") for number in range(2_001 - failed_tasks, 2_001)]
    page = page_of(view_of([begun(2_000), *fine[: 2_000 - failed_tasks], *bad]))

    assert f'id="tasks-note">{note}: <code>trace.tsv</code> has all.</p>' in page

    waiting = [TaskAdded(task=f"{number:05}", item="w") for number in range(1, 2_000)]
    page = page_of(view_of([begun(2_000), *waiting, *bad[-1:]]))

    assert 'id="tasks-note">1,000 tasks are not in this list' in page
    assert '<td class="name">b</td>' in page
