"""One execution of a launch in its steps, from its directories to its outputs, by who calls them.

It must not know on which thread a step is done, nor of other executions.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runner.emulator.batch.node.commands import split_command_line, telling_starts
from runner.emulator.batch.node.connections import Connections
from runner.emulator.batch.node.containers import (
    ContainerError,
    ContainerFailure,
    Containers,
)
from runner.emulator.batch.node.containment import directory_below
from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.directories import append_file, create_file
from runner.emulator.batch.node.due import due_outputs, gathers_at_once
from runner.emulator.batch.node.failures import (
    StepFailedError,
    exited_with_failure,
    preparation_failed,
    ran_out_of_time,
)
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.isolation import Command, Isolation
from runner.emulator.batch.node.launch import Failure, Launch, Outcome, OutputFile
from runner.emulator.batch.node.near import NO_PROVISIONS, Nearby, Provisions, provides_at_once
from runner.emulator.batch.node.outputs import Sending, Uploads
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

    First comes `prepare`. Where it has a process then, that is run within `ending`, by `begin` or
    `run`, and what came of it is told by `exited`. Then comes `end`. Where `uploads` has something
    that is pending, that is to be put first, on the loop; or what is left of it sent, by
    `send_left`. In the end comes `close`.
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
        self._command: Command | None = None
        self._exit_code: int | None = None
        self._failure: Failure | None = None
        self._due: tuple[OutputFile, ...] = ()
        self._held = ExitStack()
        """What is needed as long as the process runs: its user, and the files for its output."""
        self.uploads: Uploads | None = None

    def expire(self) -> None:
        """`max_wall_clock_time` has passed: kills the process group; the run goes on from there."""
        self._process_stop.fire()

    def cancel(self) -> None:
        """Kills the process group and stops all else; `run` raises `InterruptedRunError`."""
        self._upload_stop.fire()
        self._process_stop.fire()

    @property
    def prepares_at_once(self) -> bool:
        """Whether `prepare` waits for nothing but this machine's files, and few of these."""
        launch = self._launch
        return not launch.packages and provides_at_once(
            self._provisions, (*launch.common_files, *launch.resource_files)
        )

    def prepare(self) -> None:
        """Makes all that the process needs; where that fails, there will be none.

        Raises `InterruptedRunError` if cancelled.
        """
        with self._noting():
            self._command = self._make_command()

    @property
    def has_process(self) -> bool:
        """Whether there is a process to run."""
        return self._command is not None

    def begin(self) -> Work[int] | None:
        """Begins the process on the loop; None where that is for a thread. Raises as `run`."""
        if self._command is None or self._launch.container is not None:
            return None
        return self._surroundings.isolation.begin(self._command, self._process_stop)

    def run(self) -> int:
        """Runs the process to its end; its exit code. Raises what `ending` understands."""
        command, container = self._command, self._launch.container
        assert command is not None
        if container is None:
            return self._surroundings.isolation.run(command, self._process_stop)
        try:
            return self._surroundings.containers.run(command, container, self._process_stop)
        except ContainerError as error:
            raise _container_failed(error) from error

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Around the process's end: lets go of what only it needed, and notes why there was none.

        Raises `InterruptedRunError` if cancelled.
        """
        command = self._command
        assert command is not None
        try:
            with self._noting(), telling_starts(command.words[0], self._launch.command_line):
                yield
        finally:
            self._held.close()

    def exited(self, exit_code: int) -> None:
        """The process ended so."""
        self._exit_code = exit_code
        self._due = due_outputs(self._launch.output_files, exit_code=exit_code)

    @property
    def ends_at_once(self) -> bool:
        """Whether `end` waits for nothing but this machine's files, and few of these."""
        near = self._surroundings.near
        if not self._due:
            return True
        return near is not None and gathers_at_once(
            self._due, near.storage, self._launch.folder, self._environment
        )

    def end(self) -> Outcome:
        """Sees to the outputs and says what became of the run.

        Raises `InterruptedRunError` if cancelled.
        """
        self._upload_stop.check()
        exit_code, failure = self._exit_code, self._failure
        if exit_code is not None:
            out_of_time = self._process_stop.fired and exit_code == KILLED_EXIT_CODE
            self._upload()
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
        self._held.close()
        if self.uploads is not None:
            self.uploads.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.close()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keeps as the failure what a step raises, but where the run was cancelled."""
        try:
            yield
        except StepFailedError as error:
            self._failure = error.failure
        except InterruptedRunError:
            self._failure = ran_out_of_time()
        self._upload_stop.check()

    def _make_command(self) -> Command:
        launch = self._launch
        if launch.container is not None and not launch.runs_containers:
            raise _container_failed(
                ContainerError(ContainerFailure.NO_ENGINE, "The pool has no containers")
            )
        if launch.container is None and launch.is_container_required:
            raise preparation_failed("ContainerTaskSettingsNotFound")
        with ExitStack() as held:
            user, owner = self._borrow_user(held)
            folder, stdout, stderr = self._open(owner, held)
            self._process_stop.check()
            unpack_packages(launch.packages)
            self._fetch(folder, owner)
            words = tuple(split_command_line(launch.command_line))
            self._held = held.pop_all()
        # An image brings a path and a home of its own.
        own_programs = launch.container is not None or self._surroundings.isolation.has_own_programs
        return Command(
            node=launch.node,
            image=launch.image,
            size=launch.size,
            words=words,
            working_directory=launch.directory / "wd",
            environment=launch.environment if own_programs else self._environment_of(user),
            stdout=stdout,
            stderr=stderr,
            elevated=launch.elevated,
            user=user,
            mark=None if launch.leaves_services else f"{_MARK}={launch.environment.get(_MARK)}",
        )

    def _open(self, owner: Owner | None, held: ExitStack) -> tuple[TaskFolder, int, int]:
        """Makes the task's folder, and the files for its output, which are held open."""
        launch = self._launch
        open_output = append_file if launch.follows else create_file
        opened = []
        try:
            folder = self._folder = open_task_folder(launch, self._surroundings.parents, owner)
            for name in ("stdout.txt", "stderr.txt"):
                descriptor = open_output(name, folder.directory)
                held.callback(os.close, descriptor)
                opened.append(descriptor)
                if owner is not None:
                    os.fchown(descriptor, owner.user, owner.group)
        except OSError as error:
            raise _directory_failed(error) from error
        stdout, stderr = opened
        return folder, stdout, stderr

    def _borrow_user(self, held: ExitStack) -> tuple[User | None, Owner | None]:
        """Whom it runs as and who has its files; None where nodes have no users.

        Containers are run by root, who is root in them too unless their options name another.
        """
        launch = self._launch
        if not self._surroundings.isolation.has_users:
            return None, None
        if launch.elevated or launch.container is not None:
            return None, ROOT
        if launch.user is not None:
            return launch.user, own_files(launch.user)
        return held.enter_context(self._surroundings.task_users.lend(launch.common_folder))

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

    def _upload(self) -> None:
        if not self._due:
            return
        assert self._folder is not None
        self.uploads = Uploads(
            self._due,
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
