"""Outputs that would take the place of a file that the run itself brings up.

It knows nothing of what tasks write to each other; `collisions` does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from runner.plan.file_table import FileTable
from runner.plan.model import ContainerPlan, OutputPlan, TaskPlan
from runner.spec.document import Document, Pointer
from runner.spec.model.terms import Role
from runner.spec.model.workload import OwnContainer, Workload
from runner.spec.problem import Problem

_MOST_COMPARED = 1_000_000
"""So many names are held against patterns with wildcards; one name is looked up for every task."""

_WILDCARDS = "*?["


class Overwrites:
    """Outputs into containers that files are brought up to, looked at task by task."""

    def __init__(self, workload: Workload, containers: Iterable[ContainerPlan]) -> None:
        self._document: Document = workload.document
        self._files: dict[Role, FileTable] = {}
        for each in containers:
            is_own = isinstance(workload.container(each.role), OwnContainer)
            if is_own and isinstance(each.files, FileTable) and len(each.files):
                self._files[each.role] = each.files
        self._compared = 0
        self._reported: set[Pointer] = set()

    def problems(self, task: TaskPlan) -> Iterator[Problem]:
        """One for each output of the spec, at the first task that would write over a file."""
        if not self._files:
            return
        for output, plan in zip(task.step.outputs, task.outputs, strict=True):
            files = self._files.get(plan.role)
            if files is None or output.pointer in self._reported:
                continue
            blob = self._found(files, plan)
            if blob is not None:
                self._reported.add(output.pointer)
                how = "would" if plan.blob is not None else "may"
                yield self._document.problem(
                    output.pointer,
                    code="output-over-input",
                    message=f"task {task.id} {how} write over `{blob}`, which is brought up to"
                    f" `{plan.role}`",
                    hint="let it go `to` a container of its own, or give it another `path`",
                )

    def _found(self, files: FileTable, plan: OutputPlan) -> str | None:
        """The name of a file that the output may be written over, if there is one."""
        if plan.blob is not None:
            index = _place(files, plan.blob)
            is_there = index < len(files) and files.name(index)[0] == plan.blob
            return plan.blob if is_there else None
        folder, _, name = plan.pattern.rpartition("/")
        is_flat = not any(each in folder for each in _WILDCARDS)
        below = f"{plan.path}/" if plan.path else ""
        start = below + (_literal(name) if is_flat else "")
        for index in range(_place(files, start), len(files)):
            blob = files.name(index)[0]
            if not blob.startswith(start) or self._compared >= _MOST_COMPARED:
                return None
            self._compared += 1
            inner, _, last = blob[len(below) :].rpartition("/")
            if fnmatchcase(last, name) and not (is_flat and inner):
                return blob
        return None


def _place(files: FileTable, blob: str) -> int:
    """Where a name stands among those of the files, or would."""
    return bisect_left(range(len(files)), blob, key=lambda index: files.name(index)[0])


def _literal(pattern: str) -> str:
    """What all names that a pattern matches start with."""
    first = min((at for at in map(pattern.find, _WILDCARDS) if at >= 0), default=len(pattern))
    return pattern[:first]
