"""A run that goes on without its client: who leaves, what goes on, and how it is brought home."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Emulator, User, wait_until
from tests.e2e.gated import (
    EXPECTED,
    LOCAL,
    begun,
    closed_gate,
    emulators,
    events,
    opening,
    results,
    state,
)


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for this file."""
    with closed_gate(user) as path:
        yield path


def test_the_work_goes_on_without_a_client_and_is_brought_home(user: User, gate: Path) -> None:
    left = user.run("run", "spec.yaml", "--detach", *LOCAL)
    run = user.last_run()

    assert left.returncode == 0, left.stderr
    assert left.stdout == ""
    assert left.stderr.endswith(
        f"the work goes on; `batch-run attach {run.name}` brings its results home\n"
    )
    assert emulators(user) == 1
    assert state(user) == "detached"
    wait_until(lambda: begun(user) == 2, what="tasks run")
    assert "detached: the work goes on without a client; can be" in user.run("runs").stdout
    gate.touch()
    wait_until(lambda: emulators(user) == 0, what="the emulator has ended by itself")
    assert begun(user) == 4
    assert results(user) == {}
    ended = "detached: its services have ended; can be resumed\n"
    assert user.run("runs").stdout.endswith(ended)
    shown = user.run("status").stdout
    assert shown.startswith(f"run {run.name}: {ended}")
    assert (
        f"\nits services have ended: `batch-run attach {run.name}` brings home what is done,"
        " which is not counted below, and goes on with the rest\n"
    ) in shown
    assert "goes on)" not in shown

    home = user.run("attach")

    assert home.returncode == 0, home.stderr
    assert results(user) == EXPECTED
    assert sorted(line for line in home.stdout.splitlines() if line.startswith("did")) == [
        f"did {n}.txt" for n in range(4)
    ]
    assert "4 tasks: 4 succeeded\n" in home.stderr
    assert begun(user) == 4
    assert user.processes() == []
    assert state(user) == "succeeded"

    again = user.run("attach")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.endswith(f"run {run.name} has ended: 4 tasks succeeded\n")


def test_whoever_attaches_meanwhile_joins_the_services_that_go_on(user: User, gate: Path) -> None:
    """One that is killed holds nothing up: the next one joins them, and then they end."""
    assert user.run("run", "spec.yaml", "--detach", *LOCAL).returncode == 0
    run = user.last_run()
    wait_until(lambda: begun(user) == 2, what="tasks run")
    with user.start("attach") as killed:
        wait_until(lambda: events(run).count("run.started") == 2, what="it is attached")
        killed.kill()
        killed.communicate()
    with user.start("attach", "--json") as attached, opening(gate):
        wait_until(lambda: events(run).count("run.started") == 3, what="it is attached again")
        # The two that ran then run still.
        assert begun(user) == 2
        gate.touch()
        stdout, stderr = attached.communicate(timeout=60)

    assert attached.returncode == 0, stderr
    assert [json.loads(line)["type"] for line in stdout.splitlines()][-1] == "run.finished"
    assert begun(user) == 4
    assert results(user) == EXPECTED
    wait_until(lambda: user.processes() == [], what="nothing is left running")


def test_who_stops_waiting_lets_the_work_go_on(user: User, gate: Path) -> None:
    spec = (user.folder / "spec.yaml").read_text()
    user.write("spec.yaml", spec.replace("containers:", "limits: {wait: 1s}\ncontainers:", 1))
    assert user.run("run", "spec.yaml", "--detach", *LOCAL).returncode == 0
    wait_until(lambda: begun(user) == 2, what="tasks run")

    stopped = user.run("attach")

    assert stopped.returncode == 4, stopped.stderr
    assert emulators(user) == 1
    assert state(user) == "not awaited"
    assert begun(user) == 2
    gate.touch()
    wait_until(lambda: emulators(user) == 0, what="the emulator has ended by itself")
    assert user.run("attach").returncode == 0
    assert begun(user) == 4
    assert results(user) == EXPECTED


def test_a_client_that_is_killed_before_it_could_leave(user: User, gate: Path) -> None:
    gate.touch()
    with user.start("run", "spec.yaml", "--detach", *LOCAL) as started, opening(gate):
        wait_until(lambda: emulators(user) == 1, what="the emulator runs")
        started.kill()
        started.communicate()

    done = user.run("attach")

    assert done.returncode == 0, done.stderr
    assert results(user) == EXPECTED
    wait_until(lambda: user.processes() == [], what="nothing is left running")


