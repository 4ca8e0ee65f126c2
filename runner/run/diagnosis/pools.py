"""Judges the pool that a spec asks for: image, VM size, whether they fit, what nodes will have.

It must not know containers, tasks or quotas.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.errors import UsageError
from runner.run.diagnosis.answers import Answers, SupportedImage, failed
from runner.run.diagnosis.finding import Finding, of_error, of_problem, ok, unknown, warning, wrong
from runner.run.diagnosis.rights import TRY
from runner.run.diagnosis.setting import Setting, at, of_batch
from runner.run.diagnosis.sizes import VmSize, read_vm_size, suggest_vm_size
from runner.run.pools.making import find_pool_problem
from runner.run.statuses import PoolStatus
from runner.spec.model.pool import CustomImage, ExistingPool, NewPool
from runner.spec.model.terms import Elevation
from runner.spec.model.workload import Workload

IMAGE, POOL = "image", "pool"
_NEAR = timedelta(days=90)
_LIST = "`az batch pool supported-images list -o table` shows those that there are"


def judge_new_pool(
    workload: Workload, pool: NewPool, answers: Answers, setting: Setting
) -> Iterator[Finding]:
    """What nodes are made of; what is wrong has its place in the spec."""
    place = (*pool.pointer, "image")
    size = read_vm_size(pool.vm_size)
    if not setting.is_local:
        finding = _judge_size(pool.vm_size, size)
        where = (*pool.pointer, "vm_size")
        yield at(workload, where, finding) if finding.fix else finding
    if isinstance(pool.image, CustomImage):
        yield from _judge_custom_image(workload, pool, setting)
    else:
        answer = answers[IMAGE]
        for finding in _judge_image(answer, setting):
            yield at(workload, place, finding) if finding.fix else finding
        if isinstance(answer, SupportedImage) and size is not None and not setting.is_local:
            finding = _judge_fit(answer, size)
            yield at(workload, place, finding) if finding.fix else finding
    if not setting.takes_admin:
        yield from _judge_admin(workload, pool)
    subnet = pool.network is not None and pool.network.subnet is not None
    if subnet and setting.batch.has_key:
        yield at(workload, (*pool.pointer, "network", "subnet"), _wants_entra("a subnet", setting))
    if pool.start_task is None and not pool.packages and not workload.runs_containers:
        yield unknown("programs", "the nodes have what the image has, which nobody tells", TRY)


def judge_existing_pool(
    workload: Workload, pool: ExistingPool, answer: object, setting: Setting
) -> Finding:
    """Whether the user's own pool is there, by its status now or the error that came instead."""
    error = failed(answer)
    if error is not None:
        return of_batch("pool", error, setting)
    assert answer is None or isinstance(answer, PoolStatus)
    problem = find_pool_problem(workload.document, pool, answer)
    return ok("pool", f"pool `{pool.id}` is there") if problem is None else of_problem(problem)


def _judge_admin(workload: Workload, pool: NewPool) -> Iterator[Finding]:
    """What is left out where nodes are plain processes of this machine."""
    fix = "`--allow-admin` does it on this machine; without it what it installs must be here"
    if pool.start_task is not None and pool.start_task.run_as is Elevation.ADMIN:
        finding = warning("admin", "the start task asks for admin, and is not run here", fix)
        yield at(workload, pool.start_task.pointer, finding)
    if pool.packages:
        finding = warning("admin", "`packages` are not installed on this machine", fix)
        yield at(workload, (*pool.pointer, "packages"), finding)


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
            yield of_batch("image", error, setting)
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
        yield at(workload, place, _wants_entra("an image of one's own", setting))
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
