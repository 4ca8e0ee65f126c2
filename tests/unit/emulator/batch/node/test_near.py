"""Tasks whose files are near: no request is made, and where one has to be, it tells why."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
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


def make_executor(near: NearBox, policy: TransferPolicy) -> LocalExecutor:
    return LocalExecutor(
        clock=utc_now,
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


def test_what_is_not_on_disk_in_the_end_is_sent_by_http(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    near.is_settled = False
    outcome = run(make_launch(blobs, tmp_path / "one", "echo > a.out"), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert [request.split("?")[0] for request in blobs.requests] == [
        "PUT /account/box/stdout.txt",
        "PUT /account/box/a.out",
    ]


def test_so_is_what_was_put_before_the_end(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    near.is_settled = False
    # With `stdout.txt` so many that they are put before it is looked for more.
    command = "seq 255 | while read number; do : > $number.out; done"
    outcome = run(make_launch(blobs, tmp_path / "one", command), near, policy)
    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert len([asked for asked in near.log if asked.startswith("put ")]) == 256
    assert len(blobs.requests) == 256


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


def test_a_run_ends_where_the_executor_was_closed_while_it_waited_for_the_disk(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    launch = make_launch(blobs, tmp_path / "one", "true")

    async def work() -> None:
        disk = asyncio.Event()

        class SlowBox(NearBox):
            async def settled(self) -> bool:
                if "put stdout.txt" in self.log:
                    await disk.wait()
                    return False
                return True

        slow = SlowBox(blobs, near.folder)
        executor = make_executor(slow, policy)
        running = asyncio.create_task(executor.run(launch))
        while "put stdout.txt" not in slow.log:
            assert not running.done()
            await asyncio.sleep(0.001)
        await executor.close()
        disk.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 20)
        assert slow.held == 0

    asyncio.run(work())
    assert blobs.requests == []


def test_http_says_why_something_is_not_taken(
    blobs: BlobService, near: NearBox, policy: TransferPolicy, tmp_path: Path
) -> None:
    blobs.containers["box"]["in.txt"] = b"content"
    near.refuses.add("a.out")
    launch = make_launch(blobs, tmp_path / "one", "echo > a.out; exit 3")

    def refuse() -> bool:
        if near.log[-1] == "put stdout.txt":
            blobs.faults.append(answering(404, code="ContainerNotFound"))
        return True

    near.settles = refuse
    outcome = run(launch, near, policy)
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
