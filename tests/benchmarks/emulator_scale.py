"""Measures the emulator with many tasks in one job: response times, memory, tasks a second.

    python -m tests.benchmarks.emulator_scale [--tasks 100000] [--data]

Times of answers are processor time. It knows the emulator only as its clients do: as a process that
answers HTTP.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

IMAGE = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}
VERSION = "api-version=2025-06-01"
COMMAND = "/bin/true"
STEPS = 10


class Client:
    """One connection that signs as the service demands, and costs little itself."""

    def __init__(self, announced: dict[str, str]) -> None:
        self._url = urlsplit(announced["endpoint"])
        self._account = announced["account"]
        self._key = base64.b64decode(announced["key"])
        self._connection = http.client.HTTPConnection(self._url.netloc, timeout=600)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON; fails for a refusal."""
        target = path if path.startswith("/.") else f"{self._url.path}{path}"
        content = b"" if body is None else json.dumps(body).encode()
        kind = "application/json; odata=minimalmetadata" if content else ""
        date = format_datetime(datetime.now(timezone.utc), usegmt=True)
        length = str(len(content)) if content else ""
        resource, _, query = target.partition("?")
        values = sorted(parse_qsl(query))
        lines = [method, "", "", length, "", kind, *[""] * 6, f"ocp-date:{date}"]
        lines.append(f"/{self._account}{resource}")
        lines += [f"{name}:{value}" for name, value in values]
        signature = hmac.digest(self._key, "\n".join(lines).encode(), hashlib.sha256)
        headers = {
            "ocp-date": date,
            "Authorization": f"SharedKey {self._account}:{base64.b64encode(signature).decode()}",
        }
        if content:
            headers["Content-Type"] = kind
        self._connection.request(method, target, body=content or None, headers=headers)
        response = self._connection.getresponse()
        text = response.read()
        assert response.status < 300, (method, path, response.status, text[:500])
        return json.loads(text) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running emulator."""

    client: Client
    process: subprocess.Popen[str]

    def timed(self, method: str, path: str, bodies: Iterable[object]) -> float:
        """The milliseconds of processor time that an answer takes, which other programs on the
        machine disturb least: of the emulator's main thread (Linux), the mean of all.
        """
        path_of_times = Path(f"/proc/{self.process.pid}/schedstat")
        count, begun = 0, int(path_of_times.read_text(encoding="ascii").split()[0])
        for body in bodies:
            self.client.ask(method, path, body)
            count += 1
        ended = int(path_of_times.read_text(encoding="ascii").split()[0])
        return (ended - begun) / count / 1e6

    def resident_bytes(self) -> int:
        """The memory of its process (Linux)."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096


