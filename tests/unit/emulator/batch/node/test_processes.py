"""Real processes: outcomes, time limits, cancellation, and what is left of them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from runner.emulator.batch.node.connections import TransferPolicy
from runner.emulator.batch.node.launch import (
    Executor,
    Failure,
    FailureCategory,
    FailurePhase,
    Launch,
    Outcome,
    OutputFile,
    ResourceFile,
    UploadCondition,
)
from runner.emulator.batch.node.plain import PlainProcesses
from runner.emulator.batch.node.processes import LocalExecutor
from tests.unit.emulator.batch.node.blob_service import (
    DEADLINE_SECONDS,
    SIGNATURE,
    BlobService,
    utc_now,
    wait_until,
)

T = TypeVar("T")
BASE = {"PATH": os.environ["PATH"], "LANG": "C"}
POLICY = TransferPolicy(
    connect_timeout_seconds=60.0, silence_timeout_seconds=60.0, retry_delays_seconds=(0.01,)
)

WAITING = pytest.mark.parametrize(
    "isolation",
    [PlainProcesses(), PlainProcesses(tells_of_ends=False)],
    ids=["as the system tells", "in threads"],
)


@asynccontextmanager
async def executing(
    *,
    run_admin: bool = False,
    user_id: int = 0,
    environment: Mapping[str, str] = BASE,
    isolation: PlainProcesses | None = None,
) -> AsyncIterator[LocalExecutor]:
    executor = LocalExecutor(
        clock=utc_now,
        run_admin=run_admin,
        base_environment=environment,
        policy=POLICY,
        isolation=isolation or PlainProcesses(effective_user_id=lambda: user_id),
    )
    try:
        yield executor
    finally:
        await executor.close()


def in_time(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine function to its end, or fails at the deadline."""

    async def bounded() -> T:
        return await asyncio.wait_for(work(), DEADLINE_SECONDS)

    return asyncio.run(bounded())


def run(launch: Launch, **options: object) -> Outcome:
    async def work() -> Outcome:
        async with executing(**options) as executor:  # type: ignore[arg-type]
            return await executor.run(launch)

    return in_time(work)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "workitems" / "job" / "job-1" / "task-1"


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"


def pids_in(path: Path) -> list[int]:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return [int(word) for word in path.read_text().split()]


