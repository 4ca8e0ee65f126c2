"""Looking at runs: how they stand, what they print, what happened in them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Emulator, User, wait_until
from tests.e2e.gated import LOCAL, SPEC, begun, closed_gate, events, opening


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for this file."""
    with closed_gate(user) as path:
        yield path


def running(user: User) -> str:
    """The first task that runs."""
    lines = (user.last_run() / "events.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return str(next(each["task"] for each in found if each["type"] == "task.started"))


def test_a_run_from_beside_it(user: User, gate: Path) -> None:
    assert user.run("runs").stderr == "no run was started in this folder\n"
    with user.start("run", "spec.yaml", "--logs", "all", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        run = user.last_run()
        wait_until(lambda: "task.started" in events(run), what="a task is seen to run")
        task = running(user)
        shown = user.run("status")
        listed = user.run("runs")
        so_far = user.run("logs", task, "--stdout")
        with (
            user.start("logs", task, "--follow") as follower,
            user.start("events", "--follow") as listener,
        ):
            assert follower.stdout is not None
            gate.touch()
            printed, _ = follower.communicate(timeout=60)
            told, _ = listener.communicate(timeout=60)
        driver.communicate(timeout=60)
    item = int(task) - 1

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"run {run.name}: running here by process {driver.pid}\n")
    assert "\n4 tasks: 0 succeeded, 4 not finished\n" in shown.stdout
    assert shown.stdout.endswith(f"\nnext: batch-run attach {run.name}\n")
    assert f"0/4    running here by process {driver.pid}\n" in listed.stdout
    assert so_far.stdout == ""
    assert printed == f"==> task {task}: stdout <==\ndid {item}.txt\n"
    assert told == (run / "events.jsonl").read_text()

    done = user.run("status", "--json")
    value = json.loads(done.stdout)
    assert (value["state"], value["succeeded"], value["next"]) == ("succeeded", 4, None)
    assert user.run("events", run.name[:-2]).stdout == told
    again = user.run("logs", str(int(task)), run.name, "--stdout")
    assert again.stdout == f"did {item}.txt\n"
    every = user.run("logs")
    assert every.stdout.count("==> task") == 4
    assert "==> task 0001 (0.txt): stdout <==\ndid 0.txt\n" in every.stdout
    assert user.processes() == []


def test_a_run_that_nobody_drives_is_asked_for_in_its_service(
    user: User, gate: Path, emulator: Emulator
) -> None:
    user = user.with_environ(**emulator.environ)
    assert user.run("run", "spec.yaml", "--detach").returncode == 0
    run = user.last_run().name
    wait_until(lambda: begun(user) == 2, what="tasks run")

    shown = user.run("status")
    lost = user.with_environ(AZURE_BATCH_ACCESS_KEY="d3Jvbmc=").run("status")
    nowhere = user.with_environ(AZURE_BATCH_ENDPOINT="").run("status", "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0] == (f"run {run}: detached: the work goes on without a client; can be resumed")
    assert lines[2] == (
        "in the service: the job is active; 2 tasks waiting, 2 running, 0 succeeded, 0 failed"
    )
    assert lines[3] == "pool: 2 of 2 nodes, steady: 2 running"
    assert lines[-1] == f"next: batch-run attach {run}"
    assert lost.returncode == 0
    assert "\nthe service could not be asked: Azure Batch" in lost.stdout
    assert nowhere.returncode == 0
    assert "AZURE_BATCH_ENDPOINT" in json.loads(nowhere.stdout)["unasked"]

    gate.touch()
    wait_until(lambda: begun(user) == 4, what="all tasks run")
    followed = user.run("logs", "2", "--follow")
    assert followed.stdout == "==> task 0002: stdout <==\ndid 1.txt\n"
    assert user.run("attach", "-q").returncode == 0
    assert user.run("logs", "2").stdout == followed.stdout


def test_what_failed_tasks_printed_is_at_home(user: User) -> None:
    user.write("data/a.txt", "a")
    user.write("data/b.txt", "b")
    user.write(
        "spec.yaml",
        """\
version: 1
name: demo
containers: {input: {upload: [{from: data}]}}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  command: "echo out {{ file.name }}; echo err >&2; [ {{ file.name }} = a.txt ]"
""",
    )
    assert user.run("run", "spec.yaml", *LOCAL).returncode == 1

    done = user.run("logs", "--stderr")
    assert done.stdout == "==> task 0002 (b.txt): stderr <==\nerr\n"
    assert user.run("logs", "2", "--stdout").stdout == "out b.txt\n"
    missing = user.run("logs", "1")
    assert missing.returncode == 2
    assert missing.stderr == (
        "batch-run: the log of task `0001` is not here, and cannot be had: the local services do"
        " not run\n  hint: `run --logs all` brings home what all tasks print\n"
    )
    for words, message in (
        (("logs", "7"), f"there is no task `7` in run `{user.last_run().name}`\n"),
        (("logs", "0"), "hint: ids go from 0001 to 0002\n"),
        (("logs", "1", "2"), "one task and one run at most: `1`, `2`"),
        (("logs", "--start-task"), "nothing is kept of what start tasks of run"),
        (("logs", "--node", "x"), "`--node` is for `--start-task`"),
        (("logs", "1", "--start-task"), "a start task is no task: `1` cannot be one"),
        (("status", "none"), "there is no run `none` below"),
    ):
        refused = user.run(*words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert message in refused.stderr


def test_following_ends_with_ctrl_c(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        with user.start("events", "--follow") as listener:
            assert listener.stdout is not None
            assert '"run.started"' in listener.stdout.readline()
            listener.send_signal(signal.SIGINT)
            listener.communicate(timeout=60)
        gate.touch()
        driver.communicate(timeout=60)
    assert (listener.returncode, driver.returncode) == (130, 0)


def test_all_tasks_are_followed_until_the_run_has_ended(user: User, gate: Path) -> None:
    waits = f"while [ ! -e {gate} ]; do sleep 0.05; done"
    command = f"echo on {{{{ file.name }}}}; {waits}; echo did {{{{ file.name }}}} >&2; exit 3"
    user.write("spec.yaml", SPEC.replace("COMMAND", command).replace("print: stdout", "retries: 0"))
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        directory = user.folder / ".batch-run" / "runs"
        wait_until(lambda: any(directory.glob("*/emulator/services.json")), what="services run")
        wait_until(lambda: "task.started" in events(user.last_run()), what="a task runs")
        with user.start("logs", "--follow") as follower:
            assert follower.stdout is not None
            first = [follower.stdout.readline() for _ in range(2)]
            gate.touch()
            rest, said = follower.communicate(timeout=60)
        driver.communicate(timeout=60)
    assert (follower.returncode, driver.returncode) == (0, 1)
    # Whose file is up first is added first: any two of them run, and none has gone on.
    assert set(first) < {f"000{n + 1} | on {n}.txt\n" for n in range(4)}
    shown = sorted([*first, *rest.splitlines(keepends=True)])
    assert shown == sorted(
        line
        for n in range(4)
        for line in (f"000{n + 1} | on {n}.txt\n", f"000{n + 1} ! did {n}.txt\n")
    )
    assert said == ""
    after = user.run("logs", "--follow")
    assert (after.returncode, after.stdout) == (0, "")
    assert after.stderr == (
        f"run {user.last_run().name} has ended, and nothing more is printed; `batch-run logs"
        f" {user.last_run().name}` shows the logs that are here\n"
    )


def test_what_a_start_task_printed_stays_where_it_failed(user: User) -> None:
    user.write("data/a.txt", "a")
    start = 'start_task: {command: "echo out; echo err >&2; exit 4"}'
    spec = SPEC.replace("COMMAND", "true").replace("  nodes:", f"  {start}\n  nodes:")
    user.write("spec.yaml", spec.replace("dedicated: 2", "dedicated: 1"))
    failed = user.run("run", "spec.yaml", *LOCAL)
    assert failed.returncode == 1
    assert "\n  batch-run logs --start-task  all that start tasks have printed\n" in failed.stderr
    shown = user.run("logs", "--start-task")
    lines = shown.stdout.splitlines()
    assert [line for line in lines if not line.startswith("==> node tvmps_")] == ["out", "err"]
    assert shown.stderr == ""
    node = lines[0].split()[2].rstrip(":")
    assert user.run("logs", "--start-task", "--node", node, "--stderr").stdout.endswith("\nerr\n")
    told = user.run("logs", "--start-task", "--json").stdout
    data = [json.loads(line) for line in told.splitlines()]
    assert [(each["node"], each["stream"], each["text"]) for each in data] == [
        (node, "stdout", "out\n"),
        (node, "stderr", "err\n"),
    ]