def test_a_run_that_nobody_drives_is_cancelled(user: User, gate: Path) -> None:
    assert user.run("run", "spec.yaml", "--detach", *LOCAL).returncode == 0
    wait_until(lambda: begun(user) == 2, what="tasks run")

    done = user.run("cancel")

    assert done.returncode == 0, done.stderr
    assert "nothing left in the services\n" in done.stderr
    assert user.processes() == []
    assert state(user) == "interrupted"
    again = user.run("cancel")
    assert again.returncode == 0
    assert again.stderr == (f"run {user.last_run().name} has ended: interrupted; can be resumed\n")
    gate.touch()
    assert user.run("resume").returncode == 0
    assert results(user) == EXPECTED


def test_on_azure_nothing_runs_here_any_more(user: User, gate: Path, emulator: Emulator) -> None:
    user = user.with_environ(**emulator.environ)
    left = user.run("run", "spec.yaml", "--detach")
    assert left.returncode == 0, left.stderr
    assert user.processes() == []
    wait_until(lambda: begun(user) == 2, what="tasks run")
    gate.touch()
    wait_until(lambda: begun(user) == 4, what="all tasks run")

    home = user.run("attach")

    assert home.returncode == 0, home.stderr
    assert "nothing left in the services\n" in home.stderr
    assert begun(user) == 4
    assert results(user) == EXPECTED


def test_what_nobody_drives_on_azure_is_ended_and_can_be_begun_anew(
    user: User, gate: Path, emulator: Emulator
) -> None:
    user = user.with_environ(**emulator.environ)
    assert user.run("run", "spec.yaml", "--detach").returncode == 0
    run = user.last_run()
    done = user.run("cancel")
    assert done.returncode == 0, done.stderr
    assert "nothing left in the services\n" in done.stderr
    assert events(run)[-1] == "run.finished"
    with user.start("resume") as resumed:
        wait_until(
            lambda: resumed.poll() is not None or events(run).count("job.created") == 2,
            what="there is a job again",
        )
        resumed.kill()
        _, stderr = resumed.communicate()
    assert resumed.returncode == -signal.SIGKILL, stderr
    cleaned = user.run("clean", run.name)
    assert cleaned.returncode == 0, cleaned.stderr
    assert cleaned.stdout.endswith(" gone, nothing left\n")
    assert not gate.exists()

    gate.touch()
    again = user.run("resume")

    assert again.returncode == 0, again.stderr
    assert results(user) == EXPECTED


def test_a_run_is_followed_from_beside_it(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        run = user.last_run()
        with (
            user.start("attach") as follower,
            user.start("attach", "--json") as leaver,
            opening(gate),
        ):
            assert follower.stderr is not None
            assert leaver.stdout is not None
            line = follower.stderr.readline()
            assert line == f"following process {driver.pid}, which drives run {run.name}\n"
            assert json.loads(leaver.stdout.readline())["type"] == "run.started"
            leaver.send_signal(signal.SIGINT)
            _, said = leaver.communicate(timeout=60)
            assert leaver.returncode == 130
            assert said.endswith(
                f"run {run.name} goes on; `batch-run attach {run.name}` follows it again\n"
            )
            refused = user.run("resume")
            assert refused.returncode == 2
            assert f"process {driver.pid} drives run `{run.name}`" in refused.stderr
            gate.touch()
            stdout, stderr = follower.communicate(timeout=60)
            own, _ = driver.communicate(timeout=60)
    assert (driver.returncode, follower.returncode) == (0, 0)
    assert sorted(stdout.splitlines()) == sorted(own.splitlines())
    assert "4 tasks: 4 succeeded\n" in stderr
    assert results(user) == EXPECTED


def test_who_follows_is_told_that_the_driver_has_died(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        with user.start("attach") as follower, opening(gate):
            assert follower.stderr is not None
            follower.stderr.readline()
            driver.kill()
            driver.communicate()
            _, stderr = follower.communicate(timeout=60)
    run = user.last_run().name
    assert follower.returncode == 4
    assert stderr.endswith(
        f"batch-run: process {driver.pid}, which drove run `{run}`, has died\n"
        f"  hint: `batch-run resume {run}` goes on with it\n"
    )
    gate.touch()
    assert user.run("attach").returncode == 0
    assert results(user) == EXPECTED
    assert user.processes() == []


def test_a_run_is_cancelled_from_beside_it(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        done = user.run("cancel")
        _, stderr = driver.communicate(timeout=60)
    run = user.last_run().name
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        f"process {driver.pid}, which drives run {run}, has been asked to end it"
    )
    assert driver.returncode == 130
    assert "interrupted: cleaning up" in stderr
    assert user.processes() == []