def is_reaped(pid: int) -> bool:
    """Whether not even a zombie of it is left."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


FAILED = Failure(
    phase=FailurePhase.EXECUTION,
    category=FailureCategory.USER_ERROR,
    code="FailureExitCode",
    message="The task exited with an exit code representing a failure",
    details=(
        ("Message", "The task process exited with an unexpected exit code"),
        ("AdditionalErrorCode", "FailureExitCode"),
    ),
)
ENDED = Failure(
    phase=FailurePhase.EXECUTION,
    category=FailureCategory.USER_ERROR,
    code="TaskEnded",
    message="The task exceeded its maximum wall clock time and was ended",
)


def test_it_is_an_executor() -> None:
    async def work() -> None:
        async with executing() as executor:
            contract: Executor = executor
            assert callable(contract.run)

    in_time(work)


def test_a_success_leaves_its_output_in_the_documented_files(task: Path) -> None:
    before = utc_now()
    outcome = run(
        Launch(
            command_line="bash -c 'pwd; echo oops >&2; cat; echo made > made.txt'",
            directory=task,
            node=task.parents[3],
            environment={},
        )
    )
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert before <= outcome.started <= outcome.ended <= utc_now()
    assert (task / "stdout.txt").read_text() == f"{task.resolve()}/wd\n"
    assert (task / "stderr.txt").read_text() == "oops\n"
    assert (task / "wd" / "made.txt").read_text() == "made\n"


def test_a_second_try_starts_with_fresh_output(task: Path) -> None:
    launch = Launch(command_line="echo a", directory=task, node=task.parents[3], environment={})
    run(launch)
    (task / "fileuploadout.txt").write_text("of the first try")
    run(launch)
    assert (task / "stdout.txt").read_text() == "a\n"
    assert not (task / "fileuploadout.txt").exists()


def test_the_command_line_is_split_but_not_run_by_a_shell(task: Path) -> None:
    line = """printf '%s\\n' a$HOME "b c" d\\ e '' *.txt && ';' $(id)"""
    run(
        Launch(
            command_line=line, directory=task, node=task.parents[3], environment={"HOME": "/home/x"}
        )
    )
    assert (task / "stdout.txt").read_text().splitlines() == [
        "a$HOME",
        "b c",
        "d e",
        "",
        "*.txt",
        "&&",
        ";",
        "$(id)",
    ]


def test_the_environment_is_the_base_and_the_tasks_own(task: Path) -> None:
    run(
        Launch(
            command_line="env",
            directory=task,
            node=task.parents[3],
            environment={"AZ_BATCH_TASK_ID": "task-1", "LANG": "C.UTF-8", "ODD": "a=b\nc"},
        )
    )
    text = (task / "stdout.txt").read_text()
    assert set(text.splitlines()) == {
        f"PATH={BASE['PATH']}",
        "LANG=C.UTF-8",
        "AZ_BATCH_TASK_ID=task-1",
        "ODD=a=b",
        "c",
    }


def test_a_program_is_looked_for_in_the_tasks_path_and_working_directory(task: Path) -> None:
    (task / "bin").mkdir(parents=True)
    for path in (task / "bin" / "mine", task / "bin" / "other"):
        path.write_text("#!/bin/sh\necho mine\n")
        path.chmod(0o755)
    run(
        Launch(
            command_line="mine",
            directory=task,
            node=task.parents[3],
            environment={"PATH": f"{task}/bin:/bin"},
        )
    )
    assert (task / "stdout.txt").read_text() == "mine\n"
    outcome = run(
        Launch(command_line="../bin/other", directory=task, node=task.parents[3], environment={})
    )
    assert outcome.exit_code == 0


def test_what_cannot_be_executed_in_the_path_is_passed_over(task: Path) -> None:
    for name in ("plain", "folder/echo", "good"):
        (task / name).mkdir(parents=True)
    (task / "plain" / "echo").write_text("#!/bin/sh\necho plain\n")
    (task / "good" / "echo").write_text("#!/bin/sh\nprintf '%s\\n' good \"$0\"\n")
    (task / "good" / "echo").chmod(0o755)
    path = f"/no/such:{task}/plain/echo:{task}/plain:{task}/folder:../good:/bin"
    run(
        Launch(
            command_line="echo x", directory=task, node=task.parents[3], environment={"PATH": path}
        )
    )
    assert (task / "stdout.txt").read_text().splitlines()[0] == "good"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("bash -c 'exit 7'", 7),
        ("bash -c 'exit 255'", 255),
        ("bash -c 'kill -9 $$'", 137),
        ("bash -c 'kill -TERM $$'", 143),
    ],
)
def test_an_exit_code_other_than_0_is_a_failure(task: Path, line: str, code: int) -> None:
    outcome = run(Launch(command_line=line, directory=task, node=task.parents[3], environment={}))
    assert (outcome.exit_code, outcome.failure) == (code, FAILED)


@pytest.mark.parametrize(
    "program",
    [
        "no-such-program",
        "./missing",
        "./plain",
        "./folder",
        "./plain/x",
        "./no-interpreter",
    ],
)
def test_a_program_that_cannot_be_found(task: Path, program: str) -> None:
    (task / "wd" / "folder").mkdir(parents=True)
    (task / "wd" / "plain").write_text("#!/bin/sh\n")
    (task / "wd" / "no-interpreter").write_text("#!/no/such/interpreter\n")
    (task / "wd" / "no-interpreter").chmod(0o755)
    outcome = run(
        Launch(
            command_line=f"{program} 'a b'", directory=task, node=task.parents[3], environment={}
        )
    )
    assert outcome.exit_code is None
    assert outcome.failure == Failure(
        phase=FailurePhase.EXECUTION,
        category=FailureCategory.USER_ERROR,
        code="CommandProgramNotFound",
        message="The specified command program is not found",
        details=(("Message", "The system cannot find the file specified"),),
    )


@pytest.mark.parametrize(
    ("line", "environment", "message"),
    [
        ("echo 'open", {}, "the command line cannot be split: no closing quotation"),
        ("echo \\", {}, "the command line cannot be split: no escaped character"),
        ("  ", {}, "the command line names no program"),
        ("echo a\0b", {}, "embedded null byte"),
        ("echo", {"A=B": "c"}, "illegal environment variable name"),
        ("./binary", {}, "./binary: Exec format error"),
    ],
)
def test_a_command_line_that_cannot_be_started(
    task: Path, line: str, environment: dict[str, str], message: str
) -> None:
    (task / "wd").mkdir(parents=True)
    (task / "wd" / "binary").write_bytes(b"\0\1\2\3")
    (task / "wd" / "binary").chmod(0o755)
    outcome = run(
        Launch(command_line=line, directory=task, node=task.parents[3], environment=environment)
    )
    assert outcome.exit_code is None
    assert outcome.failure == Failure(
        phase=FailurePhase.EXECUTION,
        category=FailureCategory.USER_ERROR,
        code="CommandLaunchFailed",
        message="Failed to launch the specified command line.",
        details=(("CommandLine", line), ("Message", message)),
    )


def test_an_argument_that_is_too_long_for_the_system(task: Path) -> None:
    line = "echo " + "x" * 3_000_000
    outcome = run(Launch(command_line=line, directory=task, node=task.parents[3], environment={}))
    assert outcome.failure is not None
    assert outcome.failure.code == "CommandLaunchFailed"
    assert dict(outcome.failure.details)["Message"] == "echo: Argument list too long"


def test_a_task_directory_that_cannot_be_made(task: Path) -> None:
    task.parent.mkdir(parents=True)
    task.write_text("in the way")
    outcome = run(Launch(command_line="true", directory=task, node=task.parents[3], environment={}))
    assert outcome.exit_code is None
    assert outcome.failure is not None
    assert outcome.failure.phase is FailurePhase.PRE_PROCESSING
    assert outcome.failure.code == "ResourceDirectoryCreateFailed"


@WAITING
def test_background_processes_end_with_the_main_one(task: Path, isolation: PlainProcesses) -> None:
    line = "bash -c 'sleep 300 & echo $! > pid; (trap \"\" TERM; sleep 300) & exit 0'"
    launch = Launch(command_line=line, directory=task, node=task.parents[3], environment={})
    outcome = run(launch, isolation=isolation)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    (pid,) = pids_in(task / "wd" / "pid")
    wait_until(lambda: not is_alive(pid))


@WAITING
def test_time_running_out_ends_the_group(task: Path, isolation: PlainProcesses) -> None:
    line = "bash -c 'trap \"\" TERM INT; sleep 300 & echo $! > pid; wait'"
    outcome = run(
        Launch(
            command_line=line,
            directory=task,
            node=task.parents[3],
            environment={},
            max_wall_clock_time=timedelta(seconds=0.4),
        ),
        isolation=isolation,
    )
    assert (outcome.exit_code, outcome.failure) == (137, ENDED)
    (pid,) = pids_in(task / "wd" / "pid")
    wait_until(lambda: not is_alive(pid))


def test_a_run_begins_before_its_thread_does(task: Path) -> None:
    """Else one that takes all of its time would seem to have taken less of it."""
    places: list[str] = []

    def clock() -> datetime:
        places.append(threading.current_thread().name)
        return utc_now()

    async def work() -> Outcome:
        executor = LocalExecutor(clock=clock, run_admin=False, base_environment=BASE)
        try:
            launch = Launch(
                command_line="true", directory=task, node=task.parents[3], environment={}
            )
            return await executor.run(launch)
        finally:
            await executor.close()

    assert in_time(work).exit_code == 0
    assert places[0] == threading.main_thread().name


def test_unlimited_time_is_no_limit(task: Path) -> None:
    unlimited = timedelta(days=10675199, hours=2, minutes=48, seconds=5)
    outcome = run(
        Launch(
            command_line="true",
            directory=task,
            node=task.parents[3],
            environment={},
            max_wall_clock_time=unlimited,
        )
    )
    assert outcome.failure is None


@WAITING
def test_cancelling_kills_the_group_waits_and_raises(task: Path, isolation: PlainProcesses) -> None:
    line = "bash -c 'trap \"\" TERM INT; sleep 300 & echo $! $$ > pids; wait'"

    async def work() -> None:
        async with executing(isolation=isolation) as executor:
            running = asyncio.create_task(
                executor.run(
                    Launch(command_line=line, directory=task, node=task.parents[3], environment={})
                )
            )
            background, main = await asyncio.to_thread(pids_in, task / "wd" / "pids")
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert is_reaped(main)
            await asyncio.to_thread(wait_until, lambda: not is_alive(background))

    in_time(work)


def child_processes() -> set[int]:
    """Ours, zombies among them; other tests of this process may have some that stay."""
    listing = subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True)
    text, _ = listing.communicate(timeout=60)
    pairs = (map(int, line.split()) for line in text.splitlines())
    return {pid for pid, parent in pairs if parent == os.getpid()} - {listing.pid}


def test_cancelling_at_any_moment_leaves_no_process(task: Path) -> None:
    before = child_processes()

    async def work() -> None:
        async with executing() as executor:
            for index in range(60):
                directory = task / str(index)
                launch = Launch(
                    command_line=f"sleep 300.{index:03}",
                    directory=directory,
                    node=task.parents[3],
                    environment={},
                )
                running = asyncio.create_task(executor.run(launch))
                await asyncio.sleep(index / 60 * 0.006)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running

    in_time(work)
    assert child_processes() == before


def test_closing_ends_what_runs_and_refuses_more(task: Path) -> None:
    launch = Launch(
        command_line="bash -c 'echo $$ > pid; sleep 300'",
        directory=task,
        node=task.parents[3],
        environment={},
    )

    async def work() -> None:
        async with executing() as executor:
            running = asyncio.create_task(executor.run(launch))
            (pid,) = await asyncio.to_thread(pids_in, task / "wd" / "pid")
            await executor.close()
            assert is_reaped(pid)
            with pytest.raises(asyncio.CancelledError):
                await running
            await executor.close()
            with pytest.raises(RuntimeError, match="the executor is closed"):
                await executor.run(launch)

    in_time(work)


def test_hundreds_of_launches_leak_nothing(tmp_path: Path) -> None:
    before = child_processes()

    def open_descriptors() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    async def work() -> None:
        async with executing() as executor:
            numbers = iter(range(400))

            async def run(number: int) -> None:
                outcome = await executor.run(
                    Launch(
                        command_line="true",
                        directory=tmp_path / str(number),
                        node=tmp_path,
                        environment={},
                    )
                )
                assert outcome.exit_code == 0

            async def worker() -> None:
                for number in numbers:
                    await run(number)

            # The folder that they are in stays open.
            await run(400)
            opened = open_descriptors()
            await asyncio.gather(*(worker() for _ in range(20)))
            assert open_descriptors() == opened

    in_time(work)
    assert child_processes() == before


def test_a_task_sees_none_of_the_emulators_descriptors(task: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.set_inheritable(server.fileno(), True)
        run(Launch(command_line="ls /dev/fd", directory=task, node=task.parents[3], environment={}))
    # 0, 1, 2 and the one that ls lists with.
    assert (task / "stdout.txt").read_text().split() == ["0", "1", "2", "3"]


def test_a_task_leads_its_own_session(task: Path) -> None:
    line = "python3 -c 'import os; print(os.getsid(0) == os.getpid() == os.getpgid(0))'"
    run(Launch(command_line=line, directory=task, node=task.parents[3], environment={}))
    assert (task / "stdout.txt").read_text() == "True\n"


def with_sudo(directory: Path) -> dict[str, str]:
    directory.mkdir()
    (directory / "sudo").write_text('#!/bin/sh\necho "sudo $*"\nshift 3\nexec "$@"\n')
    (directory / "sudo").chmod(0o755)
    return {**BASE, "PATH": f"{directory}:{BASE['PATH']}"}


def test_elevated_goes_by_sudo_unless_it_is_root_already(task: Path, tmp_path: Path) -> None:
    environment = with_sudo(tmp_path / "bin")
    launch = Launch(
        command_line="echo 'a b'",
        directory=task,
        node=task.parents[3],
        environment={},
        elevated=True,
    )
    run(launch, run_admin=True, user_id=1000, environment=environment)
    assert (task / "stdout.txt").read_text() == "sudo -n -E -- echo a b\na b\n"
    run(launch, run_admin=True, user_id=0, environment=environment)
    assert (task / "stdout.txt").read_text() == "a b\n"


def test_elevated_needs_permission(task: Path) -> None:
    launch = Launch(
        command_line="true", directory=task, node=task.parents[3], environment={}, elevated=True
    )
    with pytest.raises(ValueError, match="an elevated launch needs an executor that may run as"):
        run(launch)


def output(blobs: BlobService, pattern: str, condition: UploadCondition) -> OutputFile:
    return OutputFile(
        file_pattern=pattern,
        container_url=blobs.container_url("box"),
        path=None,
        condition=condition,
    )


def outputs(blobs: BlobService) -> tuple[OutputFile, ...]:
    return (
        output(blobs, "made.txt", UploadCondition.TASK_SUCCESS),
        output(blobs, "../stderr.txt", UploadCondition.TASK_FAILURE),
        output(blobs, "../stdout.txt", UploadCondition.TASK_COMPLETION),
    )


def test_files_come_in_and_go_out(task: Path, blobs: BlobService) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    outcome = run(
        Launch(
            command_line="bash -c 'cat in.txt; cp in.txt made.txt'",
            directory=task,
            node=task.parents[3],
            environment={},
            resource_files=(
                ResourceFile(http_url=blobs.blob_url("box", "in.txt"), file_path="in.txt"),
            ),
            output_files=outputs(blobs),
        )
    )
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert blobs.containers["box"] == {
        "in.txt": b"content",
        "made.txt": b"content",
        "stdout.txt": b"content",
    }


def test_a_failed_task_uploads_what_is_for_failures(task: Path, blobs: BlobService) -> None:
    outcome = run(
        Launch(
            command_line="bash -c 'echo out; echo err >&2; touch made.txt; exit 3'",
            directory=task,
            node=task.parents[3],
            environment={},
            output_files=outputs(blobs),
        )
    )
    assert (outcome.exit_code, outcome.failure) == (3, FAILED)
    assert blobs.containers["box"] == {"stderr.txt": b"err\n", "stdout.txt": b"out\n"}


def test_a_task_out_of_time_uploads_what_is_for_failures(task: Path, blobs: BlobService) -> None:
    outcome = run(
        Launch(
            command_line="bash -c 'echo out; sleep 300'",
            directory=task,
            node=task.parents[3],
            environment={},
            output_files=outputs(blobs),
            max_wall_clock_time=timedelta(seconds=0.4),
        )
    )
    assert (outcome.exit_code, outcome.failure) == (137, ENDED)
    assert blobs.containers["box"] == {"stderr.txt": b"", "stdout.txt": b"out\n"}


@pytest.mark.parametrize("exit_code", [0, 3])
def test_a_failed_upload_is_the_failure_and_the_exit_code_stays(
    task: Path, blobs: BlobService, exit_code: int
) -> None:
    del blobs.containers["box"]
    outcome = run(
        Launch(
            command_line=f"bash -c 'exit {exit_code}'",
            directory=task,
            node=task.parents[3],
            environment={},
            output_files=outputs(blobs),
        )
    )
    assert outcome.exit_code == exit_code
    assert outcome.failure is not None
    assert outcome.failure.phase is FailurePhase.FILE_UPLOAD
    assert outcome.failure.code == "FileUploadContainerNotFound"
    assert SIGNATURE not in repr(outcome)


def test_nothing_is_run_or_uploaded_without_the_resource_files(
    task: Path, blobs: BlobService
) -> None:
    outcome = run(
        Launch(
            command_line="touch ran",
            directory=task,
            node=task.parents[3],
            environment={},
            resource_files=(ResourceFile(http_url=blobs.blob_url("box", "no"), file_path="no"),),
            output_files=outputs(blobs),
        )
    )
    assert outcome.exit_code is None
    assert outcome.failure is not None
    assert outcome.failure.phase is FailurePhase.PRE_PROCESSING
    assert outcome.failure.code == "BlobNotFound"
    assert SIGNATURE not in repr(outcome)
    assert blobs.containers["box"] == {}
    assert list((task / "wd").iterdir()) == []
    assert not (task / "fileuploadout.txt").exists()


def test_time_running_out_while_downloading(task: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/c/b?sig={SIGNATURE}"
        outcome = run(
            Launch(
                command_line="true",
                directory=task,
                node=task.parents[3],
                environment={},
                resource_files=(ResourceFile(http_url=url, file_path="b"),),
                max_wall_clock_time=timedelta(seconds=0.2),
            )
        )
    assert (outcome.exit_code, outcome.failure) == (None, ENDED)


def test_cancelling_while_uploading(task: Path) -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/c?sig={SIGNATURE}"
            launch = Launch(
                command_line="true",
                directory=task,
                node=task.parents[3],
                environment={},
                output_files=(
                    OutputFile(
                        file_pattern="../stdout.txt",
                        container_url=url,
                        path=None,
                        condition=UploadCondition.TASK_COMPLETION,
                    ),
                ),
            )
            async with executing() as executor:
                running = asyncio.create_task(executor.run(launch))
                connection, _ = await asyncio.to_thread(server.accept)
                with connection:
                    running.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await asyncio.wait_for(running, 5)

    in_time(work)


def test_default_signals_reach_a_task(task: Path) -> None:
    """Python ignores SIGPIPE; a pipeline of a task must still end by it."""
    line = "bash -c 'yes | head -n 1; echo ${PIPESTATUS[0]}'"
    run(Launch(command_line=line, directory=task, node=task.parents[3], environment={}))
    assert (task / "stdout.txt").read_text() == f"y\n{128 + signal.SIGPIPE}\n"