@contextmanager
def start(*arguments: str) -> Iterator[Emulator]:
    """An emulator of its own for a measurement."""
    command = [sys.executable, "-m", "runner.emulator", "--json", "--until-stdin-closes"]
    process = subprocess.Popen(
        [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        announced = json.loads(process.stdout.readline())
        yield Emulator(client=Client(announced["batch"]), process=process)
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


def make_pool(client: Client, nodes: int) -> None:
    """A pool with its nodes, and a job on it."""
    pool = {"id": "pool", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": IMAGE}
    client.ask("POST", f"/pools?{VERSION}", {**pool, "targetDedicatedNodes": nodes})
    client.ask("POST", f"/jobs?{VERSION}", {"id": "job", "poolInfo": {"poolId": "pool"}})


def collection(first: int) -> dict[str, Any]:
    """A hundred tasks."""
    numbers = range(first, first + 100)
    return {"value": [{"id": f"task-{n:07}", "commandLine": COMMAND} for n in numbers]}


def ask_all(emulator: Emulator, tasks: int) -> dict[str, float]:
    """The milliseconds of each kind of request."""
    middle = f"task-{tasks // 2:07}"
    paths = {
        "counts": f"/jobs/job/taskcounts?{VERSION}",
        "get task": f"/jobs/job/tasks/{middle}?{VERSION}",
        "list 1000": f"/jobs/job/tasks?{VERSION}",
        "list 1000 of id, state": f"/jobs/job/tasks?{VERSION}&$select=id,state",
        "list 100 completed": (
            f"/jobs/job/tasks?{VERSION}&$filter=state%20eq%20'completed'&maxresults=100"
        ),
    }
    return {
        name: emulator.timed("GET", path, [None] * (5 if name.startswith("list") else 100))
        for name, path in paths.items()
    }


def measure_answers(tasks: int, further: list[str]) -> None:
    """Prints response times as a job grows, then what its finished tasks take."""
    with start("--model", "10m..20m exit=1 rate=0.02", "--time", "manual", *further) as emulator:
        client = emulator.client
        make_pool(client, 1000)
        client.ask("POST", "/.emulator/time", {"advance": "1m"})
        idle = emulator.resident_bytes()
        step = tasks // STEPS
        rows: list[dict[str, float]] = []
        for done in range(0, tasks, step):
            bodies = (collection(first) for first in range(done, done + step, 100))
            adding = emulator.timed("POST", f"/jobs/job/addtaskcollection?{VERSION}", bodies)
            rows.append({"add 100": adding, **ask_all(emulator, done + step)})
        print_rows(rows, step)
        waiting = emulator.resident_bytes()
        begun = time.perf_counter()
        while client.ask("GET", f"/jobs/job/taskcounts?{VERSION}")["taskCounts"]["active"]:
            client.ask("POST", "/.emulator/time", {"advance": "1h"})
        client.ask("POST", "/.emulator/time", {"advance": "1h"})
        seconds = time.perf_counter() - begun
        finished = emulator.resident_bytes()
        page = client.ask("GET", f"/jobs/job/tasks?{VERSION}")["value"]
        record = statistics.mean(len(json.dumps(task)) for task in page)
        print(f"modelled tasks on 1000 nodes: {tasks / seconds:.0f} a second of real time")
        print(f"a waiting task: {(waiting - idle) / tasks:.0f} bytes of resident memory")
        print(f"a finished task: {(finished - idle) / tasks:.0f} bytes of resident memory;")
        print(f"  as JSON it has {record:.0f} bytes")
        for name, value in ask_all(emulator, tasks).items():
            print(f"{name}, all finished: {value:.1f} ms")


def print_rows(rows: list[dict[str, float]], step: int) -> None:
    """Milliseconds of processor time by number of tasks, and how the last compare to the first."""
    names = list(rows[0])
    print("tasks".rjust(8), *(name.rjust(24) for name in names))
    for number, row in enumerate(rows, 1):
        print(f"{number * step:8}", *(f"{row[name]:24.2f}" for name in names))
    ratios = (rows[-1][name] / rows[0][name] for name in names)
    print("ratio".rjust(8), *(f"{ratio:24.2f}" for ratio in ratios))


def measure_processes(tasks: int, further: list[str]) -> None:
    """Prints how many tasks of real processes end in a second, and how many could be started."""
    with start("--isolation", "none", *further) as emulator:
        client = emulator.client
        make_pool(client, 4)
        begun = time.perf_counter()
        for first in range(0, tasks, 100):
            client.ask("POST", f"/jobs/job/addtaskcollection?{VERSION}", collection(first))
        while (
            client.ask("GET", f"/jobs/job/taskcounts?{VERSION}")["taskCounts"]["completed"] < tasks
        ):
            time.sleep(0.05)
        emulated = tasks / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for _ in range(tasks):
        subprocess.run([COMMAND], check=True)
    raw = tasks / (time.perf_counter() - begun)
    print(f"tasks of {COMMAND} on 4 nodes: {emulated:.0f} a second", end="; ")
    print(f"{COMMAND} started one after the other: {raw:.0f} a second")


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2000)
    parser.add_argument("--data", action="store_true", help="with the state on disk")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        further = ["--data", folder] if arguments.data else []
        measure_answers(arguments.tasks, further)
    with tempfile.TemporaryDirectory() as folder:
        further = ["--data", folder] if arguments.data else []
        measure_processes(arguments.processes, further)


if __name__ == "__main__":
    main()
