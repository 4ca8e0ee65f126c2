"""An emulator of its own for a measurement: started, pointed at, and looked at from outside.

It must not know what is asked of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.benchmarks.machine import ROOT
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.processes import read_exact_seconds, read_peak_bytes, read_times
from tests.benchmarks.samples import EMULATOR, Cost
from tests.e2e.kills.asking import Wire
from tests.e2e.kills.emulators import Emulator

_STOP_SECONDS = 60
POOL = {
    "id": "pool",
    "vmSize": "standard_d2s_v3",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the emulator has used until some moment; in seconds of processor time."""

    user: float
    system: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running emulator."""

    emulator: Emulator

    @property
    def pid(self) -> int:
        """Its process."""
        return self.emulator.process.pid

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """An environment that points at it."""
        batch, storage = (self.emulator.announcement[name] for name in ("batch", "storage"))
        return {
            **base,
            "AZURE_BATCH_ENDPOINT": batch["endpoint"],
            "AZURE_BATCH_ACCOUNT": batch["account"],
            "AZURE_BATCH_ACCESS_KEY": batch["key"],
            "AZURE_STORAGE_CONNECTION_STRING": storage["connection_string"],
        }

    def used(self) -> Used:
        """What its process has used by now, its children not counted."""
        times = read_times(self.pid)
        assert times is not None
        return Used(user=times.user, system=times.system)

    def peak_bytes(self) -> int:
        """The most memory that it has had."""
        return read_peak_bytes(self.pid) or 0

    def cost_since(self, before: Used) -> Cost:
        """What it has used since then."""
        now = self.used()
        return Cost(
            role=EMULATOR,
            user_seconds=now.user - before.user,
            system_seconds=now.system - before.system,
            peak_bytes=self.peak_bytes(),
        )

    def advance(self, length: str) -> None:
        """Has so much time pass, where the emulator's time is not real."""
        origin = urlsplit(self.emulator.announcement["batch"]["endpoint"])
        request = urllib.request.Request(
            f"{origin.scheme}://{origin.netloc}/.emulator/time",
            data=json.dumps({"advance": length}).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request).close()

    def exact_seconds(self) -> float:
        """The same for little work: exact, where no thread of it ends meanwhile."""
        return read_exact_seconds(self.pid)


@contextmanager
def start_emulator(environ: Mapping[str, str], *options: str | Path) -> Iterator[Running]:
    """An emulator that ends with the block."""
    command = [sys.executable, "-m", "runner.emulator", "--json", "--until-stdin-closes", *options]
    with tempfile.TemporaryFile("w+") as messages:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
        )
        yield from _while_it_runs(process, messages)


def _while_it_runs(process: subprocess.Popen[bytes], messages: IO[str]) -> Iterator[Running]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            messages.seek(0)
            raise FailedError(f"the emulator ended with {code}:\n{messages.read()[-2000:]}")
        yield Running(emulator=Emulator(process=process, announcement=json.loads(line)))
    finally:
        process.stdin.close()
        process.wait(timeout=_STOP_SECONDS)
        process.stdout.close()


class Batch:
    """Its Batch account, asked over one connection at little cost."""

    def __init__(self, running: Running) -> None:
        self._wire = running.emulator.batch()

    def close(self) -> None:
        """Closes the connection."""
        self._wire.close()

    def get(self, path: str, query: str = "") -> Any:
        """The answer's JSON."""
        answer = self._wire.ask("GET", path, query=query)
        if answer.status != 200:
            raise FailedError(f"GET {path} was answered with {answer.status}: {answer.body!r}")
        return answer.json

    def send(self, method: str, path: str, document: object) -> Any:
        """Sends JSON; the JSON of the answer, None where it has none."""
        answer = self._wire.send(method, path, document)
        if answer.status >= 300:
            raise FailedError(f"{method} {path} was answered with {answer.status}: {answer.body!r}")
        return answer.json if answer.body else None

    def make_job(self, *, nodes: int, slots: int = 1) -> None:
        """A pool `pool` of so many nodes, and a job `job` on it."""
        sizes = {"targetDedicatedNodes": nodes, "taskSlotsPerNode": slots}
        self.send("POST", "/pools", {**POOL, **sizes})
        self.send("POST", "/jobs", {"id": "job", "poolInfo": {"poolId": "pool"}})

    def add_tasks(self, first: int, count: int, command: str = "/bin/true") -> None:
        """Tasks of the job, a hundred in a request."""
        for start in range(first, first + count, 100):
            numbers = range(start, min(start + 100, first + count))
            tasks = [{"id": f"task-{number:07}", "commandLine": command} for number in numbers]
            self.send("POST", "/jobs/job/addtaskcollection", {"value": tasks})

    def counts(self) -> dict[str, int]:
        """How many tasks of the job are in which state."""
        counts: dict[str, int] = self.get("/jobs/job/taskcounts")["taskCounts"]
        return counts

    def wait_until(
        self, holds: Callable[[], bool], *, pause: float = 0.02, limit: float = 600.0
    ) -> None:
        """Asks again and again; `FailedError` where it does not come to hold."""
        deadline = time.monotonic() + limit
        while not holds():
            if time.monotonic() > deadline:
                raise FailedError(f"the emulator did not get there within {limit:.0f} s")
            time.sleep(pause)

    def wait_for_node(self) -> None:
        """Returns once all nodes of the pool can run tasks."""

        def is_idle() -> bool:
            nodes = self.get("/pools/pool/nodes")["value"]
            return bool(nodes) and all(node["state"] == "idle" for node in nodes)

        self.wait_until(is_idle)


@contextmanager
def batch_of(running: Running) -> Iterator[Batch]:
    """A connection that is closed with the block."""
    with closing(Batch(running)) as batch:
        yield batch


@contextmanager
def blob_of(running: Running) -> Iterator[Wire]:
    """The same for its storage account."""
    with closing(running.emulator.blob()) as wire:
        yield wire
