"""Judges what a spec asks for against what the accounts have: image, pool, containers, packages.

It must not know how anybody was asked, nor how files and tasks are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from runner.errors import BatchRunError, UsageError
from runner.frozen import dataclass
from runner.run.diagnosis.answers import (
    Account,
    Answers,
    ContainerSeen,
    Question,
    SupportedImage,
    failed,
)
from runner.run.diagnosis.cores import judge_cores
from runner.run.diagnosis.finding import Finding, of_error, of_problem, ok, unknown, warning, wrong
from runner.run.diagnosis.rights import TRY, Access, not_known, of_refusal
from runner.run.diagnosis.sizes import VmSize, read_vm_size, suggest_vm_size
from runner.run.pools.making import find_pool_problem
from runner.spec.document import Pointer
from runner.spec.duration import write_duration
from runner.spec.model.pool import CustomImage, ExistingPool, Image, NewPool
from runner.spec.model.terms import Application, Elevation
from runner.spec.model.workload import ExistingContainer, IfNotEmpty, OwnContainer, Workload

IMAGE, POOL = "image", "pool"
_NEAR = timedelta(days=90)
_LIST = "`az batch pool supported-images list -o table` shows those that there are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the answers to a spec's questions are judged by.

    `signed_for` is how long signatures live; None where it is long enough.
    """

    batch: Access
    storage: Access
    signed_for: timedelta | None
    is_local: bool
    batch_unknown: str | None = None
    """Why nothing can be known of the Batch account; None where it answers."""
    storage_unknown: str | None = None
    takes_admin: bool = True
    """Whether admins may do what they like on a node: on Azure always."""
    now: datetime


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
        yield from _judge_new_pool(workload, pool, answers, setting)
        if not setting.is_local:
            yield from judge_cores(pool, common)
    else:
        yield _judge_existing_pool(workload, pool, answers[POOL], setting)
    for container in workload.containers:
        if container.name is not None:
            answer = answers[f"container {container.name}"]
            yield _judge_container(workload, container, container.name, answer, setting)
    for application in _applications(workload):
        yield _judge_application(application, answers[f"application {application.id}"], setting)
    yield from _judge_lifetime(workload, setting)


def _at(workload: Workload, pointer: Pointer, finding: Finding) -> Finding:
    """The finding, with its place in the spec."""
    problem = workload.document.problem(
        pointer, code=finding.check, message=finding.seen, hint=finding.fix or None
    )
    return replace(finding, problem=problem)


def _judge_new_pool(
    workload: Workload, pool: NewPool, answers: Answers, setting: Setting
) -> Iterator[Finding]:
    place = (*pool.pointer, "image")
    size = read_vm_size(pool.vm_size)
    if not setting.is_local:
        finding = _judge_size(pool.vm_size, size)
        at = (*pool.pointer, "vm_size")
        yield _at(workload, at, finding) if finding.fix else finding
    if isinstance(pool.image, CustomImage):
        yield from _judge_custom_image(workload, pool, setting)
    else:
        answer = answers[IMAGE]
        for finding in _judge_image(answer, setting):
            yield _at(workload, place, finding) if finding.fix else finding
        if isinstance(answer, SupportedImage) and size is not None and not setting.is_local:
            finding = _judge_fit(answer, size)
            yield _at(workload, place, finding) if finding.fix else finding
    if not setting.takes_admin:
        yield from _judge_admin(workload, pool)
    subnet = pool.network is not None and pool.network.subnet is not None
    if subnet and setting.batch.has_key:
        yield _at(workload, (*pool.pointer, "network", "subnet"), _wants_entra("a subnet", setting))
    if pool.start_task is None and not pool.packages and not workload.runs_containers:
        yield unknown("programs", "the nodes have what the image has, which nobody tells", TRY)


def _judge_admin(workload: Workload, pool: NewPool) -> Iterator[Finding]:
    """What is left out where nodes are plain processes of this machine."""
    fix = "`--allow-admin` does it on this machine; without it what it installs must be here"
    if pool.start_task is not None and pool.start_task.run_as is Elevation.ADMIN:
        finding = warning("admin", "the start task asks for admin, and is not run here", fix)
        yield _at(workload, pool.start_task.pointer, finding)
    if pool.packages:
        finding = warning("admin", "`packages` are not installed on this machine", fix)
        yield _at(workload, (*pool.pointer, "packages"), finding)


