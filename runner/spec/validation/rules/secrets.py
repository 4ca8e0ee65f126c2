"""Rules on secret parameters: what cannot bring them to a command.

It knows no value of one, nor where they are named; the parser has refused other places.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.spec.document import Document
from runner.spec.model.pool import NewPool
from runner.spec.model.step import Step
from runner.spec.model.terms import NodeCommand
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.shells.shell import Shell
from runner.spec.validation.rules.uses import Rule, node_commands

SECRETS_ROLE = "secrets"
"""The container in which a run hands secret parameters to its tasks."""


def _role_is_free(workload: Workload, document: Document) -> Iterator[Problem]:
    for container in workload.containers:
        if container.role == SECRETS_ROLE and any(each.secrets for each in _commands(workload)):
            yield document.key_problem(
                container.pointer,
                code="reserved-role",
                message=f"the role `{SECRETS_ROLE}` is taken: the run hands its secret parameters"
                " to the tasks there",
                hint="give the container another role",
            )


def _shell_reads_them(workload: Workload, document: Document) -> Iterator[Problem]:
    for each in _commands(workload):
        shell = each.command.shell
        if shell not in (Shell.NONE, Shell.CMD):
            continue
        why = "without a shell, nothing can read" if shell is Shell.NONE else "cmd cannot read"
        hint = "powershell" if shell is Shell.CMD else "bash"
        for name in each.secrets:
            yield document.key_problem(
                (*each.pointer, "environment", name),
                code="misplaced-secret",
                message=f"{why} the file that brings the secret `{name}` to the command",
                hint=f"write `shell: {hint}`",
            )


def _start_task_ends_with_the_run(workload: Workload, document: Document) -> Iterator[Problem]:
    """Nodes that outlast a run start again and again, and its secrets are gone by then."""
    pool = workload.pool
    if not isinstance(pool, NewPool) or pool.keep is None or pool.start_task is None:
        return
    for name in pool.start_task.secrets:
        yield document.key_problem(
            (*pool.start_task.pointer, "environment", name),
            code="misplaced-secret",
            message=f"the start task of a pool that outlasts the run cannot have the secret"
            f" `{name}`, which goes with it",
            hint="leave out `keep`, or bring the secret to the tasks",
        )


def _schedule_has_none(workload: Workload, document: Document) -> Iterator[Problem]:
    """What a schedule makes runs after us, when all secrets of the run have been taken away."""
    if workload.job.schedule is None:
        return
    for each in _commands(workload):
        for name in each.secrets:
            yield document.key_problem(
                (*each.pointer, "environment", name),
                code="misplaced-secret",
                message=f"the jobs of a `schedule` cannot have the secret `{name}`: a run takes"
                " its secrets away when it ends",
                hint="have the command fetch it itself, for example from a key vault",
            )


def _commands(workload: Workload) -> Iterator[Step | NodeCommand]:
    yield from node_commands(workload)
    yield from workload.steps


SECRETS: tuple[Rule, ...] = (
    _role_is_free,
    _shell_reads_them,
    _start_task_ends_with_the_run,
    _schedule_has_none,
)
