"""`clean`: what runs of ours have left is found and goes, and nothing else does."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from runner.errors import ExitCode
from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User, wait_until

SPEC = """\
version: 1
name: demo
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: {range: {from: 1, to: 2}}
  command: COMMAND
  outputs: [{pattern: "out-{{ item }}", to: output}]
"""
QUICK = SPEC.replace("COMMAND", "echo > out-{{ item }}")
SLOW = SPEC.replace("COMMAND", "sleep 600")
FAILING = SPEC.replace("COMMAND", "exit 3")
POLL: Any = {"polling_interval": 0.02}
"""The SDK looks every 5 seconds otherwise."""


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Emulator:
    """One for all of these tests, each of which leaves nothing of its own."""
    return shared_emulator


@pytest.fixture
def accounts(emulator: Emulator) -> Iterator[Accounts]:
    """What is really there."""
    with open_accounts(emulator) as opened:
        yield opened
        set_faults(emulator)
        assert everything(opened) == []


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ, BATCH_RUN_TARGET="azure")


@pytest.fixture
def neighbour(azure: User, tmp_path: Path) -> User:
    """Somebody with the same accounts, in a folder that knows nothing of the first one's runs."""
    folder = tmp_path / "next door"
    folder.mkdir()
    return User(folder, azure.environ)


Fates = dict[str, tuple[str, str | None]]
"""What becomes of things by kind and name, and why."""


