"""Runs that were broken off and are gone on with: here, elsewhere, by one client at a time."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.e2e.conftest import Emulator, User, wait_until
from tests.e2e.gated import begun, closed_gate, opening

FILES = 12
SPEC = """\
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
tasks:
  map:
    for_each: input
    command: |
      sleep 0.2
      tr a-z A-Z < {{ file.path }} > {{ file.name }}.up
      echo {{ file.name }} >> COUNT
    outputs: [{pattern: "{{ file.name }}.up", to: output}]
  all:
    needs: [map]
    command: cat output/*.up > all.txt; echo all >> COUNT
    outputs: [{pattern: all.txt, to: output}]
"""
EXPECTED = {
    **{f"{number}.txt.up": f"TEXT OF {number}\n".encode() for number in range(FILES)},
    "all.txt": "".join(
        f"TEXT OF {number}\n" for number in sorted(range(FILES), key=lambda each: f"{each}.txt.up")
    ).encode(),
}
LOCAL = ("--isolation", "none")


def _prepare(user: User, spec: str = SPEC) -> None:
    user.write("spec.yaml", spec.replace("COUNT", str(user.folder / "count")))
    for number in range(FILES):
        user.write(f"data/{number}.txt", f"text of {number}\n")


def _count(user: User) -> Counter[str]:
    """How often each task came to its end."""
    try:
        return Counter((user.folder / "count").read_text().split())
    except FileNotFoundError:
        return Counter()


def _results(folder: Path) -> dict[str, bytes]:
    found = (folder / "results" / "demo" / "output").glob("[!.]*")
    return {path.name: path.read_bytes() for path in found}


def _run_until(user: User, is_time: Callable[[], bool], by: signal.Signals, *options: str) -> int:
    """Starts the run, and ends its client by a signal; gives the exit code."""
    with user.start("run", "spec.yaml", *options) as process:
        wait_until(is_time, what="it is time to end the client")
        process.send_signal(by)
        process.communicate(timeout=60)
    return process.returncode


def _home(user: User) -> int:
    """How many results are at home."""
    return len(_results(user.folder))


def _names(emulator: Emulator) -> set[str]:
    """All jobs, pools and containers that there are."""
    account = emulator.batch["account"]
    credential = AzureNamedKeyCredential(account, emulator.batch["key"])
    with (
        BatchClient(emulator.batch["endpoint"], credential) as batch,
        BlobServiceClient.from_connection_string(emulator.storage["connection_string"]) as blobs,
    ):
        return {
            *(job.id for job in batch.list_jobs()),
            *(pool.id for pool in batch.list_pools()),
            *(container.name for container in blobs.list_containers()),
        }


def test_a_killed_run_is_gone_on_with(user: User) -> None:
    _prepare(user)
    code = _run_until(user, lambda: _home(user) >= 3, signal.SIGKILL, *LOCAL)
    assert code == -signal.SIGKILL
    home = _results(user.folder)
    # What it was made of may change or go: the run goes on with what it was.
    shutil.rmtree(user.folder / "data")
    user.write("spec.yaml", "broken: [")

    resumed = user.run("resume")

    assert resumed.returncode == 0, resumed.stderr
    assert _results(user.folder) == EXPECTED
    counts = _count(user)
    assert {counts[name.removesuffix(".up")] for name in home} == {1}
    # Each of the two nodes may have been ended between a task's last word and the note of its end.
    assert counts.total() <= len(EXPECTED) + 2
    first, *_ = resumed.stderr.splitlines()
    run = user.last_run().name
    assert first.startswith(f"target: local, as run {run} began; ")
    assert int(first.split(";")[1].split()[0]) <= len(home)
    assert "13 tasks: 13 succeeded\n" in resumed.stderr
    assert "nothing left in the services\n" in resumed.stderr
    assert user.processes() == []

    again = user.run("resume", run[:12])
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == f"run {run} has ended: 13 tasks succeeded\n"


def test_an_interrupted_run_does_the_rest(user: User) -> None:
    _prepare(user)
    code = _run_until(user, lambda: _home(user) >= 3, signal.SIGINT, *LOCAL)
    assert code == 130
    before = _results(user.folder)
    assert 3 <= len(before) < len(EXPECTED)

    resumed = user.run("resume", "-q")

    assert resumed.returncode == 0, resumed.stderr
    assert _results(user.folder) == EXPECTED
    counts = _count(user)
    assert {counts[name.removesuffix(".up")] for name in before} == {1}


def test_a_result_that_was_lost_is_made_again(user: User) -> None:
    _prepare(user)
    code = _run_until(user, lambda: _home(user) >= 4, signal.SIGINT, *LOCAL)
    assert code == 130
    lost, damaged, *_ = sorted((user.folder / "results/demo/output").glob("*.up"))
    lost.unlink()
    damaged.write_bytes(b"x" * damaged.stat().st_size)

    resumed = user.run("resume")

    assert resumed.returncode == 0, resumed.stderr
    assert _results(user.folder) == EXPECTED


def test_a_run_on_azure_goes_on_without_its_client(user: User, emulator: Emulator) -> None:
    _prepare(user)
    user = user.with_environ(**emulator.environ)
    code = _run_until(user, lambda: _home(user) >= 3, signal.SIGKILL, "--target", "azure")
    assert code == -signal.SIGKILL
    wait_until(lambda: _count(user)["all"] == 1, what="the work is done without us")

    resumed = user.run("resume")

    assert resumed.returncode == 0, resumed.stderr
    assert _results(user.folder) == EXPECTED
    assert set(_count(user).values()) == {1}
    assert _names(emulator) == set()


def test_a_run_is_gone_on_with_elsewhere(user: User, emulator: Emulator) -> None:
    _prepare(user, SPEC + "limits: {wait: 1s}\n")
    user = user.with_environ(**emulator.environ)
    left = user.run("run", "spec.yaml", "--target", "azure")
    assert left.returncode == 4, left.stderr
    run = user.last_run().name
    assert left.stderr.endswith(f"`batch-run resume {run}` goes on with the run\n")
    elsewhere = User(user.folder / "elsewhere", user.environ)
    elsewhere.folder.mkdir()

    def go_on() -> bool:
        is_first = not (elsewhere.folder / ".batch-run").exists()
        arguments = ["--from-service", run, "--output", "here"] if is_first else []
        resumed = elsewhere.run("resume", *arguments)
        assert resumed.returncode in {0, 4}, resumed.stderr
        return resumed.returncode == 0

    wait_until(go_on, what="the run has ended elsewhere")
    found = (elsewhere.folder / "here" / "output").glob("*")
    assert {path.name: path.read_bytes() for path in found} == EXPECTED
    assert set(_count(user).values()) == {1}
    assert _names(emulator) == set()

    late = user.run("resume")
    assert late.returncode == 3
    assert (
        f"batch-run: job `{run}` and the run's record in storage are gone: another client has ended"
        " the run\n"
    ) in late.stderr
    assert _names(emulator) == set()
    gone = User(user.folder / "gone", user.environ)
    gone.folder.mkdir()
    nothing = gone.run("resume", "--from-service", run)
    assert nothing.returncode == 2
    endpoint = emulator.storage["blob_endpoint"]
    assert nothing.stderr == (
        f"batch-run: {endpoint} has nothing of run `{run}`\n"
        "  hint: it may have ended, or never begun: what a run made goes with its end\n"
    )
    assert list((gone.folder / ".batch-run" / "runs").iterdir()) == []


def test_who_stops_waiting_for_a_client_elsewhere_has_touched_nothing(
    user: User, emulator: Emulator
) -> None:
    user = user.with_environ(**emulator.environ)
    elsewhere = User(user.folder / "elsewhere", user.environ)
    elsewhere.folder.mkdir()
    with closed_gate(user) as gate, user.start("run", "spec.yaml") as driver, opening(gate):
        wait_until(lambda: begun(user) >= 1, what="the run is under way")
        run = user.last_run().name
        with elsewhere.start("resume", "--from-service", run) as waiting:
            assert waiting.stderr is not None
            for line in waiting.stderr:
                if line.startswith("another client has driven the run"):
                    break
            waiting.send_signal(signal.SIGINT)
            _, said = waiting.communicate(timeout=60)
        gate.touch()
        _, own = driver.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "another client has begun the run; it was not touched\n" in said
    assert (
        "batch-run: interrupted: another client drives the run still; it was not touched\n"
    ) in said
    assert "nothing was made" not in said
    assert driver.returncode == 0, own


def test_one_client_drives_a_run(user: User) -> None:
    with closed_gate(user) as gate, user.start("run", "spec.yaml", *LOCAL) as process:
        wait_until(lambda: begun(user) >= 1, what="the run is under way")
        second = user.run("resume")
        gate.touch()
        _, said = process.communicate(timeout=60)
    run = user.last_run().name
    assert second.returncode == 2
    assert second.stderr == (
        f"batch-run: process {process.pid} drives run `{run}`\n"
        f"  hint: `batch-run attach {run}` shows how it goes, `batch-run cancel {run}` ends it\n"
    )
    assert process.returncode == 0, said
    assert begun(user) == 4


def test_a_run_stays_in_its_accounts(user: User, emulator: Emulator) -> None:
    _prepare(user, SPEC + "limits: {wait: 1s}\n")
    there = user.with_environ(**emulator.environ)
    assert there.run("run", "spec.yaml", "--target", "azure").returncode == 4
    run = user.last_run().name
    other = there.with_environ(AZURE_BATCH_ENDPOINT="https://other.westeurope.batch.azure.com")
    refused = other.run("resume")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"batch-run: run `{run}` is in the Batch account {emulator.batch['endpoint']}, and the"
        " environment names https://other.westeurope.batch.azure.com\n"
        "  hint: set the variables that were set when it began\n"
    )


def test_what_cannot_be_resumed_is_said(user: User) -> None:
    folder = user.folder / ".batch-run" / "runs"
    nothing = user.run("resume")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert nothing.stderr == (
        f"batch-run: there is no run below `{folder}`\n"
        "  hint: runs are kept in the folder that they were started in\n"
    )
    unnamed = user.run("resume", "--from-service")
    assert unnamed.returncode == 2
    assert unnamed.stderr == "batch-run: `--from-service` needs the id of the run\n"
    directory = folder / "demo-20260102t030405z-abcd"
    directory.mkdir(parents=True)
    empty = user.run("resume", "demo-2026")
    assert empty.returncode == 2
    assert empty.stderr == (
        f"batch-run: `{directory}` has no `run.json`: the run ended before it began, or an earlier"
        " version of batch-run made it\n"
    )
