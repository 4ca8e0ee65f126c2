"""The first hour on an account: on a real one with `BATCH_RUN_LIVE=1`, else on the emulator.

With it, the environment names both accounts, and nodes cost money: see docs/first-hour.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
from azure.storage.blob import BlobServiceClient

from runner.connect import read_azure_settings
from tests.e2e.conftest import ROOT, Emulator, User, wait_until

IS_LIVE = os.environ.get("BATCH_RUN_LIVE") == "1"
LIMIT_SECONDS = 45 * 60 if IS_LIVE else 90
SPEC = "workloads/checksums.yaml"
SLOW = """\
version: 1
name: slow
containers: {output: {download: true}}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
task:
  for_each: {range: {from: 1, to: 4}}
  command: sleep 600; echo {{ item }} > {{ item }}.txt
  outputs: [{pattern: "{{ item }}.txt", to: output}]
"""

pytestmark = [
    pytest.mark.timeout(60 * 60 if IS_LIVE else 180),
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send"),
]


@pytest.fixture
def account(user: User, request: pytest.FixtureRequest) -> User:
    """A user whose environment names two accounts."""
    if IS_LIVE:
        own = {name: each for name, each in os.environ.items() if name.startswith("AZURE_")}
        return user.with_environ(**own)
    emulator: Emulator = request.getfixturevalue("shared_emulator")
    return user.with_environ(**emulator.environ)


def run(user: User, *words: str) -> subprocess.CompletedProcess[str]:
    """As `User.run`, for as long as real nodes take."""
    with user.start(*words) as process:
        try:
            stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
        except BaseException:
            process.send_signal(signal.SIGINT)  # so that it takes away what it has made
            process.communicate(timeout=LIMIT_SECONDS)
            raise
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


@contextmanager
def nothing_new(user: User) -> Iterator[None]:
    """Fails where anything is in the accounts behind the block that was not before it."""
    before = listed(user)
    yield
    deadline = time.monotonic() + (300 if IS_LIVE else 60)
    while left := listed(user) - before:  # a pool is listed while its deletion goes on
        assert time.monotonic() < deadline, left
        time.sleep(5 if IS_LIVE else 0.1)


def listed(user: User) -> frozenset[str]:
    """All pools, jobs that are not over, and containers, by Microsoft's own clients."""
    settings = read_azure_settings(user.environ)
    names, store = settings.batch, settings.storage
    with (
        BatchClient(names.endpoint, credential(names.name, names.key)) as batch,
        BlobServiceClient(store.endpoint, credential=credential(store.name, store.key)) as blobs,
    ):
        return frozenset(
            (
                *(f"pool {pool.id}" for pool in batch.list_pools()),
                *(f"job {job.id}" for job in batch.list_jobs()),
                *(f"container {each.name}" for each in blobs.list_containers()),
            )
        )


def credential(name: str, key: str | None) -> AzureNamedKeyCredential | TokenCredential:
    if key is not None:
        return AzureNamedKeyCredential(name, key)
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def test_the_account_is_in_order(account: User) -> None:
    with nothing_new(account):
        done = run(account, "doctor", SPEC, "--target", "azure", "--json")
    found = json.loads(done.stdout)["findings"]
    errors = [f"{each['check']}: {each['seen']}" for each in found if each["verdict"] == "error"]
    assert (done.returncode, errors) == (0, [])


def test_one_task_is_tried(account: User) -> None:
    with nothing_new(account):
        done = run(
            account,
            *("doctor", "--run", SPEC, "--target", "azure", "--within", "20m", "--yes", "--json"),
        )
    assert done.returncode == 0, done.stdout + done.stderr
    trial = {
        each["check"]: each["verdict"]
        for each in json.loads(done.stdout)["findings"]
        if each["area"] == "trial"
    }
    assert (trial["task"], trial["removed"]) == ("ok", "ok")


def test_a_workload_runs_to_its_end(account: User) -> None:
    with nothing_new(account):
        done = run(account, "run", SPEC, "--target", "azure")
        assert done.returncode == 0, done.stderr
        assert "nothing left in the services" in done.stderr
    sums = (account.folder / "results" / "checksums" / "output" / "SHA256SUMS").read_text()
    files = [path for path in (ROOT / "workloads" / "data" / "books").rglob("*") if path.is_file()]
    assert sorted(line.split()[0] for line in sums.splitlines()) == sorted(map(digest, files))
    with nothing_new(account):
        again = run(account, "run", SPEC, "--target", "azure")
    assert again.returncode == 0, again.stderr
    types = {event["type"] for event in events(account)}
    assert "job.created" not in types


def test_an_interrupted_run_leaves_nothing(account: User) -> None:
    with nothing_new(account):
        account.write("slow.yaml", SLOW)
        with account.start("run", "slow.yaml", "--target", "azure", "-q") as process:
            wait_until(
                lambda: has_nodes(account) or process.poll() is not None,
                limit_seconds=LIMIT_SECONDS,
                what="there is a node",
            )
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 130, stderr


def has_nodes(user: User) -> bool:
    return any(event["type"] == "node.changed" for event in events(user))


def events(user: User) -> list[dict[str, object]]:
    """Those of the last run; none where it has not begun."""
    last = user.folder / ".batch-run" / "last"
    if not last.exists():
        return []
    journal = user.last_run() / "events.jsonl"
    if not journal.exists():
        return []
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
