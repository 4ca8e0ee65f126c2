"""The lock file of a run: what each of its tasks was made of, and what came of it.

It is written while the run goes, line by line, and so are the results of the output directory, from
which the next run learns what it need not do. It must not know how a task is decided on.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.plan.model import Plan, TaskId, task_id
from runner.plan.tasks import TaskSequence
from runner.run.results.deciding import Verdict
from runner.run.results.decisions import Action
from runner.run.results.entries import Result, read_mark, result_from_line

LOCK_FILE = "lock.jsonl"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task as a run began with it."""

    task: str
    step: str
    item: str
    action: str
    why: str


def task_names(plan: Plan) -> Iterator[tuple[TaskId, str, str]]:
    """Id, step and item of each task, without the cost of rendering it."""
    tasks, total = plan.tasks, len(plan.tasks)
    if not isinstance(tasks, TaskSequence):
        yield from ((task.id, task.step.name, task.item) for task in tasks)
        return
    number = 0
    for made in tasks.steps:
        for within in range(len(made)):
            number += 1
            yield task_id(number, of=total), made.step.name, made.items[within].label


def begin_lock(path: Path, plan: Plan, verdict: Verdict, *, target: str, output: Path) -> None:
    """Writes what a run begins with: a line for itself and one for each task.

    Raises `UsageError` where it cannot be written.
    """
    head = {
        "v": VERSION,
        "run": plan.run_id,
        "workload": plan.workload.name,
        "target": target,
        "output_directory": os.fspath(output),
        "tasks": len(plan.tasks),
    }
    decisions = verdict.decisions
    encode = json.JSONEncoder(separators=(",", ":")).encode
    try:
        with path.open("w", encoding="ascii", newline="\n") as stream:
            stream.write(f"{encode(head)}\n")
            for number, (task, step, item) in enumerate(task_names(plan), start=1):
                line = {
                    "task": task,
                    "step": step,
                    "item": item,
                    "action": decisions.action(number).value,
                    "why": decisions.reason(number),
                }
                stream.write(f"{encode(line)}\n")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error


def skipped_results(
    plan: Plan, verdict: Verdict, find: Callable[[int], Result | None]
) -> Iterator[tuple[int, Result]]:
    """The results of tasks that are skipped, as this run has them; `find` gives that of a place."""
    for number in verdict.decisions.with_action(Action.SKIP):
        place = verdict.place(number)
        result = None if place is None else find(place)
        if result is not None:
            yield (
                number,
                replace(
                    result,
                    run=str(plan.run_id),
                    task=str(task_id(number, of=len(plan.tasks))),
                    skipped=True,
                ),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock file as it was read: the run, its tasks, and what came of them, by their ids."""

    head: dict[str, Any]
    planned: dict[str, PlannedTask]
    ended: dict[str, Result]


def read_lock(path: Path) -> Lock:
    """The lock file of a run; lines that are torn or damaged are passed over.

    Raises `UsageError` where there is none.
    """
    planned: dict[str, PlannedTask] = {}
    ended: dict[str, Result] = {}
    head: dict[str, Any] = {}
    for line in _lines(path):
        if read_mark(line) is not None:
            result = result_from_line(line)
            if result is not None:
                ended[result.task] = result
            continue
        with contextlib.suppress(ValueError, TypeError, KeyError):
            value = read_json(line)
            if "v" in value:
                head = value
            else:
                planned[value["task"]] = PlannedTask(**value)
    return Lock(head=head, planned=planned, ended=ended)


def read_planned(path: Path, task: str) -> tuple[str, str] | None:
    """What the run of a lock file meant to do with a task, and why; None where it does not say."""
    start = f'{{"task":"{task}",'.encode()
    with contextlib.suppress(UsageError):
        for line in _lines(path):
            if line.startswith(start):
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    value = read_json(line)
                    return value["action"], value["why"]
    return None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from _whole(stream)
    except FileNotFoundError as error:
        raise UsageError(
            f"`{path.parent.name}` has no `{path.name}`: it did not come to begin, or an earlier"
            " version of batch-run made it"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error


def _whole(stream: BinaryIO) -> Iterator[bytes]:
    for line in stream:
        if line.endswith(b"\n"):
            yield line
