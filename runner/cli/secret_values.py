"""The values of secrets that a spec names, from the environment and from nowhere else.

It must not know what they open; no value of one goes into a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from typing_extensions import assert_never

from runner.spec.document import Pointer
from runner.spec.model.pool import (
    BlobMount,
    CifsMount,
    ExistingPool,
    FileShareMount,
    NewPool,
    NfsMount,
    Pool,
)
from runner.spec.model.terms import SecretName
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError

SECRET_PREFIX = "BATCH_RUN_SECRET_"  # noqa: S105 - what the names of secrets begin with


def read_secrets(workload: Workload, environ: Mapping[str, str]) -> dict[SecretName, str]:
    """The values of just those secrets that the pool names.

    Raises `SpecError` with each place that names one whose variable is not set, or is empty.
    """
    document = workload.document
    values: dict[SecretName, str] = {}
    problems = []
    for name, pointer in _named_secrets(workload.pool):
        variable = f"{SECRET_PREFIX}{name}"
        value = environ.get(variable)
        if value:
            values[name] = value
            continue
        problems.append(
            document.problem(
                pointer,
                code="missing-secret",
                message=f"the environment variable {variable} is not set",
                hint="it holds the value of this secret; a spec never does",
            )
        )
    if problems:
        raise SpecError(problems)
    return values


def _named_secrets(pool: Pool) -> Iterator[tuple[SecretName, Pointer]]:
    """Each secret and the place of its name, a secret that is named twice at both."""
    match pool:
        case ExistingPool():
            return
        case NewPool():
            for registry in pool.registries:
                yield registry.password, (*registry.pointer, "password_secret")
            for mount in pool.mounts:
                for name, path in _of_mount(mount.source):
                    yield name, (*mount.pointer, *path)
            for user in pool.users:
                yield user.password, (*user.pointer, "password_secret")
        case _:
            assert_never(pool)


def _of_mount(
    source: BlobMount | FileShareMount | NfsMount | CifsMount,
) -> Iterator[tuple[SecretName, Pointer]]:
    match source:
        case BlobMount():
            if source.key is not None:
                yield source.key, ("blob", "key_secret")
            if source.sas is not None:
                yield source.sas, ("blob", "sas_secret")
        case FileShareMount():
            yield source.key, ("file_share", "key_secret")
        case CifsMount():
            yield source.password, ("cifs", "password_secret")
        case NfsMount():
            return
        case _:
            assert_never(source)
