"""Measures what keeping state on disk costs the emulator: the same work with and without `--data`.

Run it as `python -m tests.benchmarks.persistence`. Seconds are of the emulator's processor time,
and the best of some rounds counts, both being measured in turns: other programs on the machine
disturb that least. What tasks use is not in it, nor waiting for the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.e2e.kills.asking import Wire
from tests.e2e.kills.clients import metadata, pool_body
from tests.e2e.kills.emulators import Emulator

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="what --data costs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=1000)
    arguments = parser.parse_args()
    best: dict[str, dict[str, float]] = {"memory": {}, "disk": {}}
    for _ in range(arguments.rounds):
        for where, figures in best.items():
            for name, figure in _measure(where, arguments.tasks).items():
                figures[name] = min(figure, figures.get(name, figure))
    for name, figure in best["memory"].items():
        kept = best["disk"][name]
        print(f"{name:28} {figure:10.3f} {kept:10.3f} {kept / figure:6.2f}")


def _measure(where: str, tasks: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "runner.emulator", "--json", "--isolation", "none"]
        command += ["--data", data] if where == "disk" else []
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        emulator = Emulator(process=process, announcement=json.loads(process.stdout.readline()))
        try:
            with closing(emulator.batch()) as batch, closing(emulator.blob()) as blob:
                return {
                    "ms a change of a job": _cost(process.pid, lambda: _changes(batch)),
                    "ms a blob of 1 KB": _cost(process.pid, lambda: _blobs(blob)),
                    "ms a task": _cost(process.pid, lambda: _tasks(batch, tasks)),
                    "MB of memory": _megabytes(process.pid),
                }
        finally:
            emulator.stop()


def _cost(process: int, work: Callable[[], int]) -> float:
    """Milliseconds for each of the things that the work says it has done."""
    start = _seconds(process)
    count = work()
    return (_seconds(process) - start) * 1000 / count


def _seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _changes(batch: Wire) -> int:
    batch.send("POST", "/pools", pool_body("pool", 2, "0", slots=2))
    batch.send("POST", "/jobs", {"id": "job", "poolInfo": {"poolId": "pool"}})
    for number in range(1000):
        answer = batch.send("PATCH", "/jobs/job", {"metadata": metadata(str(number))})
        assert answer.status == 200, answer
    return 1000


def _blobs(blob: Wire) -> int:
    blob.ask("PUT", "/files", query="restype=container")
    for number in range(1000):
        headers = {"x-ms-blob-type": "BlockBlob"}
        answer = blob.ask("PUT", f"/files/{number}", body=b"x" * 1000, headers=headers)
        assert answer.status == 201, answer
    return 1000


def _tasks(batch: Wire, count: int) -> int:
    for first in range(0, count, 100):
        bodies = [
            {"id": f"task-{number:06}", "commandLine": "cat /dev/null"}
            for number in range(first, min(first + 100, count))
        ]
        answer = batch.send("POST", "/jobs/job/addtaskcollection", {"value": bodies})
        assert answer.status == 200, answer
    while batch.ask("GET", "/jobs/job/taskcounts").json["taskCounts"]["completed"] < count:
        time.sleep(0.1)
    return count


def _megabytes(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


if __name__ == "__main__":
    main()
