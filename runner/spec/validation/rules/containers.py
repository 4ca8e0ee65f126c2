"""Rules on containers: their names, what fills them, and who may write them.

It knows nothing of pools and of commands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from runner.spec.document import Document, Pointer
from runner.spec.model.terms import ContainerResource, Role, StepName
from runner.spec.model.workload import (
    Container,
    ExistingContainer,
    IfNotEmpty,
    OwnContainer,
    Workload,
)
from runner.spec.parsing.step_order import needed_by
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten
from runner.spec.validation.rules.uses import (
    Rule,
    command_resources,
    files_of,
    node_commands,
    role_of_files,
    role_of_output,
    role_of_resource,
    step_resources,
)

RESERVED_ROLE = "logs"
"""The container in which a run keeps its tasks' standard output and error."""

_NAME_OF_A_RUN = re.compile(r"[a-z0-9-]+-[0-9]{8}t[0-9]{6}z-[a-z2-7]{4}-[a-z0-9-]+\Z")


def _role_is_free(workload: Workload, document: Document) -> Iterator[Problem]:
    for container in workload.containers:
        if container.role == RESERVED_ROLE:
            yield document.key_problem(
                container.pointer,
                code="reserved-role",
                message=f"the role `{RESERVED_ROLE}` is taken: a run keeps its tasks' output there",
                hint="give the container another role",
            )


def _names_are_not_of_runs(workload: Workload, document: Document) -> Iterator[Problem]:
    for container in workload.containers:
        if not isinstance(container, OwnContainer) or container.name is None:
            continue
        if _NAME_OF_A_RUN.match(container.name):
            yield document.problem(
                (*container.pointer, "name"),
                code="container-name",
                message=f"`{container.name}` is named like a container that a run makes for itself",
                hint="give it a name of your own, or write `existing:` to read what a run has left",
            )


def _names_differ(workload: Workload, document: Document) -> Iterator[Problem]:
    """Two roles may read parts of one existing container; one that is written has one role."""
    first: dict[str, Container] = {}
    for container in workload.containers:
        name = container.name
        if name is None:
            continue
        other = first.setdefault(name, container)
        is_read_only = isinstance(container, ExistingContainer)
        if other is container or (is_read_only and isinstance(other, ExistingContainer)):
            continue
        yield document.problem(
            (*container.pointer, "existing" if is_read_only else "name"),
            code="same-container",
            message=f"`{other.role}` and `{container.role}` are both the container `{name}`,"
            " which the run writes",
            hint="use one role for both; `include` and `prefix` choose files where it is used",
        )


def _outputs_go_to_own_containers(workload: Workload, document: Document) -> Iterator[Problem]:
    existing = {each.role for each in workload.containers if isinstance(each, ExistingContainer)}
    for step in workload.steps:
        for output in step.outputs:
            if output.to in existing:
                yield document.problem(
                    role_of_output(output),
                    code="output-into-existing",
                    message=f"`{output.to}` is an existing container, which is only read",
                    hint="to write into a container of your own, give it as `name:` in place of"
                    " `existing:`",
                )


