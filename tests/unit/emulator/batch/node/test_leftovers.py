"""Processes of tasks that a killed emulator left behind, and those that are none."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runner.emulator.batch.node.leftovers import kill_leftovers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


@contextmanager
def process(root: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with that root directory of a node, whose first output has come."""
    with subprocess.Popen(
        command or ("/bin/sh", "-c", "echo; exec sleep 300"),
        env={"PATH": "/usr/bin:/bin", "AZ_BATCH_NODE_ROOT_DIR": root},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield running
        finally:
            running.kill()


def test_processes_of_the_nodes_are_killed_and_no_others(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes"
    with ExitStack() as stack:
        ours = [stack.enter_context(process(f"{nodes}/node{n}")) for n in range(3)]
        others = [
            stack.enter_context(process(root))
            for root in (f"{tmp_path}/nodes-of-another/node1", str(nodes), "nodes/node1")
        ]
        assert set(kill_leftovers(nodes)) == {each.pid for each in ours}
        assert [each.wait(60) for each in ours] == [-signal.SIGKILL] * 3
        assert [each.poll() for each in others] == [None] * 3
        assert kill_leftovers(nodes) == ()


def test_a_daemon_that_left_its_session_is_killed_too(tmp_path: Path) -> None:
    line = "setsid sleep 300 & echo $!; exec sleep 300"
    with process(f"{tmp_path}/nodes/n", "/bin/sh", "-c", line) as running:
        killed = kill_leftovers(tmp_path / "nodes")
        assert running.pid in killed
        assert len(killed) == 2


def test_without_a_list_of_processes_nothing_is_found(tmp_path: Path) -> None:
    with process(f"{tmp_path}/nodes/n"):
        assert kill_leftovers(tmp_path / "nodes", tmp_path / "proc") == ()
