"""Judges what a spec asks for against what the accounts have: pool, containers, packages, time.

It must not know how anybody was asked, nor how files and tasks are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.run.diagnosis.answers import Account, Answers, ContainerSeen, Question, failed
from runner.run.diagnosis.cores import judge_cores
from runner.run.diagnosis.finding import Finding, ok, warning, wrong
from runner.run.diagnosis.pools import IMAGE, POOL, judge_existing_pool, judge_new_pool
from runner.run.diagnosis.rights import not_known, of_refusal
from runner.run.diagnosis.setting import Setting, at, of_batch
from runner.spec.duration import write_duration
from runner.spec.model.pool import ExistingPool, Image, NewPool
from runner.spec.model.terms import Application
from runner.spec.model.workload import ExistingContainer, IfNotEmpty, OwnContainer, Workload


def questions_of(workload: Workload, account: Account) -> dict[str, Question]:
    """What is asked for a spec's sake."""
    asked: dict[str, Question] = {}
    pool = workload.pool
    if isinstance(pool, ExistingPool):
        asked[POOL] = lambda: account.find_pool(pool.id)
    elif isinstance(pool.image, Image):
        image = pool.image
        asked[IMAGE] = lambda: account.find_image(image, containers=workload.runs_containers)
    for container in workload.containers:
        name = container.name
        if name is not None:
            asked[f"container {name}"] = _bound(account, name)
    for application in _applications(workload):
        asked[f"application {application.id}"] = _has(account, application)
    return asked


def _bound(account: Account, name: str) -> Question:
    return lambda: account.look_into(name)


def _has(account: Account, application: Application) -> Question:
    return lambda: account.has_application(application)


def judge_needs(
    workload: Workload, answers: Answers, common: Answers, setting: Setting
) -> Iterator[Finding]:
    """All that can be said of a spec; `common` are the answers about the accounts."""
    pool = workload.pool
    if isinstance(pool, NewPool):
        yield from judge_new_pool(workload, pool, answers, setting)
        if not setting.is_local:
            yield from judge_cores(pool, common)
    else:
        yield judge_existing_pool(workload, pool, answers[POOL], setting)
    for container in workload.containers:
        if container.name is not None:
            answer = answers[f"container {container.name}"]
            yield _judge_container(workload, container, container.name, answer, setting)
    for application in _applications(workload):
        yield _judge_application(application, answers[f"application {application.id}"], setting)
    yield from _judge_lifetime(workload, setting)


def _judge_container(
    workload: Workload,
    container: OwnContainer | ExistingContainer,
    name: str,
    answer: object,
    setting: Setting,
) -> Finding:
    check = "container"
    error = failed(answer)
    if error is not None:
        if setting.storage_unknown is not None:
            return not_known(check, setting.storage_unknown)
        return of_refusal(check, error, setting.storage)
    assert isinstance(answer, ContainerSeen)
    if isinstance(container, ExistingContainer):
        if answer.exists:
            return ok(check, f"`{name}` is there and can be listed")
        return at(
            workload,
            (*container.pointer, "existing"),
            wrong(
                check,
                f"there is no container `{name}` for `{container.role}`",
                "`az storage container list --query [].name` shows those that there are",
            ),
        )
    if not answer.exists:
        return ok(check, f"`{name}` is not there yet, and will be made")
    if answer.is_empty:
        return ok(check, f"`{name}` is there, and empty")
    match container.if_not_empty:
        case IfNotEmpty.REFUSE:
            finding = wrong(
                check,
                f"`{name}` is not empty, and `if_not_empty` is `refuse`: the run would not begin",
                "empty it, or take another name",
            )
        case IfNotEmpty.CLEAR:
            finding = warning(
                check,
                f"`{name}` is not empty: the run deletes what is in it first",
                "write `if_not_empty: keep` to have it stay",
            )
        case IfNotEmpty.KEEP:
            return ok(check, f"`{name}` is there; what is in it stays")
    return at(workload, (*container.pointer, "name"), finding)


def _judge_application(application: Application, answer: object, setting: Setting) -> Finding:
    check = "application"
    error = failed(answer)
    if error is not None:
        return of_batch(check, error, setting)
    version = "" if application.version is None else f" {application.version}"
    if answer:
        return ok(check, f"package `{application.id}`{version} is there")
    return wrong(
        check,
        f"the account has no application package `{application.id}`{version}",
        f"`az batch application package create --application-name {application.id} ...` adds it",
    )


def _judge_lifetime(workload: Workload, setting: Setting) -> Iterator[Finding]:
    lifetime, duration = setting.signed_for, workload.limits.duration
    if lifetime is None or duration <= lifetime:
        return
    finding = warning(
        "lifetime",
        f"`limits.duration` is {write_duration(duration)}, and without the storage account's key"
        f" nodes reach their containers for {write_duration(lifetime)} only",
        f"set {setting.storage.key_variable}, or a shorter `limits.duration`",
    )
    yield at(workload, ("limits", "duration"), finding)


def _applications(workload: Workload) -> tuple[Application, ...]:
    pool = workload.pool
    found: Mapping[str, Application] = {
        f"{each.id} {each.version}": each
        for each in (
            *(pool.applications if isinstance(pool, NewPool) else ()),
            *(each for step in workload.steps for each in step.applications),
        )
    }
    return tuple(found.values())
