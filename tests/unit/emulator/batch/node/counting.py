"""`python -m …counting FOLDER`: which calls the emulator makes for one task among others, as JSON.

A process of its own, since an audit hook stays until the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from pathlib import Path

from runner.emulator.batch.node.launch import Launch, OutputFile, ResourceFile, UploadCondition
from runner.emulator.batch.node.processes import LocalExecutor
from tests.unit.emulator.batch.node.blob_service import BlobService, serving, utc_now
from tests.unit.emulator.batch.node.near_box import NearBox

COUNTED = (
    "open",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.listdir",
    "os.scandir",
    "socket.connect",
)
TASKS = 20


def make_launch(blobs: BlobService, node: Path, number: int) -> Launch:
    """A task with a resource file, and its output and both logs as output files."""

    def output(pattern: str, path: str) -> OutputFile:
        url, always = blobs.container_url("box"), UploadCondition.TASK_COMPLETION
        return OutputFile(file_pattern=pattern, container_url=url, path=path, condition=always)

    return Launch(
        command_line="/bin/true",
        directory=node / "workitems" / "job" / "job-1" / f"{number:03}",
        node=node,
        environment={},
        resource_files=(ResourceFile(http_url=blobs.blob_url("box", "in"), file_path="in"),),
        output_files=(
            output("../stdout.txt", f"{number}/stdout.txt"),
            output("../stderr.txt", f"{number}/stderr.txt"),
            output("in", f"{number}/in"),
        ),
    )


async def count(folder: Path) -> dict[str, float]:
    """Calls for each task, once the first has run; and threads that tasks have had."""
    calls: Counter[str] = Counter()
    with serving() as blobs:
        blobs.containers["box"]["in"] = b"content"
        near = NearBox(blobs, folder / "stored")
        node = folder / "one"
        node.mkdir()
        executor = LocalExecutor(clock=utc_now, run_admin=False, base_environment={}, near=near)

        async def run(number: int) -> None:
            outcome = await executor.run(make_launch(blobs, node, number))
            assert outcome.failure is None

        await run(0)
        stored = str(folder / "stored")

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            # What the stand-in for storage writes does not count.
            if event in COUNTED and not str(arguments[0]).startswith(stored):
                calls[event] += 1

        sys.addaudithook(hook)
        for number in range(1, TASKS + 1):
            await run(number)
        found = {event: calls[event] / TASKS for event in COUNTED}
        found["threads"] = sum(each.name.startswith("task-") for each in threading.enumerate())
        await executor.close()
    return found


if __name__ == "__main__":
    json.dump(asyncio.run(count(Path(sys.argv[1]))), sys.stdout)
