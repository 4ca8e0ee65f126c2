"""Containers whose files are all known before the run, and what is none of them.

It knows nothing of resources or tasks, only of names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import islice

from runner.plan.blob_names import shown
from runner.plan.faults import whole_fault
from runner.plan.file_table import FileTable
from runner.plan.model import ContainerPlan
from runner.spec.model.terms import Role
from runner.spec.model.workload import IfNotEmpty, OwnContainer, Workload
from runner.spec.suggestion import suggest
from runner.spec.templates.fault import TemplateError

_MOST_COMPARED = 1_000


def known_files(
    workload: Workload, containers: Iterable[ContainerPlan]
) -> Mapping[Role, FileTable]:
    """The files of each container that holds what the run brings up and nothing else: no step
    writes it, and nothing can have stayed of earlier runs."""
    written = {output.to for step in workload.steps for output in step.outputs}
    closed = {
        each.role
        for each in workload.containers
        if isinstance(each, OwnContainer)
        and each.role not in written
        and (each.name is None or each.if_not_empty is not IfNotEmpty.KEEP)
    }
    return {
        each.role: each.files
        for each in containers
        if each.role in closed and isinstance(each.files, FileTable)
    }


def check_file(files: FileTable, role: Role, name: str) -> None:
    """Raises `TemplateError` where no file has the name."""
    index = _first_from(files, name)
    if index == len(files) or files.name(index)[0] != name:
        raise _missing(files, name, f"no file of `{role}` is named `{shown(name)}`")


def check_prefix(files: FileTable, role: Role, prefix: str) -> None:
    """Raises `TemplateError` where no file's name starts so."""
    index = _first_from(files, prefix)
    if index == len(files) or not files.name(index)[0].startswith(prefix):
        raise _missing(
            files, prefix, f"no file of `{role}` has a name that starts with `{shown(prefix)}`"
        )


def _first_from(files: FileTable, name: str) -> int:
    """The index of the first file that comes not before the name."""
    return bisect_left(range(len(files)), name, key=lambda index: files.name(index)[0])


def _missing(files: FileTable, name: str, message: str) -> TemplateError:
    names = (files.name(index)[0] for index in range(len(files)))
    hint = suggest(name, map(shown, islice(names, _MOST_COMPARED)), label="its files")
    return whole_fault(code="no-such-file", message=message, hint=hint)
