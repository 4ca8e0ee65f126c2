"""Parameters marked `secret`: what they are called outside, and the only places that take them.

It knows no value of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.spec.document import Pointer
from runner.spec.model.terms import SecretName
from runner.spec.parsing.places import Kind, Place
from runner.spec.templates.template import Reference, TemplateFault

SECRET_PREFIX = "BATCH_RUN_SECRET_"  # noqa: S105 - what the names of secrets begin with

_WHOLE = re.compile(r"\s*\{\{\s*parameters\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\s*")


def is_secret(definition: object) -> bool:
    """Whether a definition, which need not have passed the schema, marks its parameter secret."""
    return isinstance(definition, dict) and definition.get("secret") is True


def secret_names(data: Mapping[str, Any]) -> frozenset[str]:
    """The parameters of a spec that are secret; the data need not have passed the schema."""
    declared = data.get("parameters")
    items = declared.items() if isinstance(declared, dict) else ()
    return frozenset(name for name, definition in items if is_secret(definition))


def secret_name(parameter: str) -> SecretName:
    """What the secret of a parameter is called outside of the spec: in capital letters."""
    return SecretName(parameter.upper())


def secret_variable(secret: SecretName) -> str:
    """The environment variable of ours that holds the value of a secret."""
    return f"{SECRET_PREFIX}{secret}"


def secret_in(place: Place, secrets: frozenset[str]) -> SecretName | None:
    """The secret that is all of a place which takes one; None where it is anything else."""
    if place.kind is not Kind.TEXT or not _takes_secrets(place.pointer):
        return None
    whole = _WHOLE.fullmatch(place.value)
    return secret_name(whole[1]) if whole is not None and whole[1] in secrets else None


def secret_faults(
    references: tuple[Reference, ...], secrets: frozenset[str]
) -> Iterator[TemplateFault]:
    """A fault for each secret that is spoken of where none may be."""
    for reference in references:
        if reference.path[0] != "parameters" or len(reference.path) < 2:
            continue
        name = reference.path[1]
        if name in secrets:
            yield TemplateFault(
                offset=reference.offset,
                length=reference.length,
                item=reference.item,
                code="misplaced-secret",
                message=f"the secret `{name}` can only be the whole value of a variable in the"
                " `environment` of a task, a start task or a job preparation",
                hint=f'write `{name.upper()}: "{{{{ parameters.{name} }}}}"` there; the command'
                " has it as a variable",
            )


def _takes_secrets(pointer: Pointer) -> bool:
    """An environment whose variables can come by way of a file that only the command reads."""
    if len(pointer) < 3 or pointer[-2] != "environment":
        return False
    return pointer[0] != "job" or pointer[1] == "preparation"
