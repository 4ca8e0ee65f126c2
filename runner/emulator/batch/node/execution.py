"""One execution of a launch, from its directories to its outputs, in the thread that calls it.

It must not know of asyncio, nor of other executions.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runner.emulator.batch.node.commands import run_command, split_command_line
from runner.emulator.batch.node.connections import Connections
from runner.emulator.batch.node.containers import (
    ContainerError,
    ContainerFailure,
    Containers,
)
from runner.emulator.batch.node.containment import directory_below
from runner.emulator.batch.node.directories import append_file, create_file
from runner.emulator.batch.node.failures import (
    StepFailedError,
    exited_with_failure,
    preparation_failed,
    ran_out_of_time,
)
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.isolation import Command, Isolation
from runner.emulator.batch.node.launch import Failure, Launch, Outcome
from runner.emulator.batch.node.near import NO_PROVISIONS, Nearby, Provisions
from runner.emulator.batch.node.outputs import Sending, Uploads, due_outputs
from runner.emulator.batch.node.owners import Owner
from runner.emulator.batch.node.packages import unpack_packages
from runner.emulator.batch.node.places import Parents, TaskFolder, open_task_folder
from runner.emulator.batch.node.resources import Fetching, fetch_resources
from runner.emulator.batch.node.users import (
    ROOT,
    TaskUsers,
    User,
    own_files,
)
from runner.emulator.storage.record import record

KILLED_EXIT_CODE = 137
"""128 + SIGKILL. What the service reports for a Linux task out of time is not published."""

_MARK = "AZ_BATCH_TASK_DIR"
"""A variable that is different for any two tasks of a node."""


@record(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all executions of an executor share."""

    clock: Callable[[], datetime]
    base_environment: Mapping[str, str]
    connections: Connections
    transfers: Executor
    isolation: Isolation
    containers: Containers
    task_users: TaskUsers
    parents: Parents
    near: Nearby | None = None


