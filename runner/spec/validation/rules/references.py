"""Rules on names: what a spec speaks of is there, and steps do not wait for each other.

It knows nothing of what containers, steps and users are for.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.spec.document import Document
from runner.spec.model.pool import NewPool
from runner.spec.model.workload import Workload
from runner.spec.parsing.step_order import find_circles
from runner.spec.problem import Problem
from runner.spec.suggestion import suggest
from runner.spec.validation.rules.uses import Rule, named_users, needs_used, roles_used

SINGLE_TASK = ("task",)
"""The pointer of the only step of a spec that has `task` in place of `tasks`."""


def _roles_are_declared(workload: Workload, document: Document) -> Iterator[Problem]:
    declared = dict.fromkeys(container.role for container in workload.containers)
    for role, pointer in roles_used(workload, document):
        if role not in declared:
            yield document.problem(
                pointer,
                code="unknown-container",
                message=f"there is no container `{role}`",
                hint=suggest(role, declared, label="containers"),
            )


def _steps_are_declared(workload: Workload, document: Document) -> Iterator[Problem]:
    declared = dict.fromkeys(step.name for step in workload.steps)
    for step in workload.steps:
        for name, pointer in needs_used(step, document):
            if step.pointer == SINGLE_TASK:
                yield document.problem(
                    pointer,
                    code="unknown-step",
                    message="`task` is the only step: there is no other that it could need",
                    hint="write `tasks:`, with a name for each step: `tasks: {first: {...}}`",
                )
            elif name not in declared:
                others = [other for other in declared if other != step.name]
                yield document.problem(
                    pointer,
                    code="unknown-step",
                    message=f"there is no step `{name}`",
                    hint=suggest(name, others, label="other steps"),
                )


def _steps_can_start(workload: Workload, document: Document) -> Iterator[Problem]:
    if workload.steps[0].pointer == SINGLE_TASK:
        return
    by_name = {step.name: step for step in workload.steps}
    for circle in find_circles(workload.steps):
        following = circle[1:] + circle[:1]
        pointer = next(
            where
            for name, where in needs_used(by_name[circle[0]], document)
            if name == following[0]
        )
        if len(circle) == 1:
            message = f"`{circle[0]}` needs itself"
        else:
            chain = ", ".join(
                f"`{step}` needs `{need}`" for step, need in zip(circle, following, strict=True)
            )
            message = f"these steps wait for each other: {chain}"
        yield document.problem(
            pointer, code="circle", message=message, hint="take one of these needs away"
        )


def _users_are_declared(workload: Workload, document: Document) -> Iterator[Problem]:
    for user in named_users(workload):
        pointer = (*user.pointer, "name")
        if not isinstance(workload.pool, NewPool):
            continue  # the users of a pool of one's own are not in the spec
        declared = dict.fromkeys(each.name for each in workload.pool.users)
        if user.name not in declared:
            yield document.problem(
                pointer,
                code="unknown-user",
                message=f"the pool has no user `{user.name}`",
                hint=suggest(user.name, declared, label="users"),
            )


REFERENCES: tuple[Rule, ...] = (
    _roles_are_declared,
    _steps_are_declared,
    _steps_can_start,
    _users_are_declared,
)
