"""The two services of one schedule: an emulator that is killed and comes back under its address.

It must not know why it is killed, nor what is asked of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.kills.asking import LostError, Wire

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
Rule = Mapping[str, Any]


class Service:
    """An emulator with a data directory, whose keys and port outlive it."""

    def __init__(self, data: Path, environ: Mapping[str, str]) -> None:
        self.data = data
        self._environ = environ
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self.batch_account: Mapping[str, str] = {}
        self.storage_account: Mapping[str, str] = {}
        self.deaths = 0
        self._other_storage: Mapping[str, str] | None = None

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it, unless it runs; returns when it answers."""
        with self._lock:
            if self._process is not None:
                return
            command = [sys.executable, "-m", "runner.emulator", "--json", "--isolation", "none"]
            with self.data.with_suffix(".err").open("ab") as messages:
                process = subprocess.Popen(
                    [*command, "--data", str(self.data), "--port", str(self._port)],
                    cwd=ROOT,
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=messages,
                )
            assert process.stdout is not None
            line = process.stdout.readline()
            process.stdout.close()
            if not line:
                said = self.data.with_suffix(".err").read_text()[-2000:]
                raise AssertionError(f"the emulator ended with {process.wait()}: {said}")
            announcement = json.loads(line)
            self.batch_account = announcement["batch"]
            self.storage_account = self._other_storage or announcement["storage"]
            self._port = urlsplit(announcement["batch"]["endpoint"]).port or 0
            self._process = process

    def use_storage(self, account: Mapping[str, str]) -> None:
        """From here on clients use somebody else's Blob Storage, of the same account."""
        self._other_storage = self.storage_account = account

    def kill(self) -> None:
        """Kills it with no chance to do anything; its tasks are not told."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._process = None
                self.deaths += 1

    def stop(self) -> int:
        """Has it end in order; its exit code."""
        with self._lock:
            if self._process is None:
                return 0
            self._process.send_signal(signal.SIGTERM)
            try:
                code = self._process.wait(READY_SECONDS)
            finally:
                self._process.kill()
            self._process = None
            return code

    def batch(self) -> Wire:
        """A connection to its Batch account."""
        account = self.batch_account
        return Wire(
            endpoint=account["endpoint"],
            account=account["account"],
            key=account["key"],
            batch=True,
        )

    def client_environ(self) -> dict[str, str]:
        """What a client has to know."""
        return {
            "BATCH_RUN_TARGET": "azure",
            "AZURE_BATCH_ENDPOINT": self.batch_account["endpoint"],
            "AZURE_BATCH_ACCOUNT": self.batch_account["account"],
            "AZURE_BATCH_ACCESS_KEY": self.batch_account["key"],
            "AZURE_STORAGE_CONNECTION_STRING": self.storage_account["connection_string"],
        }

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """What it does wrong from now on, in place of all that was said before."""
        self._tell("PUT", list(rules))

    def read_strikes(self) -> list[int]:
        """How often each rule struck; nothing where it is dead."""
        with suppress(OSError):
            return [rule["strikes"] for rule in self._tell("GET", None)["rules"]]
        return []

    def _tell(self, method: str, body: object) -> Any:
        request = urllib.request.Request(
            f"{self.origin}/.emulator/faults",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            # Ours to write rightly: the harness must not go on without its fault.
            raise AssertionError(f"{body}: {error.read().decode()}") from error

    def succeeded_tasks(self) -> set[str]:
        """The tasks of all jobs that the service says have ended well."""
        wire = self.batch()
        try:
            jobs = wire.ask("GET", "/jobs").json["value"]
            return {
                task["id"]
                for job in jobs
                for task in _read_all(wire, f"/jobs/{job['id']}/tasks")
                if task["state"] == "completed" and task["executionInfo"]["result"] == "success"
            }
        finally:
            wire.close()

    def wait_until_idle(self, limit_seconds: float = 60.0) -> None:
        """Until nothing is being deleted any more."""
        deadline = time.monotonic() + limit_seconds
        wire = self.batch()
        try:
            while time.monotonic() < deadline:
                with suppress(LostError):
                    entities = [
                        *wire.ask("GET", "/jobs").json["value"],
                        *wire.ask("GET", "/pools").json["value"],
                    ]
                    if all(each["state"] not in ("deleting", "terminating") for each in entities):
                        return
                time.sleep(0.05)
        finally:
            wire.close()


def _read_all(wire: Wire, path: str) -> list[Any]:
    answer = wire.ask("GET", path, query="maxresults=1000")
    if answer.status == 404:  # deleted meanwhile
        return []
    assert answer.status == 200, answer
    tasks: list[Any] = answer.json["value"]
    return tasks


def plain_environ(folder: Path) -> dict[str, str]:
    """An environment without accounts, whose temporary files go below the folder."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "BATCH_RUN_", "PYTEST_", "PYTHONDONTWRITE"))
    }
    return {**environ, "TMPDIR": str(temporary), "NO_COLOR": "1"}
