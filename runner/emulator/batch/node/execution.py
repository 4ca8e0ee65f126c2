"""One execution of a launch, from its directories to its outputs, in the thread that calls it.

It must not know of asyncio, nor of other executions.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.emulator.batch.node.commands import run_command, split_command_line
from runner.emulator.batch.node.connections import Connections
from runner.emulator.batch.node.containers import (
    ContainerError,
    ContainerFailure,
    Containers,
)
from runner.emulator.batch.node.containment import NodeFolder, directory_below, make_directory
from runner.emulator.batch.node.directories import append_file, create_file, unlink
from runner.emulator.batch.node.failures import (
    StepFailedError,
    exited_with_failure,
    preparation_failed,
    ran_out_of_time,
)
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.isolation import Command, Isolation
from runner.emulator.batch.node.launch import Failure, Launch, Outcome, ResourceFile
from runner.emulator.batch.node.outputs import ERROR_LOG, PROGRESS_LOG, Uploader, due_outputs
from runner.emulator.batch.node.owners import Owner, give_folder, open_to_users
from runner.emulator.batch.node.packages import unpack_packages
from runner.emulator.batch.node.resources import fetch_resources
from runner.emulator.batch.node.users import (
    ROOT,
    TaskUsers,
    User,
    own_files,
)

KILLED_EXIT_CODE = 137
"""128 + SIGKILL. What the service reports for a Linux task out of time is not published."""

_MARK = "AZ_BATCH_TASK_DIR"
"""A variable that is different for any two tasks of a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all executions of an executor share."""

    clock: Callable[[], datetime]
    base_environment: Mapping[str, str]
    connections: Connections
    transfers: Executor
    isolation: Isolation
    containers: Containers
    task_users: TaskUsers


class Execution:
    """Runs a launch once; may be expired and cancelled from other threads meanwhile."""

    def __init__(self, launch: Launch, surroundings: Surroundings) -> None:
        self._launch = launch
        self._surroundings = surroundings
        self._environment = {**surroundings.base_environment, **launch.environment}
        # Time running out ends downloads and the process, but not the upload of what was made.
        self._process_stop = Interruption()
        self._upload_stop = Interruption()

    def expire(self) -> None:
        """`max_wall_clock_time` has passed: kills the process group; the run goes on from there."""
        self._process_stop.fire()

    def cancel(self) -> None:
        """Kills the process group and stops all else; `run` raises `InterruptedRunError`."""
        self._upload_stop.fire()
        self._process_stop.fire()

    def run(self) -> Outcome:
        """Runs to the end and says what became of it; raises `InterruptedRunError` if cancelled."""
        started = self._surroundings.clock()
        exit_code: int | None = None
        failure: Failure | None = None
        try:
            exit_code = self._run_process()
        except StepFailedError as error:
            failure = error.failure
        except InterruptedRunError:
            failure = ran_out_of_time()
        self._upload_stop.check()
        if exit_code is not None:
            failure = self._judge(exit_code)
        return Outcome(
            started=started,
            ended=self._surroundings.clock(),
            exit_code=exit_code,
            failure=failure,
        )

    def _run_process(self) -> int:
        if self._launch.container is not None and not self._launch.runs_containers:
            raise _container_failed(
                ContainerError(ContainerFailure.NO_ENGINE, "The pool has no containers")
            )
        if self._launch.container is None and self._launch.is_container_required:
            raise preparation_failed("ContainerTaskSettingsNotFound")
        with ExitStack() as stack:
            user, owner = stack.enter_context(self._users())
            try:
                directory = stack.enter_context(make_task_folder(self._launch, owner))
                open_output = append_file if self._launch.follows else create_file
                stdout = open_output("stdout.txt", directory)
                stack.callback(os.close, stdout)
                stderr = open_output("stderr.txt", directory)
                stack.callback(os.close, stderr)
                if owner is not None:
                    os.fchown(stdout, owner.user, owner.group)
                    os.fchown(stderr, owner.user, owner.group)
            except OSError as error:
                raise _directory_failed(error) from error
            self._process_stop.check()
            unpack_packages(self._launch.packages)
            if self._launch.common_directory is not None:
                self._fetch(self._launch.common_files, self._launch.common_folder, owner)
            self._fetch(self._launch.resource_files, self._launch.folder.below("wd"), owner)
            return self._command(user, stdout, stderr)

    @contextmanager
    def _users(self) -> Iterator[tuple[User | None, Owner | None]]:
        """Whom it runs as and who has its files; None where nodes have no users.

        Containers are run by root, who is root in them too unless their options name another.
        """
        launch = self._launch
        if not self._surroundings.isolation.has_users:
            yield None, None
        elif launch.elevated or launch.container is not None:
            yield None, ROOT
        elif launch.user is not None:
            yield launch.user, own_files(launch.user)
        else:
            with self._surroundings.task_users.lend(launch.common_folder) as lent:
                yield lent

    def _fetch(
        self, files: Sequence[ResourceFile], folder: NodeFolder, owner: Owner | None
    ) -> None:
        fetch_resources(
            files,
            working_directory=folder,
            connections=self._surroundings.connections,
            pool=self._surroundings.transfers,
            interruption=self._process_stop,
            owner=owner,
        )

    def _command(self, user: User | None, stdout: int, stderr: int) -> int:
        launch = self._launch
        # An image brings a path and a home of its own.
        isolation = self._surroundings.isolation
        own_programs = launch.container is not None or isolation.has_own_programs
        own = launch.environment if own_programs else self._environment_of(user)
        command = Command(
            node=launch.node,
            image=launch.image,
            size=launch.size,
            words=tuple(split_command_line(launch.command_line)),
            working_directory=launch.directory / "wd",
            environment=own,
            stdout=stdout,
            stderr=stderr,
            elevated=launch.elevated,
            user=user,
            mark=None if launch.leaves_services else f"{_MARK}={launch.environment.get(_MARK)}",
        )
        if launch.container is None:
            return run_command(isolation, command, launch.command_line, self._process_stop)
        try:
            return self._surroundings.containers.run(command, launch.container, self._process_stop)
        except ContainerError as error:
            raise _container_failed(error) from error

    def _environment_of(self, user: User | None) -> Mapping[str, str]:
        """As public logs of Linux nodes show it, the home of a task is where it works."""
        if user is None:
            return self._environment
        home = str(self._launch.directory / "wd")
        base = self._surroundings.base_environment
        return {**base, **user.variables, "HOME": home, **self._launch.environment}

    def _judge(self, exit_code: int) -> Failure | None:
        """Uploads what is due after that exit code; the failure to report.

        A failed upload is reported even after a failed process: the exit code, which the outcome
        keeps, tells of the process by itself. That a task ran out of time it does not tell.
        """
        out_of_time = self._process_stop.fired and exit_code == KILLED_EXIT_CODE
        upload_failure = self._upload(exit_code)
        if out_of_time:
            return ran_out_of_time()
        return upload_failure or (exited_with_failure() if exit_code else None)

    def _upload(self, exit_code: int) -> Failure | None:
        due = due_outputs(self._launch.output_files, exit_code=exit_code)
        if not due:
            return None
        uploader = Uploader(
            task_directory=self._launch.folder,
            environment=self._environment,
            connections=self._surroundings.connections,
            pool=self._surroundings.transfers,
            interruption=self._upload_stop,
            clock=self._surroundings.clock,
        )
        return uploader.upload_outputs(due)


@contextmanager
def make_task_folder(launch: Launch, owner: Owner | None = None) -> Iterator[int]:
    """A descriptor of the task's directory, made with `wd` and those above it; raises `OSError`.

    Links that tasks put in the way are replaced. Of an earlier try, the logs of uploads are
    removed. With an owner, users may enter what is above, and the task's own are the owner's.
    """
    with directory_below(launch.folder, create=True, replace_links=True) as directory:
        working = make_directory("wd", directory, replace_links=True)
        try:
            for name in (PROGRESS_LOG, ERROR_LOG):
                unlink(name, directory)
            if owner is not None:
                _open_the_way(launch.common_folder.above)
                with directory_below(launch.common_folder) as common:
                    give_folder(common, owner)
                give_folder(directory, owner)
                give_folder(working, owner)
        finally:
            os.close(working)
        yield directory


def _open_the_way(folder: NodeFolder) -> None:
    while folder.parts:
        with directory_below(folder) as directory:
            open_to_users(directory)
        folder = folder.above


def _container_failed(error: ContainerError) -> StepFailedError:
    return preparation_failed(error.failure.value, ("Message", str(error)))


def _directory_failed(error: OSError) -> StepFailedError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    code = "DiskFull" if full else "ResourceDirectoryCreateFailed"
    path = Path(os.fsdecode(error.filename)).name if error.filename else ""
    return preparation_failed(
        code, ("FilePath", path), ("Message", error.strerror or type(error).__name__)
    )