class Execution:
    """Runs a launch once; may be expired and cancelled from other threads meanwhile.

    Where `uploads` then has something that is pending, that is to be put first, on the loop; or
    what is left of it sent, by `send_left`. In the end comes `close`.
    """

    def __init__(
        self, launch: Launch, surroundings: Surroundings, provisions: Provisions = NO_PROVISIONS
    ) -> None:
        self._launch = launch
        self._surroundings = surroundings
        self._provisions = provisions
        # Not in the thread, which may begin later: what takes as long as its limit allows must not
        # look as if it had taken less.
        self._started = surroundings.clock()
        # Time running out ends downloads and the process, but not the upload of what was made.
        self._process_stop = Interruption()
        self._upload_stop = Interruption()
        self._folder: TaskFolder | None = None
        self.uploads: Uploads | None = None

    def expire(self) -> None:
        """`max_wall_clock_time` has passed: kills the process group; the run goes on from there."""
        self._process_stop.fire()

    def cancel(self) -> None:
        """Kills the process group and stops all else; `run` raises `InterruptedRunError`."""
        self._upload_stop.fire()
        self._process_stop.fire()

    def run(self) -> Outcome:
        """Runs to the end and says what became of it; raises `InterruptedRunError` if cancelled."""
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
            out_of_time = self._process_stop.fired and exit_code == KILLED_EXIT_CODE
            self._upload(exit_code)
            # That a task ran out of time its exit code, which the outcome keeps, does not tell.
            failure = ran_out_of_time() if out_of_time else self._judge(exit_code)
        return Outcome(
            started=self._started,
            ended=self._surroundings.clock(),
            exit_code=exit_code,
            failure=failure,
        )

    def send_left(self, outcome: Outcome) -> Outcome:
        """Sends by HTTP what storage that is near did not take; what became of the run by then.

        Raises `InterruptedRunError` if cancelled.
        """
        assert self.uploads is not None
        assert outcome.exit_code is not None
        self.uploads.send_left()
        self._upload_stop.check()
        failure = outcome.failure
        if failure is None or failure.code != ran_out_of_time().code:
            failure = self._judge(outcome.exit_code)
        return replace(outcome, ended=self._surroundings.clock(), failure=failure)

    def close(self) -> None:
        """Lets go of the task's folder; harmless when repeated."""
        if self.uploads is not None:
            self.uploads.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.close()

    def _run_process(self) -> int:
        if self._launch.container is not None and not self._launch.runs_containers:
            raise _container_failed(
                ContainerError(ContainerFailure.NO_ENGINE, "The pool has no containers")
            )
        if self._launch.container is None and self._launch.is_container_required:
            raise preparation_failed("ContainerTaskSettingsNotFound")
        with self._users() as (user, owner):
            opened: list[int] = []
            try:
                folder = self._open(owner, opened)
                self._process_stop.check()
                unpack_packages(self._launch.packages)
                self._fetch(folder, owner)
                return self._command(user, *opened)
            finally:
                for descriptor in opened:
                    os.close(descriptor)

    def _open(self, owner: Owner | None, opened: list[int]) -> TaskFolder:
        """Makes the task's folder, and adds the files for its output, open."""
        launch = self._launch
        open_output = append_file if launch.follows else create_file
        try:
            folder = self._folder = open_task_folder(launch, self._surroundings.parents, owner)
            for name in ("stdout.txt", "stderr.txt"):
                descriptor = open_output(name, folder.directory)
                opened.append(descriptor)
                if owner is not None:
                    os.fchown(descriptor, owner.user, owner.group)
        except OSError as error:
            raise _directory_failed(error) from error
        return folder

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

    def _fetch(self, folder: TaskFolder, owner: Owner | None) -> None:
        launch = self._launch
        fetching = Fetching(
            connections=self._surroundings.connections,
            pool=self._surroundings.transfers,
            interruption=self._process_stop,
            owner=owner,
            provisions=self._provisions,
        )
        if launch.common_directory is not None and launch.common_files:
            try:
                with directory_below(launch.common_folder) as common:
                    fetch_resources(launch.common_files, common, fetching)
            except OSError as error:
                raise _directory_failed(error) from error
        if launch.resource_files:
            fetch_resources(launch.resource_files, folder.working, fetching)

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

    def _environment(self) -> Mapping[str, str]:
        return {**self._surroundings.base_environment, **self._launch.environment}

    def _environment_of(self, user: User | None) -> Mapping[str, str]:
        """As public logs of Linux nodes show it, the home of a task is where it works."""
        if user is None:
            return self._environment()
        home = f"{self._launch.directory}/wd"
        base = self._surroundings.base_environment
        return {**base, **user.variables, "HOME": home, **self._launch.environment}

    def _judge(self, exit_code: int) -> Failure | None:
        """The failure to report after that exit code.

        A failed upload is reported even after a failed process: the exit code, which the outcome
        keeps, tells of the process by itself.
        """
        upload_failure = None if self.uploads is None else self.uploads.failure
        return upload_failure or (exited_with_failure() if exit_code else None)

    def _upload(self, exit_code: int) -> None:
        due = due_outputs(self._launch.output_files, exit_code=exit_code)
        if not due:
            return
        assert self._folder is not None
        self.uploads = Uploads(
            due,
            task_directory=self._launch.folder,
            directory=self._folder.directory,
            environment=self._environment,
            sending=Sending(
                connections=self._surroundings.connections,
                pool=self._surroundings.transfers,
                interruption=self._upload_stop,
                clock=self._surroundings.clock,
                near=self._surroundings.near,
            ),
        )
        self.uploads.send()


def _container_failed(error: ContainerError) -> StepFailedError:
    return preparation_failed(error.failure.value, ("Message", str(error)))


def _directory_failed(error: OSError) -> StepFailedError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    code = "DiskFull" if full else "ResourceDirectoryCreateFailed"
    path = Path(os.fsdecode(error.filename)).name if error.filename else ""
    return preparation_failed(
        code, ("FilePath", path), ("Message", error.strerror or type(error).__name__)
    )
