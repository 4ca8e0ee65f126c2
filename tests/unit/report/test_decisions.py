"""What a run would do with each task, and what two runs did, for people and as data."""

from __future__ import annotations

import json
from pathlib import Path

from runner.report.differences_as_text import (
    difference_as_json,
    differences_as_text,
    first_to_show,
    shows_script,
)
from runner.report.digest import digest
from runner.report.fold import fold
from runner.report.plan_as_json import plan_as_json, task_as_json, write_plan
from runner.report.plan_as_text import plan_summary, task_lines
from runner.run.events import CleanupFinished, RunFinished, RunStarted
from runner.run.records.places import RUNS
from runner.run.records.plan_file import read_scripts
from runner.run.results.decisions import Action, Decisions
from runner.run.results.differences import compare_locks
from runner.run.results.lock_file import LOCK_FILE, read_lock
from runner.run.tasks.unrun import skipped_task
from tests.fakes.plans import SPEC, make_plan
from tests.fakes.reruns import Reruns, task_end

FILES = tuple(f"{name}.txt" for name in "abcdefgh")


def decided(count: int) -> Decisions:
    decisions = Decisions(count)
    decisions.decide(2, Action.SKIP, "unchanged since run demo-1")
    decisions.decide(3, Action.LEAVE, "`--only` leaves it out")
    for number in range(4, count + 1):
        decisions.decide(number, Action.RUN, f"its input `{number}\x1b.txt` changed")
    return decisions


def test_a_summary_counts_reasons(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=FILES)
    lines = list(plan_summary(plan, decided(8)))
    assert lines[1:11] == [
        "would run 6 tasks:",
        "  1: it has not run before",
        "  1: its input `4\\x1b.txt` changed",
        "  1: its input `5\\x1b.txt` changed",
        "  1: its input `6\\x1b.txt` changed",
        "  1: its input `7\\x1b.txt` changed",
        "  1: for other reasons (--json tells all)",
        "would skip 1 task:",
        "  1: unchanged since run demo-1",
        "would leave out 1 task:",
    ]
    assert list(task_lines(plan.tasks[1], decided(8)))[1] == "  skip: unchanged since run demo-1"


def test_as_data_each_task_has_its_own(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=FILES[:3])
    tasks = json.loads("".join(plan_as_json(plan, decided(3))))["tasks"]
    assert [(each["action"], each["reason"]) for each in tasks] == [
        ("run", "it has not run before"),
        ("skip", "unchanged since run demo-1"),
        ("leave", "`--only` leaves it out"),
    ]
    assert task_as_json(plan.tasks[1], decided(3))["action"] == "skip"
    assert "action" not in task_as_json(plan.tasks[1])


def test_a_report_tells_what_was_not_run(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=FILES[:4])
    report = fold(
        (
            RunStarted(workload="demo", target="local", tasks=4, files=0, bytes=0, left_out=2),
            skipped_task(plan.tasks[0]),
            task_end(plan.tasks[1]),
            CleanupFinished(deleted=(), left=()),
            RunFinished(exit_code=0, succeeded=2, failed=0, unfinished=2, error=None),
        )
    )
    text = digest(report, run_directory="runs/1", output_directory="results")
    assert "4 tasks: 1 succeeded, 1 skipped, 2 left out" in text.splitlines()


def two_runs(folder: Path) -> tuple[Path, Path]:
    """The directories of a run and of a later one, with their plans."""
    reruns = Reruns(folder=folder)
    directories = []
    for command, files in (("cat {{", ("a.txt", "b.txt")), ("cat -n {{", ("b.txt", "c.txt"))):
        plan = make_plan(folder, SPEC.replace("cat {{", command), files=files)
        reruns.run(plan)
        directory = folder / RUNS / f"demo-{reruns.count}"
        write_plan(directory / "plan.json", plan)
        directories.append(directory)
        (folder / "data" / "a.txt").unlink(missing_ok=True)
    return directories[0], directories[1]


def test_two_runs_side_by_side(tmp_path: Path) -> None:
    directories = two_runs(tmp_path)
    first, second = (read_lock(each / LOCK_FILE) for each in directories)
    differences = tuple(compare_locks(first, second))
    ids = [each.ids for each in first_to_show(differences) if shows_script(each)]
    assert ids == [("0002", "0001")]
    scripts = (read_scripts(directories[0], {"0002"}), read_scripts(directories[1], {"0001"}))
    assert list(differences_as_text(first, second, differences, scripts)) == [
        "first: run demo-1, 2 tasks",
        "second: run demo-2, 2 tasks",
        "ran again: 1",
        "  task/b.txt: its command changed",
        "    changed: command",
        "    -cat b.txt > b.out",
        "    +cat -n b.txt > b.out",
        "only in the second: 1",
        "  task/c.txt",
        "only in the first: 1",
        "  task/a.txt",
    ]
    told = [difference_as_json(each, scripts) for each in differences]
    assert told[0] == {
        "v": 1,
        "step": "task",
        "item": "b.txt",
        "kind": "ran",
        "first_id": "0002",
        "second_id": "0001",
        "why": "its command changed",
        "succeeded": True,
        "changed": ["command"],
        "files": [],
        "first_command": "cat b.txt > b.out",
        "second_command": "cat -n b.txt > b.out",
    }
    assert [(each["kind"], each["item"]) for each in told[1:]] == [
        ("only_second", "c.txt"),
        ("only_first", "a.txt"),
    ]


def test_without_a_plan_commands_are_not_shown(tmp_path: Path) -> None:
    (first, _) = two_runs(tmp_path)
    assert read_scripts(first, {"0001", "0003"}) == {"0001": "cat a.txt > a.out"}
    (first / "plan.json").write_text('{"id": "0001", \n')
    assert read_scripts(first, {"0001"}) == {}
    (first / "plan.json").unlink()
    assert read_scripts(first, {"0001"}) == {}