def _outputs_stay_apart(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        inputs = {files.role for files in files_of(step)}
        for output in step.outputs:
            if output.to in inputs:
                yield document.problem(
                    role_of_output(output),
                    code="output-into-input",
                    message=f"`{output.to}` holds the input files; outputs would mix with them",
                    hint="add a container for the outputs, such as `output: {download: true}`",
                )


def _inputs_are_filled(workload: Workload, document: Document) -> Iterator[Problem]:
    """The tasks are made before the first one runs, so their files must be known by then."""
    empty = {
        each.role: each
        for each in workload.containers
        if isinstance(each, OwnContainer) and not each.uploads
    }
    writers = _writers(workload)
    reported: set[Role] = set()
    for step in workload.steps:
        for files in files_of(step):
            container = empty.get(files.role)
            others = [name for name in writers[files.role] if name != step.name]
            if container is None:
                continue
            if others:
                yield document.problem(
                    role_of_files(files, document),
                    code="no-input",
                    message=f"`{files.role}` is filled by `{others[0]}`: its files are not known"
                    " when the tasks are made",
                    hint="for each file that the step leaves:"
                    f" `for_each: {{outputs_of: {others[0]}}}`",
                )
            elif files.role not in reported:
                reported.add(files.role)
                yield document.key_problem(
                    container.pointer,
                    code="no-input",
                    message=f"`{files.role}` has no `upload`: there are no files to run tasks for",
                    hint="for example `upload: [{from: data}]`"
                    if container.name is None
                    else f"for the files that it holds already write `existing: {container.name}`"
                    " in place of `name:`",
                )


def _resources_are_filled(workload: Workload, document: Document) -> Iterator[Problem]:
    empty = {each.role for each in workload.containers if _starts_empty(each)}
    writers = _writers(workload)
    declared = {step.name for step in workload.steps}
    for command in node_commands(workload):
        if command is workload.job.release:
            continue  # it runs behind all steps
        for resource in command_resources(command):
            if resource.role in empty:
                yield _nothing_to_bring(
                    document,
                    role_of_resource(resource),
                    resource.role,
                    bool(writers[resource.role]),
                )
    for step in workload.steps:
        resources = [each for each in step_resources(step) if each.role in empty]
        before = needed_by(workload.steps, step) if resources else frozenset()
        for resource in resources:
            others = [name for name in writers[resource.role] if name != step.name]
            pointer = role_of_resource(resource)
            if not others:
                yield _nothing_to_bring(document, pointer, resource.role, False)
            elif before.isdisjoint(others) and declared.issuperset(step.needs):
                yield document.problem(
                    pointer,
                    code="missing-needs",
                    message=f"`{resource.role}` is filled by `{others[0]}`, which"
                    f" `{step.name}` does not wait for",
                    hint=f"add `needs: {others[0]}`",
                )


def _gathered_is_of_this_run(workload: Workload, document: Document) -> Iterator[Problem]:
    """A step without items gets whole containers, and with them what earlier runs left in one."""
    steps = {step.name: step for step in workload.steps}
    old = {each.role: each for each in workload.containers if _keeps_what_is_there(each)}
    for step in workload.steps:
        if step.for_each is not None:
            continue
        spoken_of = {each.role for each in step.resources if isinstance(each, ContainerResource)}
        needed = [steps[name] for name in step.needs if name in steps and name != step.name]
        gathered = dict.fromkeys(output.to for each in needed for output in each.outputs)
        for role in gathered:
            if role not in old or role in spoken_of:
                continue
            yield document.problem(
                (*old[role].pointer, "name"),
                code="gathers-old-files",
                message=f"`{step.name}` gathers all that lies in `{role}`, also what earlier runs"
                " left there",
                hint="empty it first, `if_not_empty: clear`, or leave `name` out; to take all that"
                f" is there say so in `{step.name}`: `resources: [{{from: {role}}}]`",
            )


def _nothing_to_bring(
    document: Document, pointer: Pointer, role: Role, is_written: bool
) -> Problem:
    message = f"`{role}` has no `upload`: there are no files to bring"
    if is_written:
        message = f"`{role}` is still empty then: only steps write it"
    return document.problem(
        pointer,
        code="no-files",
        message=message,
        hint=f"give the container `{role}` an `upload`, such as `upload: [{{from: data}}]`",
    )


def _uploads_stay_inside(workload: Workload, document: Document) -> Iterator[Problem]:
    for container in workload.containers:
        if not isinstance(container, OwnContainer):
            continue
        for upload in container.uploads:
            parts = upload.to.split("/")
            if upload.to and not {"", ".", ".."}.isdisjoint(parts):
                yield document.problem(
                    (*upload.pointer, "to"),
                    code="upload-path",
                    message=f"`{shorten(upload.to)}` is no folder of a container",
                    hint="write it without `.`, `..` and `//`, such as `data/2026`",
                )


def _keeps_what_is_there(container: Container) -> bool:
    return (
        isinstance(container, OwnContainer)
        and container.name is not None
        and container.if_not_empty is IfNotEmpty.KEEP
    )


def _starts_empty(container: Container) -> bool:
    return isinstance(container, OwnContainer) and container.name is None and not container.uploads


def _writers(workload: Workload) -> defaultdict[Role, list[StepName]]:
    writers: defaultdict[Role, list[StepName]] = defaultdict(list)
    for step in workload.steps:
        for role in dict.fromkeys(output.to for output in step.outputs):
            writers[role].append(step.name)
    return writers


CONTAINERS: tuple[Rule, ...] = (
    _role_is_free,
    _names_are_not_of_runs,
    _names_differ,
    _outputs_go_to_own_containers,
    _outputs_stay_apart,
    _inputs_are_filled,
    _resources_are_filled,
    _gathered_is_of_this_run,
    _uploads_stay_inside,
)
