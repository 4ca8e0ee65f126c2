"""The values of secrets that a spec names: from the environment, and of parameters from a file too.

Somebody at a terminal is asked for the parameters that are missing, without an echo. It must not
know what they open; no value of one goes into a message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from typing_extensions import assert_never

from runner.cli.asking import ask_secret
from runner.cli.world import World
from runner.spec.document import Document, Pointer
from runner.spec.model.pool import (
    BlobMount,
    CifsMount,
    ExistingPool,
    FileShareMount,
    NewPool,
    NfsMount,
    Pool,
)
from runner.spec.model.terms import SecretName, SecretParameter
from runner.spec.model.workload import Workload
from runner.spec.parsing.parameter_value import find_secret_refusal
from runner.spec.parsing.secrets import secret_variable
from runner.spec.problem import Problem, SpecError

Ask = Callable[[SecretParameter], str | None]
"""Has a secret typed; None where nobody does."""


def read_secrets(
    workload: Workload, environ: Mapping[str, str], *, ask: Ask | None = None
) -> dict[SecretName, str]:
    """The values of just those secrets that the spec names.

    A value of a file of parameters wins over the environment, and `ask` is for what neither has.
    Raises `SpecError` with each place that names one whose variable is not set, or is empty, and
    each parameter that does not take its value.
    """
    document = workload.document
    values: dict[SecretName, str] = {}
    problems = []
    for parameter in workload.secret_parameters:
        found = _of_parameter(parameter, environ, document, ask)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            values[parameter.secret] = found
    asked = frozenset(values)
    for name, pointer in _named_secrets(workload.pool):
        if name in asked:  # a parameter of the same name is the same secret
            continue
        variable = secret_variable(name)
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


def asks(world: World, *, quietly: bool) -> Ask | None:
    """What has secrets typed, where somebody sits there and the terminal can hide them."""
    if quietly or os.name != "posix" or not world.has_someone():
        return None
    return partial(ask_secret, world=world)


def _of_parameter(
    parameter: SecretParameter, environ: Mapping[str, str], document: Document, ask: Ask | None
) -> str | Problem:
    if parameter.given is not None:
        return parameter.given  # checked where the file was read
    variable = secret_variable(parameter.secret)
    value = environ.get(variable) or (None if ask is None else ask(parameter))
    if not value:
        return document.key_problem(
            parameter.pointer,
            code="missing-secret",
            message=f"the environment variable {variable} is not set",
            hint=f"it holds the value of the secret `{parameter.name}`, or a file for `--params`"
            " does",
        )
    refusal = find_secret_refusal(parameter.pattern, value)
    if refusal is None:
        return value
    return document.key_problem(
        parameter.pointer, code=refusal.code, message=f"the value of {variable} {refusal.message}"
    )


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
