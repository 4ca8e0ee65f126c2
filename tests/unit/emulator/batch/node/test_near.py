"""Tasks whose files are near: no request is made, and where one has to be, it tells why."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from runner.emulator.batch.node.connections import TransferPolicy
from runner.emulator.batch.node.launch import (
    Launch,
    Outcome,
    OutputFile,
    ResourceFile,
    UploadCondition,
)
from runner.emulator.batch.node.near import SMALL_BYTES
from runner.emulator.batch.node.processes import LocalExecutor
from tests.unit.emulator.batch.node.blob_service import BlobService, answering, utc_now, wait_until
from tests.unit.emulator.batch.node.near_box import NearBox


@pytest.fixture
def near(blobs: BlobService, tmp_path: Path) -> NearBox:
    return NearBox(blobs, tmp_path / "stored")


def make_launch(blobs: BlobService, node: Path, command: str) -> Launch:
    node.mkdir()

    def output(pattern: str) -> OutputFile:
        url, always = blobs.container_url("box"), UploadCondition.TASK_COMPLETION
        return OutputFile(file_pattern=pattern, container_url=url, path=None, condition=always)

    return Launch(
        command_line=f"/bin/sh -ec '{command}'",
        directory=node / "workitems" / "job" / "job-1" / "task",
        node=node,
        environment={},
        resource_files=(
            ResourceFile(http_url=blobs.blob_url("box", "in.txt"), file_path="in.txt"),
            ResourceFile(storage_container_url=blobs.container_url("box"), blob_prefix="all/"),
        ),
        output_files=(output("../stdout.txt"), output("*.out")),
    )


def make_executor(
    near: NearBox, policy: TransferPolicy, *, clock: Callable[[], datetime] = utc_now
) -> LocalExecutor:
    return LocalExecutor(
        clock=clock,
        run_admin=False,
        base_environment={"PATH": os.environ["PATH"]},
        policy=policy,
        near=near,
    )


def run(launch: Launch, near: NearBox, policy: TransferPolicy) -> Outcome:
    async def work() -> Outcome:
        executor = make_executor(near, policy)
        try:
            return await asyncio.wait_for(executor.run(launch), 20)
        finally:
            await executor.close()

    outcome = asyncio.run(work())
    assert near.held == 0
    assert near.begun == set()
    return outcome


def test_no_request_is_made(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    box = blobs.containers["box"]
    box.update({"in.txt": b"content", "all/a": b"a", "all/b": os.urandom(SMALL_BYTES + 1)})
    command = "cat in.txt; ls all; cp all/b b.out"
    outcome = run(make_launch(blobs, tmp_path / "one", command), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert box["stdout.txt"] == b"contenta\nb\n"
    assert box["b.out"] == box["all/b"]
    assert blobs.requests == []


def test_nobody_waits_for_the_disk_at_the_end_of_a_run(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    """Whoever is told of the end has all written out first, for all that have ended by then."""
    blobs.containers["box"]["in.txt"] = b"content"
    outcome = run(make_launch(blobs, tmp_path / "one", "echo > a.out"), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert near.log == ["hold in.txt", "list all/", "put stdout.txt", "put a.out"]


def test_what_a_run_is_given_is_on_disk_before(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    near.is_on_disk = False
    outcome = run(make_launch(blobs, tmp_path / "one", "cat in.txt"), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert near.log == ["hold in.txt", "list all/", "write out", "put stdout.txt"]
    assert blobs.requests == []


def test_what_cannot_be_written_is_asked_for_by_http(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    near.is_on_disk = near.can_write = False
    outcome = run(make_launch(blobs, tmp_path / "one", "cat in.txt"), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    asked = [request.split("?")[0] for request in blobs.requests]
    assert asked == ["GET /account/box/in.txt"]
    assert blobs.containers["box"]["stdout.txt"] == b"content"


def test_what_was_put_is_never_dropped(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    box = blobs.containers["box"]
    box["in.txt"] = b"content"

    class BrokenBox(NearBox):
        def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
            if "b.out" in url:
                raise RuntimeError("out of order")
            return super().put(url, headers, content, md5)

    command = f"truncate -s {SMALL_BYTES + 1} a.out; echo > b.out"
    launch = make_launch(blobs, tmp_path / "one", command)
    with pytest.raises(RuntimeError) as raised:
        run(launch, BrokenBox(blobs, near.folder), policy)
    assert str(raised.value) == "out of order"
    assert box["a.out"] == bytes(SMALL_BYTES + 1)


def test_a_run_ends_where_the_executor_is_closed_before_what_is_left_is_sent(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    # Too large for the loop: a thread sees to the outputs. It looks at the clock when it has read
    # them, and last of all.
    command = f"truncate -s {SMALL_BYTES + 1} a.out"
    launch = make_launch(blobs, tmp_path / "one", command)

    class RefusingBox(NearBox):
        def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
            return False

    async def work() -> None:
        loop, refusing = asyncio.get_running_loop(), RefusingBox(blobs, near.folder)
        closing: list[asyncio.Task[None]] = []
        thread, looks = threading.get_ident(), 0

        def close() -> None:
            closing.append(asyncio.create_task(executor.close()))

        def look() -> datetime:
            nonlocal looks
            if threading.get_ident() != thread and refusing.log[-1] == "begin a.out":
                looks += 1
                if looks == 2:
                    loop.call_soon_threadsafe(close)
            return utc_now()

        executor = make_executor(refusing, policy, clock=look)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(executor.run(launch), 20)
        await asyncio.gather(*closing)
        assert (len(closing), looks) == (1, 2)

    asyncio.run(work())
    assert blobs.requests == []


def test_http_says_why_something_is_not_taken(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    launch = make_launch(blobs, tmp_path / "one", "echo > a.out; exit 3")

    class RefusingBox(NearBox):
        def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
            if "a.out" in url:
                blobs.faults.append(answering(404, code="ContainerNotFound"))
                return False
            return super().put(url, headers, content, md5)

    outcome = run(launch, RefusingBox(blobs, near.folder), policy)
    assert outcome.exit_code == 3
    assert outcome.failure is not None
    assert outcome.failure.code == "FileUploadContainerNotFound"
    assert dict(outcome.failure.details)["FilePath"] == "wd/a.out"
    assert blobs.containers["box"]["stdout.txt"] == b""


def test_what_a_run_held_is_let_go_when_it_is_cancelled(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    launch = make_launch(blobs, tmp_path / "one", "touch here; exec sleep 100")

    async def work() -> None:
        executor = make_executor(near, policy)
        running = asyncio.create_task(executor.run(launch))
        await asyncio.to_thread(wait_until, (launch.directory / "wd" / "here").exists)
        assert near.held == 1
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await executor.close()

    asyncio.run(work())
    assert near.held == 0
    assert set(blobs.containers["box"]) == {"in.txt"}
