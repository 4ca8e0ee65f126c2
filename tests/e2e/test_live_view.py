"""What people see on a terminal while a run goes: whole screens, as a terminal shows them."""

# ruff: noqa: RUF001 - the signs of the view are meant

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import COMMAND, Emulator, User, start_emulator, wait_until
from tests.e2e.terminals import Terminal, compare_screen, open_terminal

SCREENS = Path(__file__).with_name("screens")
SIZES = [(80, 24), (200, 50)]
SPEC = """
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 3}
  task_slots_per_node: 2
task:
  for_each: {list: [CLIPS]}
  resources: [{from: input}]
  command: |
    n={{ index }}
    if [ $n = 2 ]; then echo "frame 17 cannot be decoded" >&2; exit 3; fi
    while [ $n -ge 6 ] && [ ! -e GATE ]; do sleep 0.1; done
    echo {{ item }} > {{ item }}.out
  outputs: [{pattern: "{{ item }}.out", to: output}]
"""
COUNT = 20
# The gate is to be seen from the nodes.
RUN = ("run", "spec.yaml", "--isolation", "none")


def write_work(user: User, spec: str = SPEC) -> Path:
    """A run whose first tasks end at once, one of them badly; the others once the gate is open.

    All need all files, so that they are added, and begin, in their order.
    """
    gate = user.folder / "gate"
    clips = ", ".join(f"clip-{number:02}" for number in range(1, COUNT + 1))
    user.write("spec.yaml", spec.replace("GATE", str(gate)).replace("CLIPS", clips))
    for number in range(COUNT):
        user.write(f"data/{number:02}.txt", bytes(1_000))
    return gate


def wait_for_work(terminal: Terminal) -> None:
    """Six tasks have ended, and six others run."""
    terminal.wait_for(
        lambda text: "5 succeeded" in text and "6 running" in text and "6 of 6" in text,
        what="six tasks have ended and six run",
    )


def name(state: str, size: tuple[int, int]) -> Path:
    return SCREENS / f"{state}-{size[0]}x{size[1]}.txt"


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "200x50"])
def test_running_with_failures_and_done(user: User, size: tuple[int, int]) -> None:
    gate = write_work(user)
    with open_terminal(user, *RUN, size=size) as terminal:
        wait_for_work(terminal)
        assert not terminal.shows_cursor()
        compare_screen(terminal, name("running", size))
        gate.touch()
        assert terminal.end() == 1
        assert terminal.shows_cursor()
        compare_screen(terminal, name("done", size))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "200x50"])
def test_uploading(
    user: User, tmp_path: Path, pytestconfig: pytest.Config, size: tuple[int, int]
) -> None:
    write_work(user)
    slow = ("--fault", "latency=300s service=blob operation=put_blob after=9")
    with (
        start_emulator(user.environ, tmp_path, "", pytestconfig, *slow) as emulator,
        open_terminal(user.with_environ(**emulator.environ), *RUN, size=size) as terminal,
    ):
        terminal.wait_for(
            lambda text: "8/20 files" in text and "idle" in text, what="eight files are up"
        )
        compare_screen(terminal, name("uploading", size))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "200x50"])
def test_a_pool_that_starts(
    user: User, tmp_path: Path, pytestconfig: pytest.Config, size: tuple[int, int]
) -> None:
    start = "  nodes: {dedicated: 3}\n  start_task: {command: setup}\n"
    write_work(user, SPEC.replace("  nodes: {dedicated: 3}\n", start))
    still = ("--model", "1h", "--time", "manual")
    with (
        start_emulator(user.environ, tmp_path, "", pytestconfig, *still) as emulator,
        open_terminal(user.with_environ(**emulator.environ), *RUN, size=size) as terminal,
    ):
        terminal.wait_for(lambda text: "0 of 3 nodes, resizing" in text, what="there is a pool")
        advance(emulator, "1m")
        terminal.wait_for(
            lambda text: "start task running" in text and "20/20 files" in text,
            what="the start tasks run",
        )
        compare_screen(terminal, name("pool", size))