def fates(user: User, *arguments: str, code: int = ExitCode.SUCCESS) -> Fates:
    """What `clean` says of each thing."""
    done = user.run("clean", "--json", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    account = json.loads(done.stdout)
    assert account["left"] == sum(each["fate"] == "left" for each in account["things"])
    return {
        f"{each['kind']} {each['name']}": (each["fate"], each["why"]) for each in account["things"]
    }


def kill_at_work(user: User, accounts: Accounts) -> str:
    """The id of a run whose client is gone while its tasks run."""
    user.write("spec.yaml", SLOW)
    process = user.start("run", "spec.yaml")
    try:
        wait_until(
            lambda: (
                process.poll() is not None
                or any(
                    accounts.batch.get_job_task_counts(job).task_counts.running
                    for job in accounts.jobs()
                )
            ),
            what="a task runs",
        )
        assert process.poll() is None, process.communicate()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return user.last_run().name


def everything(accounts: Accounts) -> list[str]:
    """All that is in the accounts."""
    return [*accounts.jobs(), *accounts.pools(), *accounts.containers()]


def set_faults(emulator: Emulator, *rules: dict[str, Any]) -> None:
    """What the emulator does wrong from now on."""
    origin = emulator.batch["endpoint"].rpartition("/")[0]
    request = urllib.request.Request(
        f"{origin}/.emulator/faults",
        data=json.dumps(rules).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


def test_what_a_killed_client_left(azure: User, neighbour: User, accounts: Accounts) -> None:
    run = kill_at_work(azure, accounts)
    (pool,) = accounts.pools()
    names = {
        f"job {run}",
        f"pool {pool}",
        *(f"container {name}" for name in accounts.containers()),
    }
    before = everything(accounts)
    active = ("stays", f"the job is active; `batch-run clean {run}` ends it")
    held = (
        "a client on another machine drives the run, or has died within the last minute;"
        f" `batch-run cancel {run}` ends it"
    )

    # From another folder nobody can tell whether the client is alive.
    assert fates(neighbour, run) == dict.fromkeys(names, ("stays", held))
    # Nobody has named it, and it works.
    assert fates(neighbour, "--all", "--yes") == dict.fromkeys(names, active)
    assert fates(azure) == dict.fromkeys(names, active)
    assert fates(azure, run, "--dry-run") == dict.fromkeys(names, ("would go", None))
    assert everything(accounts) == before
    shown = azure.run("clean", run[:12])
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == f"run {run}"
    assert lines[1].startswith(f"  gone      job {run} (active, since 20")
    assert lines[-1] == f"{len(names)} gone, nothing left"
    assert everything(accounts) == []
    assert azure.run("clean").stdout == "nothing left\n"


def test_only_what_is_ours_goes(azure: User, neighbour: User, accounts: Accounts) -> None:
    """Names alone prove nothing, nor do metadata of ours on what the user named."""
    azure.write("spec.yaml", QUICK.replace("{download: true}", "{name: media, delete: never}"))
    assert azure.run("run", "spec.yaml", "--keep", "storage").returncode == 0
    run = azure.last_run().name
    other = run[:-4] + "aaaa"
    pool = "demo-0F3A1B2C-0000-4444-8888-0123456789AB"
    machine = models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(
            publisher="canonical", offer="ubuntu-24_04-lts", sku="server"
        ),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )
    accounts.batch.create_pool(
        models.BatchPoolCreateOptions(
            id=pool,
            vm_size="Standard_D2s_v5",
            virtual_machine_configuration=machine,
            metadata=[models.BatchMetadataItem(name="batch-run", value="mine")],
        )
    )
    info = models.BatchPoolInfo(pool_id=pool)
    accounts.batch.create_job(models.BatchJobCreateOptions(id=other, pool_info=info))
    accounts.make_container(f"{other}-input", {"a": b"1"})
    accounts.make_container(f"{run}-theirs", {"a": b"1"})
    theirs = {other, pool, f"{other}-input", f"{run}-theirs", "media"}
    logs = f"container {run}-logs"
    assert set(everything(accounts)) == theirs | {f"{run}-logs"}

    kept = ("stays", "--keep storage; `--kept` takes it too")
    assert fates(azure) == {logs: kept}
    assert fates(neighbour, "--all", "--kept", "--yes") == {logs: ("gone", None)}

    assert set(everything(accounts)) == theirs
    for container in accounts.containers():
        accounts.storage.delete_container(container)
    accounts.batch.begin_delete_job(other, **POLL).wait()
    accounts.batch.begin_delete_pool(pool, **POLL).wait()


def test_what_was_kept_on_purpose(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", QUICK.replace("{download: true}", "{delete: never}"))
    done = azure.run("run", "spec.yaml", "--keep", "job", "--keep", "pool")
    assert done.returncode == 0, done.stderr
    run = azure.last_run().name
    (pool,) = accounts.pools()
    assert fates(azure) == {
        f"job {run}": ("stays", "--keep job; `--kept` takes it too"),
        f"pool {pool}": ("stays", "--keep pool; `--kept` takes it too"),
        f"container {run}-output": ("stays", "delete: never; `--kept` takes it too"),
    }
    assert len(accounts.nodes(pool)) == 1

    assert {fate for fate, _ in fates(azure, "--kept").values()} == {"gone"}


def test_what_a_failed_run_left_to_look_at(
    azure: User, emulator: Emulator, accounts: Accounts
) -> None:
    azure.write("spec.yaml", FAILING)
    assert azure.run("run", "spec.yaml").returncode == ExitCode.TASKS_FAILED
    run = azure.last_run().name
    left = [f"{run}-logs", f"{run}-output"]
    assert accounts.containers() == left
    asked = azure.run("clean", "--all")
    assert asked.returncode == ExitCode.USAGE
    assert asked.stderr.splitlines()[-2:] == [
        "batch-run: 2 things of all runs would go, and there is nobody to ask",
        "  hint: `--yes` says that they are to go, `--dry-run` only shows them",
    ]
    assert accounts.containers() == left
    rule = {"fault": "403", "code": "AuthorizationFailure", "operation": "delete_container"}
    set_faults(emulator, {**rule, "first": 1})

    found = fates(azure, "--all", "--yes", code=ExitCode.LEFT_BEHIND)

    assert sorted(fate for fate, _ in found.values()) == ["gone", "left"]
    ((name, why),) = [(name, why) for name, (fate, why) in found.items() if fate == "left"]
    assert why is not None
    assert "AuthorizationFailure" in why
    assert [f"container {each}" for each in accounts.containers()] == [name]
    assert fates(azure) == {name: ("gone", None)}


def test_a_pool_that_is_kept_for_the_next_run(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", QUICK.replace("  nodes:", "  keep: 30m\n  nodes:"))
    assert azure.run("run", "spec.yaml").returncode == 0
    run = azure.last_run().name
    (pool,) = accounts.pools()
    ((fate, why),) = fates(azure).values()
    assert why is not None
    assert (fate, why.partition(" since ")[0]) == ("stays", "kept for the next run")
    info = models.BatchPoolInfo(pool_id=pool)
    accounts.batch.create_job(models.BatchJobCreateOptions(id="somebodys", pool_info=info))
    used = {f"pool {pool}": ("stays", "job somebodys is in it")}
    assert fates(azure, run) == used
    accounts.batch.begin_delete_job("somebodys", **POLL).wait()

    assert fates(azure, "--all", "--yes") == {f"pool {pool}": ("gone", None)}


def test_a_run_that_is_driven_is_not_touched(
    azure: User, neighbour: User, accounts: Accounts
) -> None:
    azure.write("spec.yaml", SLOW)
    process = azure.start("run", "spec.yaml")
    try:
        wait_until(lambda: bool(accounts.jobs()), what="there is a job")
        (run,) = accounts.jobs()
        before = sorted(everything(accounts))
        here = fates(azure, run)
        there = fates(neighbour, run)
        assert {each for each, _ in (*here.values(), *there.values())} == {"stays"}
        assert {why for _, why in here.values()} == {
            f"process {process.pid} drives run `{run}`; `batch-run cancel {run}` ends it"
        }
        assert sorted(everything(accounts)) == before
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED


def test_a_cleanup_that_is_killed_is_done_again(
    azure: User, emulator: Emulator, accounts: Accounts
) -> None:
    run = kill_at_work(azure, accounts)
    set_faults(emulator, {"fault": "timeout", "operation": "delete_container"})
    process = azure.start("clean", run)
    try:
        wait_until(lambda: not accounts.pools(), what="the pool is gone")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    set_faults(emulator)
    assert accounts.containers() != []

    assert {fate for fate, _ in fates(azure, run).values()} == {"gone"}


def test_the_state_of_local_runs(user: User) -> None:
    user.write("spec.yaml", QUICK)
    assert user.run("run", "spec.yaml", "--target", "local").returncode == 0
    ended = user.last_run()
    name = f"local state {ended / 'emulator'}"
    shown = user.run("clean", "--dry-run").stdout.splitlines()
    assert shown[0] == f"run {ended.name}"
    assert shown[1].startswith(f"  would go  {name} (")
    assert shown[1].endswith((" kB)", " MB)"))
    assert (ended / "emulator").is_dir()

    user.write("spec.yaml", SLOW)
    process = user.start("run", "spec.yaml", "--target", "local")
    wait_until(lambda: user.last_run() != ended, what="the next run begins")
    broken = user.last_run()
    try:
        events = broken / "events.jsonl"
        wait_until(
            lambda: events.exists() and "task.started" in events.read_text(), what="a task runs"
        )
        ((fate, why),) = fates(user).values()
        assert (fate, why) == (
            "stays",
            f"process {process.pid} drives the run; `batch-run cancel {broken.name}` ends it",
        )
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    needed = (
        f"`batch-run resume {broken.name}` needs it; `batch-run clean {broken.name}` takes it all"
        " the same"
    )
    state = f"local state {broken / 'emulator'}"
    wait_until(lambda: not user.processes(), what="the emulator has ended")

    assert fates(user, "--all", "--yes") == {name: ("gone", None), state: ("stays", needed)}

    assert not (ended / "emulator").exists()
    assert (ended / "report.json").exists()
    assert fates(user, broken.name) == {state: ("gone", None)}
    assert not (broken / "emulator").exists()
    assert fates(user, "--all") == {}


def test_an_emulator_that_goes_on_alone(user: User) -> None:
    user.write("spec.yaml", SLOW)
    done = user.run("run", "spec.yaml", "--target", "local", "--detach")
    assert done.returncode == 0, done.stderr
    run = user.last_run()
    state = f"local state {run / 'emulator'}"
    why = f"its emulator goes on with the work; `batch-run clean {run.name}` ends it"
    assert fates(user) == {state: ("stays", why)}
    assert user.processes() != []

    assert fates(user, run.name) == {state: ("gone", None)}

    # What it ran is killed as it ends, and reaped by whoever has taken it in since.
    wait_until(lambda: not user.processes(), what="nothing of it runs")


def test_what_cannot_be_meant(user: User) -> None:
    for arguments, line in (
        (("--all", "x"), "batch-run: `--all` is about all runs, and so takes no RUN"),
        (("--yes",), "batch-run: `--yes` is for `--all`: of one run nobody is asked"),
    ):
        done = user.run("clean", *arguments)
        assert done.returncode == ExitCode.USAGE
        assert done.stderr.splitlines()[0] == line
    nothing = user.run("clean")
    assert nothing.returncode == ExitCode.USAGE
    assert "there is no run below" in nothing.stderr
