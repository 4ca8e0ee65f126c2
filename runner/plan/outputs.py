"""Where the outputs of tasks go, and that no two tasks write one blob.

It knows nothing of files on this machine; patterns and paths are rendered from a scope it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from runner.plan.model import OutputPlan, TaskId, TaskPlan
from runner.spec.document import Pointer
from runner.spec.problem import Problem
from runner.spec.step import Output
from runner.spec.template import TemplateError, TemplateFault
from runner.spec.workload import Workload

_BLOB_NAME_LIMIT_CHARACTERS = 1024


def plan_output(
    output: Output, scope: Mapping[str, object], *, task_id: TaskId, folder: str
) -> OutputPlan:
    """One output of one task; `folder` is the input file's, which the default path keeps.

    Raises `TemplateError` where values make a pattern or a path that the service cannot take.
    """
    pattern = output.pattern.render(scope)
    path = None if output.path is None else output.path.render_text(scope)
    escaped = False
    if output.pattern.has_wildcard:
        blob = None
        destination = (path or task_id).rstrip("/")
    else:
        plain = output.pattern.render_text(scope)
        blob = _name_blob(plain, path, folder)
        destination = blob
        escaped = pattern != plain
    for name in (pattern, destination):
        _check(name)
    return OutputPlan(
        pattern=pattern,
        role=output.to,
        path=destination,
        when=output.when,
        blob=blob,
        escaped=escaped,
    )


def _name_blob(plain: str, path: str | None, folder: str) -> str:
    """The blob of one file: below the input's folder, once, unless a path says otherwise."""
    if path is not None:
        return path + plain.rpartition("/")[2] if path.endswith("/") else path
    if not folder or plain.startswith(f"{folder}/"):
        return plain
    return f"{folder}/{plain}"


def _check(name: str) -> None:
    parts = name.split("/")
    message = None
    if name.startswith("/"):
        message = f"`{name}` is an absolute path"
    elif ".." in parts:
        message = f"`{name}` leads out of its folder by `..`"
    elif not name.isprintable():
        message = f"{name!a} has a control character, which a blob list cannot hold"
    elif len(name) > _BLOB_NAME_LIMIT_CHARACTERS:
        message = f"`{name[:40]}...` is longer than {_BLOB_NAME_LIMIT_CHARACTERS} characters"
    if message is not None:
        hint = "an output is named relative to the task's working directory"
        raise TemplateError((_whole(code="output-path", message=message, hint=hint),))


def _whole(*, code: str, message: str, hint: str) -> TemplateFault:
    """A fault of a rendered text as a whole, not of one expression in it."""
    return TemplateFault(offset=0, length=1, code=code, message=message, hint=hint)


def find_collisions(workload: Workload, tasks: Iterable[TaskPlan]) -> Iterator[Problem]:
    """A problem for each output of the spec with which two tasks would write one blob.

    Tasks that share a virtual folder count too: what a wildcard finds is known only afterwards.
    Only a 64-bit hash of each name is kept, so that a million tasks cost tens of megabytes; the
    chance that two of a million names are taken for one is below 1 in 10 million.
    """
    seen: dict[int, TaskId] = {}
    reported: set[Pointer] = set()
    for task in tasks:
        for output, plan in zip(task.step.outputs, task.outputs, strict=True):
            other = seen.setdefault(_hash(plan), task.id)
            if other != task.id and output.pointer not in reported:
                reported.add(output.pointer)
                yield _collision(workload, output, plan, (other, task.id))


def _collision(
    workload: Workload, output: Output, plan: OutputPlan, tasks: tuple[TaskId, TaskId]
) -> Problem:
    target = f"{plan.path}/" if plan.blob is None else plan.blob
    return workload.document.problem(
        output.pointer,
        code="output-collision",
        message=f"tasks {tasks[0]} and {tasks[1]} would both write `{target}` of `{plan.role}`",
        hint="put `{{ file.name }}` or `{{ file.path }}` into the pattern or the `path`",
    )


def _hash(plan: OutputPlan) -> int:
    name = f"{plan.role}/{plan.path}/*" if plan.blob is None else f"{plan.role}/{plan.blob}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
