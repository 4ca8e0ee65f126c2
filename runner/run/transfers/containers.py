"""The containers of a run, before anything is made: which to make, which to use, which are missing.

It must not know what becomes of them at the end; `cleanup` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from typing_extensions import assert_never

from runner.plan.model import SECRETS, ContainerPlan, Plan
from runner.run.parallel import run_together
from runner.run.removal.traces import CONTAINER_KEPT, CONTAINER_RUN
from runner.run.services import Blobs
from runner.run.submit import Submission
from runner.spec.model.terms import Role
from runner.spec.model.workload import Delete, ExistingContainer, IfNotEmpty, OwnContainer
from runner.spec.problem import Problem, SpecError

_CREATORS = 8


def find_reused(plan: Plan, blobs: Blobs) -> frozenset[Role]:
    """The containers of the user's naming that exist already; nothing is changed.

    Raises `SpecError` where one that must exist does not, and where one may not hold any blob and
    does.
    """
    reused: set[Role] = set()
    problems: list[Problem] = []
    for container in plan.workload.containers:
        named = plan.container(container.role)
        match container:
            case ExistingContainer():
                if not blobs.has_container(named.name):
                    problems.append(_missing(plan, container))
            case OwnContainer(name=None):
                continue
            case OwnContainer():
                if blobs.has_container(named.name):
                    reused.add(container.role)
                    problems.extend(_occupied(plan, container, named, blobs))
            case _:
                assert_never(container)
    if problems:
        raise SpecError(problems)
    return frozenset(reused)


def make_containers(
    plan: Plan,
    submission: Submission,
    blobs: Blobs,
    check: Callable[[], None],
    *,
    clears: bool = True,
    kept_because: str | None = None,
) -> None:
    """Makes those that are missing, and where it `clears` empties those that the spec wants empty.

    `kept_because` is why all of them are to stay, but for that of secrets, which never is. Blobs
    that a file would only replace with its own content stay. `check` may raise to end it.
    """
    calls = (
        partial(blobs.create_container, name, _metadata(plan, role, kept_because))
        for role, name in submission.containers
    )
    run_together(calls, threads=_CREATORS, check=check)
    for role, name in submission.reused if clears else ():
        container = plan.workload.container(role)
        if isinstance(container, OwnContainer) and container.if_not_empty is IfNotEmpty.CLEAR:
            names = _names_but(blobs, name, plan.container(role).unchanged)
            blobs.delete_blobs(name, _checked(names, check))


def _metadata(plan: Plan, role: Role, kept_because: str | None) -> dict[str, str]:
    """Whose the container is, and why it stays: for whoever tidies up without the spec."""
    metadata: dict[str, str] = {CONTAINER_RUN: plan.run_id}
    if role == SECRETS and plan.has_secrets:
        return metadata
    own = {each.role: each for each in plan.workload.containers if isinstance(each, OwnContainer)}
    if kept_because is None and role in own and own[role].delete is Delete.NEVER:
        kept_because = "delete: never"
    if kept_because is not None:
        metadata[CONTAINER_KEPT] = kept_because
    return metadata


def _missing(plan: Plan, container: ExistingContainer) -> Problem:
    return plan.workload.document.problem(
        container.pointer,
        code="container-missing",
        message=f"there is no container `{container.name}`, which `{container.role}` says exists",
        hint="check its name and the storage account; `name` instead of `existing` would make it",
    )


def _occupied(
    plan: Plan, container: OwnContainer, named: ContainerPlan, blobs: Blobs
) -> Iterator[Problem]:
    if container.if_not_empty is not IfNotEmpty.REFUSE:
        return
    blob = next(iter(blobs.list_blobs(named.name, "")), None)
    if blob is not None:
        name = f"`{blob.name}`" if blob.name.isprintable() else ascii(blob.name)
        yield plan.workload.document.problem(
            container.pointer,
            code="container-not-empty",
            message=f"container `{named.name}` of `{container.role}` is not empty: it has {name}",
            hint="`if_not_empty: keep` leaves what it has, `clear` deletes it first",
        )


def _names_but(blobs: Blobs, container: str, kept: frozenset[str]) -> Iterator[str]:
    for blob in blobs.list_blobs(container, ""):
        if blob.name not in kept:
            yield blob.name


def _checked(names: Iterable[str], check: Callable[[], None]) -> Iterator[str]:
    for name in names:
        check()
        yield name
