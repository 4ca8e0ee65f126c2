"""Why a task waits, has failed or was skipped, as a user asks beside a run and after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import User, asked_storage, start_emulator, wait_until
from tests.e2e.gated import LOCAL, begun, events, opening

STEPS = """\
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  START
tasks:
  make:
    for_each: input
    command: "COMMAND"
    outputs: [{pattern: "{{ file.name }}.out", to: output}]
  join:
    needs: [make]
    command: "true"
"""
COPY = "cp {{ file.path }} {{ file.name }}.out"
WAIT = "while [ ! -e {gate} ]; do sleep 0.05; done"


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """What tasks, or a start task, wait for."""
    path = user.folder / "go"
    for name in "abc":
        user.write(f"data/{name}.txt", name)
    yield path
    path.touch()


def sees_node(user: User) -> bool:
    """Whether the run has told of a node."""
    if not list((user.folder / ".batch-run" / "runs").glob("*/events.jsonl")):
        return False
    return "node.changed" in events(user.last_run())


def explained(user: User, *words: str) -> list[str]:
    """The lines of an explanation, with the names of nodes and times made plain."""
    done = user.run("explain", *words)
    assert (done.returncode, done.stderr) == (0, "")
    plain = re.sub(r"tvmps_\w+", "NODE", done.stdout)
    plain = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", plain)
    return re.sub(r"\d+\.\ds|\d+m? ?\d*s\b", "SECONDS", plain).splitlines()


def test_a_task_is_explained_from_the_queue_to_its_end(user: User, gate: Path) -> None:
    command = (
        f"echo x >> {user.folder}/begun; {WAIT.format(gate=gate)};"
        " [ {{ file.stem }} != c ] || { echo no c >&2; exit 3; };"
        " cp {{ file.path }} {{ file.name }}.out"
    )
    user.write("spec.yaml", STEPS.replace("COMMAND", command).replace("  START\n", ""))
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 1, what="a task runs")
        run = user.last_run()
        wait_until(lambda: "task.started" in events(run), what="it is seen to run")
        runs = explained(user, "1")
        waits = explained(user, "3")
        depends = explained(user, "4")
        gate.touch()
        driver.communicate(timeout=60)
    assert runs == [
        "task 0001 (a.txt) of step make: running",
        "  it runs on node NODE since TIME, for SECONDS now",
        "    hint: `batch-run logs 0001 --follow` shows what it prints",
    ]
    assert waits == [
        "task 0003 (c.txt) of step make: waiting",
        "  all places are taken: 1 node with 1 slot each; about 1 wait before it",
        "    the service has 3 waiting and 1 running in all",
        (
            "    hint: with more nodes (`pool.nodes`) or slots (`pool.task_slots_per_node`) more"
            " run at a time"
        ),
    ]
    assert depends == [
        "task 0004 of step join: waiting",
        "  it waits for task 0001, which runs",
        "    hint: `batch-run explain 0001` says what holds that one",
    ]
    assert explained(user, "3") == [
        "task 0003 (c.txt) of step make: failed",
        "  it failed: exit code 3 on node NODE",
        "    from TIME to TIME, SECONDS",
        "    no c",
        "    hint: `batch-run logs 0003` shows all that it printed",
    ]
    assert explained(user, "4") == [
        "task 0004 of step join: never ran",
        "  it never ran: it needs task `0003`, which failed",
        "    hint: `batch-run explain 0003` says why that one failed",
    ]
    assert user.run("run", "spec.yaml", "--only", "3", *LOCAL).returncode == 1
    skipped = json.loads(user.run("explain", "1", "--json").stdout)
    assert (skipped["state"], skipped["reasons"][0]["kind"]) == ("skipped", "ended")
    left_out = json.loads(user.run("explain", "4", "--json").stdout)
    assert (left_out["state"], left_out["reasons"][0]["kind"]) == ("left out", "not asked for")
    unknown = user.run("explain", "5")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        (
            f"batch-run: there is no task `5` in run `{user.last_run().name}`\n"
            "  hint: ids go from 0001 to 0004\n"
        ),
    )
    nothing = user.run("explain", "demo")
    assert (nothing.returncode, nothing.stderr) == (
        2,
        "batch-run: `explain` needs the id of a task\n  hint: it is a number\n",
    )


def test_a_start_task_that_takes_its_time(user: User, gate: Path) -> None:
    start = f"start_task: {{command: 'echo installing it; {WAIT.format(gate=gate)}'}}"
    spec = STEPS.replace("START", start).replace("COMMAND", COPY)
    user.write("spec.yaml", spec)
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: sees_node(user), what="a node is seen")
        wait_until(
            lambda: "installing it" in "".join(explained(user, "2")), what="the start task runs"
        )
        shown = explained(user, "2")
        gate.touch()
        driver.communicate(timeout=60)
    assert driver.returncode == 0
    assert shown == [
        "task 0002 (b.txt) of step make: waiting",
        "  no node takes tasks yet: 1 waitingforstarttask; the start task runs there first",
        "    node NODE: waitingforstarttask since TIME",
        "        installing it",
        "    hint: `batch-run logs --start-task` shows all of it",
    ]


def test_a_pool_that_gets_no_node(
    user: User, tmp_path: Path, gate: Path, pytestconfig: pytest.Config
) -> None:
    user.write(
        "spec.yaml",
        STEPS.replace("COMMAND", COPY).replace("  START\n", ""),
    )
    fault = ("--fault", "resize-error=AccountCoreQuotaReached")
    with start_emulator(user.environ, tmp_path, asked_storage(), pytestconfig, *fault) as emulator:
        user = user.with_environ(**emulator.environ)
        assert user.run("run", "spec.yaml").returncode == 3
        lines = explained(user, "1")
        lost = explained(user.with_environ(AZURE_BATCH_ACCESS_KEY="d3Jvbmc="), "1")
    assert lines[0] == "task 0001 (a.txt) of step make: waiting"
    assert lines[1].startswith("  nobody drives the run (broken off), so that nothing more")
    assert lines[2].startswith("    the run ended with: spec.yaml:9:10: refused: the pool has no")
    assert lines[4] == "  the job is gone: it takes no task"
    assert lines[6].startswith("  the pool has 0 of 1 node: AccountCoreQuotaReached: ")
    assert lines[7].startswith("    hint: ask for fewer nodes or a smaller VM size, or")
    assert lost[-1].startswith("  more could not be asked: Azure Batch")
