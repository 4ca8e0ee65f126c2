"""The differences of two runs, for a person and as data.

It renders them and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from runner.report.as_text import plural, printable
from runner.run.events import VERSION
from runner.run.results.differences import FileChange, Kind, TaskDifference
from runner.run.results.lock_file import Lock

Scripts = tuple[Mapping[str, str], Mapping[str, str]]
"""The commands of tasks by their ids, of the first run and of the second."""

_SHOWN = 20
_FILES_SHOWN = 5
_TITLES = {
    Kind.RAN: "ran again",
    Kind.ONLY_SECOND: "only in the second",
    Kind.ONLY_FIRST: "only in the first",
    Kind.SKIPPED: "skipped",
    Kind.LEFT_OUT: "left out",
}
_COUNTED_ONLY = frozenset({Kind.SKIPPED, Kind.LEFT_OUT})


def shows_script(difference: TaskDifference) -> bool:
    """Whether the two commands of a task are to be shown."""
    return difference.kind is Kind.RAN and "command" in difference.changed


def first_to_show(differences: Sequence[TaskDifference]) -> list[TaskDifference]:
    """Those of which people see more than a number."""
    shown: list[TaskDifference] = []
    for kind in _TITLES:
        if kind not in _COUNTED_ONLY:
            shown += [each for each in differences if each.kind is kind][:_SHOWN]
    return shown


def differences_as_text(
    first: Lock, second: Lock, differences: Sequence[TaskDifference], scripts: Scripts
) -> Iterator[str]:
    """Lines: how many tasks of each kind, and of the first ones what changed."""
    for lock, which in ((first, "first"), (second, "second")):
        tasks = plural(len(lock.planned), "task")
        yield printable(f"{which}: run {lock.head.get('run')}, {tasks}")
    for kind, title in _TITLES.items():
        some = [each for each in differences if each.kind is kind]
        if not some:
            continue
        yield f"{title}: {len(some):,}"
        if kind in _COUNTED_ONLY:
            continue
        for each in some[:_SHOWN]:
            yield from _task(each, scripts)
        if len(some) > _SHOWN:
            yield f"  ... and {len(some) - _SHOWN:,} more (--json tells all)"


def difference_as_json(difference: TaskDifference, scripts: Scripts) -> dict[str, Any]:
    """One object; keys are only ever added."""
    first, second = difference.ids
    value: dict[str, Any] = {
        "v": VERSION,
        "step": difference.step,
        "item": difference.item,
        "kind": difference.kind.name.lower(),
        "first_id": first,
        "second_id": second,
        "why": difference.why,
        "succeeded": difference.succeeded,
        "changed": list(difference.changed),
        "files": [asdict(each) for each in difference.files],
    }
    if shows_script(difference):
        value["first_command"] = scripts[0].get(first or "")
        value["second_command"] = scripts[1].get(second or "")
    return value


def _task(difference: TaskDifference, scripts: Scripts) -> Iterator[str]:
    name = f"{difference.step}/{difference.item}" if difference.item else difference.step
    why = f": {difference.why}" if difference.kind is Kind.RAN else ""
    yield printable(f"  {name}{why}")
    if difference.changed:
        yield f"    changed: {', '.join(difference.changed)}"
    yield from _files(difference.files)
    if shows_script(difference):
        first, second = difference.ids
        before, now = scripts[0].get(first or ""), scripts[1].get(second or "")
        if before is not None and now is not None:
            yield from _script(before, now)


def _files(files: Sequence[FileChange]) -> Iterator[str]:
    for each in files[:_FILES_SHOWN]:
        if each.first is None:
            what = "is new"
        elif each.second is None:
            what = "is gone"
        else:
            what = "has other content"
        yield printable(f"    {each.path} {what}")
    if len(files) > _FILES_SHOWN:
        yield f"    ... and {len(files) - _FILES_SHOWN:,} more files"


def _script(before: str, now: str) -> Iterable[str]:
    """The lines that are gone and those that are new; of the others only what is beside them."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=1)
    return (printable(f"    {line}") for line in lines if not line.startswith(("---", "+++", "@@")))
