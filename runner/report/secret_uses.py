"""Where the secrets that a spec names go, and where what it mounts comes from, in words.

It knows names alone: no value of a secret gets here.
"""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import assert_never

from runner.spec.model.pool import (
    BlobMount,
    CifsMount,
    FileShareMount,
    Mount,
    NewPool,
    NfsMount,
    Pool,
)
from runner.spec.model.terms import SecretName
from runner.spec.model.workload import Workload


def secret_uses(pool: Pool) -> Iterator[tuple[SecretName, str]]:
    """Each secret and who is given its value, in the order of the spec; one may go to several."""
    if not isinstance(pool, NewPool):
        return
    for registry in pool.registries:
        yield registry.password, f"registry {registry.server}"
    for mount in pool.mounts:
        for secret in _of_mount(mount):
            yield secret, mount_source(mount)
    for user in pool.users:
        yield user.password, f"user {user.name} of the nodes"


def parameter_uses(workload: Workload) -> Iterator[tuple[SecretName, str]]:
    """Each secret parameter that a command has, and in which variable."""
    pool, job = workload.pool, workload.job
    if isinstance(pool, NewPool) and pool.start_task is not None:
        for variable, secret in pool.start_task.secrets.items():
            yield secret, f"{variable} of the start task"
    if job.preparation is not None:
        for variable, secret in job.preparation.secrets.items():
            yield secret, f"{variable} of the job preparation"
    for step in workload.steps:
        for variable, secret in step.secrets.items():
            yield secret, f"{variable} of step {step.name}"


def mount_source(mount: Mount) -> str:
    """What is mounted, and on which server it lies."""
    source = mount.source
    match source:
        case BlobMount():
            return f"container {source.container} of storage account {source.account}"
        case FileShareMount():
            return f"file share {source.url} of storage account {source.account}"
        case NfsMount():
            return f"NFS {source.source}"
        case CifsMount():
            return f"CIFS {source.source} as user {source.user}"
        case _:
            assert_never(source)


def _of_mount(mount: Mount) -> Iterator[SecretName]:
    source = mount.source
    match source:
        case BlobMount():
            if source.key is not None:
                yield source.key
            if source.sas is not None:
                yield source.sas
        case FileShareMount():
            yield source.key
        case CifsMount():
            yield source.password
        case NfsMount():
            return
        case _:
            assert_never(source)
