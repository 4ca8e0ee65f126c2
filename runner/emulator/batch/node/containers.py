"""Container tasks: what a task asks of its container, and the command of an engine that gives it.

It must not know which engines there are, nor how the service calls their failures.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path
from typing import Protocol

from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command
from runner.emulator.batch.node.registries import Registry
from runner.emulator.batch.node.runoptions import RunOptionError, confine_options, is_inside
from runner.emulator.storage.record import record

NO_ENGINE = "The node has no container runtime"


class ContainerFailure(Enum):
    """Why there is no container: the codes of the service, as it has answered them in public."""

    NO_ENGINE = "ContainerPoolNotSupported"
    IMAGE = "ContainerInvalidImage"
    SETTINGS = "ContainerInvalidSettings"


class ContainerError(Exception):
    """A container could not be run; the message is the engine's."""

    def __init__(self, failure: ContainerFailure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


@record(frozen=True, slots=True, kw_only=True)
class Bind:
    """A folder of the node that a container sees, at the same path."""

    folder: Path
    read_only: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Container:
    """REST: `containerSettings`. `options` are words for the engine, as it would take them from a
    shell.
    """

    image: str
    options: str = ""
    works_in_task_folder: bool = True
    binds: tuple[Bind, ...]
    registry: Registry | None = None
    """What is logged in to before it runs."""
    pool_registries: tuple[Registry, ...] = ()
    """One of which the image may be of."""


@record(frozen=True, slots=True, kw_only=True)
class Access:
    """The registries that an engine is logged in to, and the folder by which it is."""

    hosts: frozenset[str]
    folder: Path | None = None


NOT_LOGGED_IN = Access(hosts=frozenset())


class Containers(Protocol):
    """Runs container tasks; calls block, and may come from any thread."""

    def log_in(
        self, registries: Sequence[Registry], interruption: Interruption
    ) -> AbstractContextManager[Access]:
        """Logs in to registries, for as long as it lasts.

        Raises `ContainerError` and `InterruptedRunError`.
        """
        ...

    def pull(self, image: str, interruption: Interruption, access: Access = NOT_LOGGED_IN) -> None:
        """Sees to it that an image is there; raises `ContainerError`, `InterruptedRunError`."""
        ...

    def run(self, command: Command, container: Container, interruption: Interruption) -> int:
        """Runs a command in a container to its end; its exit code.

        `command.environment` is all that it sees of ours. Raises `ContainerError`.
        """
        ...


class NoContainers:
    """Implements `Containers` where there is no engine."""

    def log_in(
        self, registries: Sequence[Registry], interruption: Interruption
    ) -> AbstractContextManager[Access]:
        """Raises `ContainerError`."""
        del registries, interruption
        raise ContainerError(ContainerFailure.NO_ENGINE, NO_ENGINE)

    def pull(self, image: str, interruption: Interruption, access: Access = NOT_LOGGED_IN) -> None:
        """Raises `ContainerError`."""
        del image, interruption, access
        raise ContainerError(ContainerFailure.NO_ENGINE, NO_ENGINE)

    def run(self, command: Command, container: Container, interruption: Interruption) -> int:
        """Raises `ContainerError`."""
        del command, container, interruption
        raise ContainerError(ContainerFailure.NO_ENGINE, NO_ENGINE)


def split_options(container: Container, node: Path, *, any_options: bool) -> list[str]:
    """A container's options as words; raises `ContainerError` for odd ones.

    Unless there may be `any_options`, those that may lead out of the node are odd, and so are
    folders of the node in whose place a task has put a link that does.
    """
    for bind in () if any_options else container.binds:
        if not is_inside(bind.folder, node):
            message = f"the folder {bind.folder} is a link that leads out of the node"
            raise ContainerError(ContainerFailure.SETTINGS, message)
    try:
        words = shlex.split(container.options)
        return words if any_options else confine_options(words, node)
    except ValueError as error:
        message = f"the container run options cannot be split: {error}"
        raise ContainerError(ContainerFailure.SETTINGS, message) from error
    except RunOptionError as error:
        raise ContainerError(ContainerFailure.SETTINGS, str(error)) from error


def container_words(
    command: Command,
    container: Container,
    *,
    options: Sequence[str],
    name: str,
    environment_file: Path,
    inherited: Mapping[str, str],
) -> list[str]:
    """The words behind `podman run` or `docker run`.

    The network is the machine's unless the options name another. Variables of `inherited` come
    from the environment of the engine; all others from the file. No value is among the words.
    """
    words = ["--env-file", str(environment_file)]
    if not any(word.partition("=")[0] in {"--network", "--net"} for word in options):
        words += ["--network", "host"]
    for variable in inherited:
        words += ["--env", variable]
    for bind in container.binds:
        mode = ":ro" if bind.read_only else ""
        words += ["--volume", f"{bind.folder}:{bind.folder}{mode}"]
    if container.works_in_task_folder:
        words += ["--workdir", str(command.working_directory)]
    # The last ones count: by its name it is removed, and nothing of it may stay.
    ours = ["--rm", "--name", name]
    return [*words, *options, *ours, container.image, *command.words]


def split_environment(environment: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The lines of a file for the engine, and what no line can hold: values of several lines."""
    lines = {name: value for name, value in environment.items() if "\n" not in value}
    rest = {name: value for name, value in environment.items() if name not in lines}
    return b"".join(os.fsencode(f"{name}={value}\n") for name, value in lines.items()), rest