def _judge_size(name: str, size: VmSize | None) -> Finding:
    if size is None:
        meant = suggest_vm_size(name)
        hint = f"did you mean `{meant}`? " if meant is not None else ""
        return warning(
            "vm-size",
            f"`{name}` is not formed as names of VM sizes are",
            f"{hint}`az batch location list-skus --location REGION -o table` shows those that"
            " there are",
        )
    cores = f"{size.cores} cores a node" if size.cores is not None else "cores unknown"
    return ok("vm-size", f"{name}: {cores}{', Arm' if size.is_arm else ''}")


def _judge_image(answer: object, setting: Setting) -> Iterator[Finding]:
    error = failed(answer)
    if error is not None:
        if isinstance(error, UsageError):
            yield of_error("image", error, f"{error.hint or ''} {_LIST}".strip())
        else:
            yield _of_batch("image", error, setting)
        return
    assert isinstance(answer, SupportedImage)
    if answer.is_verified:
        yield ok("image", f"{answer.name}: node agent {answer.agent}, verified by Batch")
    else:
        yield warning(
            "image",
            f"{answer.name}: node agent {answer.agent}, not verified by Batch",
            f"it may do; an image that Batch has tested is safer: {_LIST}",
        )
    end = answer.end_of_support
    if end is None:
        yield ok("image-end", "no end of Batch's support is announced")
    elif end <= setting.now:
        yield warning(
            "image-end",
            f"Batch's support of {answer.name} ended on {end:%Y-%m-%d}: pools may be refused",
            "choose a newer image",
        )
    elif end - setting.now <= _NEAR:
        yield warning(
            "image-end",
            f"Batch's support of {answer.name} ends on {end:%Y-%m-%d}",
            "choose a newer image before that day",
        )
    else:
        yield ok("image-end", f"Batch supports it until {end:%Y-%m-%d}")


def _of_batch(check: str, error: BatchRunError, setting: Setting) -> Finding:
    """What Batch did not answer; what keeps it from all answers was told already."""
    if setting.batch_unknown is not None:
        return not_known(check, setting.batch_unknown)
    return of_refusal(check, error, setting.batch)


def _judge_fit(image: SupportedImage, size: VmSize) -> Finding:
    """Whether machines of the size can start the image, as far as names and marks tell."""
    for_arm = "arm64" in image.name.lower() or "aarch64" in image.name.lower()
    if size.is_arm != for_arm:
        has, wants = ("Arm", "x64") if size.is_arm else ("x64", "Arm")
        return wrong(
            "generation",
            f"{size.name} has {has} processors, and {image.name} is for {wants}",
            "choose an image and a VM size of one kind",
        )
    generation = 2 if image.is_second_generation else 1
    if size.generations is None:
        return unknown(
            "generation",
            f"the image is of generation {generation}; what {size.name} starts, its name does not"
            " tell",
            f"`az vm list-skus --size {size.name} --query '[].capabilities'` does"
            " (HyperVGenerations)",
        )
    if generation in size.generations:
        return ok("generation", f"{size.name} starts images of generation {generation}")
    return wrong(
        "generation",
        f"{size.name} starts no images of generation {generation}, which {image.name} is of",
        f"choose an image of generation {3 - generation}, or another VM size",
    )


def _judge_custom_image(workload: Workload, pool: NewPool, setting: Setting) -> Iterator[Finding]:
    place = (*pool.pointer, "image")
    if setting.batch.has_key:
        yield _at(workload, place, _wants_entra("an image of one's own", setting))
    else:
        yield unknown(
            "image", "whether the image is there and in the same region, only a pool shows", TRY
        )


def _wants_entra(what: str, setting: Setting) -> Finding:
    return warning(
        "entra",
        f"{what} is taken from those alone who are signed in to Microsoft Entra ID",
        f"unset {setting.batch.key_variable}, and `az login`",
    )


def _judge_existing_pool(
    workload: Workload, pool: ExistingPool, answer: object, setting: Setting
) -> Finding:
    error = failed(answer)
    if error is not None:
        return _of_batch("pool", error, setting)
    problem = find_pool_problem(workload.document, pool, answer)  # type: ignore[arg-type]
    return ok("pool", f"pool `{pool.id}` is there") if problem is None else of_problem(problem)


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
        return _at(
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
    return _at(workload, (*container.pointer, "name"), finding)


def _judge_application(application: Application, answer: object, setting: Setting) -> Finding:
    check = "application"
    error = failed(answer)
    if error is not None:
        return _of_batch(check, error, setting)
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
    yield _at(workload, ("limits", "duration"), finding)


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