def advance(emulator: Emulator, length: str) -> None:
    """Has the emulator's time pass."""
    place = urlsplit(emulator.batch["endpoint"]).netloc
    request = urllib.request.Request(
        f"http://{place}/.emulator/time",
        data=json.dumps({"advance": length}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def test_the_view_follows_its_window(user: User) -> None:
    gate = write_work(user)
    with open_terminal(user, *RUN, size=(80, 24)) as terminal:
        wait_for_work(terminal)
        terminal.resize(200, 50)
        terminal.wait_for(lambda text: "\nrunning" in text, what="there are two columns")
        terminal.resize(20, 5)
        small = "\ntasks  ███╳▒▒▒▒░░░░░\n"
        terminal.wait_for(lambda text: text.endswith(small), what="it is small")
        terminal.resize(40, 12)
        terminal.wait_for(lambda text: "6/20 tasks" in text, what="it has grown")
        gate.touch()
        assert terminal.end() == 1
        assert terminal.shows_cursor()


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (1, 1)])
def test_small_windows_do_no_harm(user: User, size: tuple[int, int]) -> None:
    write_work(user).touch()
    with open_terminal(user, *RUN, size=size) as terminal:
        assert terminal.end() == 1
        assert terminal.shows_cursor()
        assert b"no view from here on" not in terminal.written


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_lines_without_colours_where_these_are_not_wanted(
    user: User, environ: dict[str, str]
) -> None:
    write_work(user).touch()
    with open_terminal(user, *RUN, size=(120, 50), **environ) as terminal:
        assert terminal.end() == 1
        assert b"\x1b" not in terminal.written
        assert "the first task has started on node tvmps_" in terminal.text()
        assert "cleaning up: ending the job" in terminal.lines()


def test_quiet_on_a_terminal_says_only_the_end(user: User) -> None:
    write_work(user).touch()
    with open_terminal(user, *RUN, "-q", size=(120, 50)) as terminal:
        assert terminal.end() == 1
        assert b"\x1b" not in terminal.written
        assert "20 tasks: 19 succeeded, 1 failed" in terminal.lines()
        assert "first task has started" not in terminal.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(user: User, number: signal.Signals) -> None:
    write_work(user)
    with open_terminal(user, *RUN, size=(100, 40)) as terminal:
        wait_for_work(terminal)
        terminal.process.send_signal(number)
        assert terminal.end() == 130
        assert terminal.shows_cursor()
        assert "interrupted: cleaning up; Ctrl-C again leaves at once" in terminal.lines()
        assert "clean-up" not in terminal.text()


def test_a_second_interruption_takes_the_view_away_too(
    user: User, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    write_work(user)
    # A cleanup that takes longer than anybody waits.
    slow = ("--fault", "latency=60s service=batch operation=delete_*")
    with (
        start_emulator(user.environ, tmp_path, "", pytestconfig, *slow) as emulator,
        open_terminal(
            user.with_environ(**emulator.environ), "spec.yaml", size=(100, 40)
        ) as terminal,
    ):
        wait_for_work(terminal)
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for(
            lambda text: "▸ clean-up" in text and "ending the job" in text,
            what="it is seen to clean up",
        )
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert terminal.shows_cursor()
        assert "▸ clean-up" not in terminal.text()
        assert "batch-run: left at once; what may still exist: job demo-" in terminal.text()


def test_attach_shows_the_same_view(user: User) -> None:
    gate = write_work(user)
    with open_terminal(user, *RUN, size=(100, 40)) as driver:
        wait_for_work(driver)
        with open_terminal(user, "attach", size=(100, 40)) as terminal:
            wait_for_work(terminal)
            wait_until(
                lambda: view_of(terminal) and view_of(terminal) == view_of(driver),
                what="both show the same",
            )
            gate.touch()
            assert terminal.end() == driver.end() == 1
            assert terminal.shows_cursor()


def view_of(terminal: Terminal) -> list[str]:
    """The view without the lines above it."""
    lines = terminal.text().splitlines()
    begins = [at for at, line in enumerate(lines) if line.startswith("✓ inputs up")]
    return lines[begins[-1] :] if begins else []


def test_without_a_terminal_there_are_lines(user: User) -> None:
    write_work(user).touch()
    done = subprocess.run(
        [COMMAND, *RUN], cwd=user.folder, env=user.environ, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"\x1b" not in done.stderr
    assert b"\ntask 0003 failed (clip-03): exit code 3 on node tvmps_" in done.stderr
    assert b"\n    frame 17 cannot be decoded\n" in done.stderr
