"""The small values that every part of a typed workload is made of.

It knows nothing of what they are put together to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import Enum
from typing import NewType

from runner.frozen import dataclass
from runner.spec.document import Pointer
from runner.spec.shells.script import CommandTemplate
from runner.spec.templates.template import Template

Role = NewType("Role", str)
"""The name that a spec gives a container: `input`, `output`, `application`."""

StepName = NewType("StepName", str)
"""The name of a step: a key of `tasks`, or `task` where there is one without a name."""

SecretName = NewType("SecretName", str)
"""The name of a secret, whose value stands in the environment variable of that name behind
`BATCH_RUN_SECRET_`: never in a spec, and no other variable can be read by one."""

Scalar = str | int | float | bool
ParameterValue = Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretParameter:
    """A parameter marked `secret`: no template and no plan ever holds its value.

    `given` is the value that a file of parameters holds; None where it comes otherwise.
    """

    name: str
    secret: SecretName
    description: str
    pattern: str | None
    pointer: Pointer
    given: str | None = field(default=None, repr=False, compare=False)


class Elevation(Enum):
    """The rights of a user on a node: Azure's `nonadmin` and `admin`."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUser:
    """One of `pool.users`, by name."""

    name: str
    pointer: Pointer


RunAs = Elevation | NamedUser
"""Who a command runs as: the pool's auto-user, with or without sudo, or a user of the pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResource:
    """Files of a container, brought into a task's working directory with their structure.

    `file` is the name of one blob, `prefix` the start of several; without both it is all of them.
    `to` is the folder they go to (for `file` the path, its name included); None is the root.
    """

    role: Role
    file: Template | None
    prefix: Template | None
    to: Template | None
    mode: str | None
    """Octal digits, as `chmod` takes them."""
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlResource:
    """A file from a URL that the node can read without a key of ours; `to` is its path."""

    url: Template
    to: Template
    mode: str | None
    pointer: Pointer


Resource = ContainerResource | UrlResource


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommand:
    """A command that nodes run beside the tasks: start task, job preparation, job release."""

    command: CommandTemplate
    environment: Mapping[str, Template]
    resources: tuple[Resource, ...]
    run_as: RunAs
    retries: int
    """Ignored by a release task, which the service does not retry."""
    timeout: timedelta | None
    """None: no bound but the service's. A start task has none."""
    wait_for_success: bool
    """Whether tasks wait for it: of start and preparation tasks."""
    pointer: Pointer
    secrets: Mapping[str, SecretName] = field(default_factory=dict)
    """Variables of the environment whose values are secret parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application package of the Batch account; without a version its default one."""

    id: str
    version: str | None
