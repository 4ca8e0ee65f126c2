"""What commands have used, by the kernel's own word; no times are compared."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.groups import own_group
from tests.benchmarks.measuring import FailedError, measure
from tests.benchmarks.peers import Peer, Peers
from tests.benchmarks.processes import (
    Times,
    parse_stat,
    read_command,
    read_peak_bytes,
    read_times,
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

ENVIRON = {"PATH": os.defpath}


def test_a_line_of_stat_whatever_the_name_is() -> None:
    tick = os.sysconf("SC_CLK_TCK")
    behind = " ".join(["S", "42", *["0"] * 9, "250", "50", "7", "9", "0", "0", "1", "0", "777"])
    assert parse_stat(f"17 (a) b (c) {behind} 0 0") == Times(
        parent=42, started=777, user=250 / tick, system=50 / tick
    )


def test_this_process_is_there_and_one_that_cannot_be_is_not() -> None:
    own = read_times(os.getpid())
    assert own is not None
    assert own.parent == os.getppid()
    assert (read_peak_bytes(os.getpid()) or 0) > 1_000_000
    assert read_command(os.getpid())
    nobody = 2**22 + 1
    assert (read_times(nobody), read_peak_bytes(nobody), read_command(nobody)) == (None, None, ())


def test_a_command_is_measured_with_all_that_it_starts(tmp_path: Path) -> None:
    burn = "x = 0\nfor n in range(3_000_000): x += n"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    finished = measure([sys.executable, "-c", code], folder=tmp_path, environ=ENVIRON)
    (cost,) = finished.sample.costs
    assert cost.role == "all"
    assert cost.seconds > 0
    assert (cost.peak_bytes or 0) > 1_000_000


def test_a_batch_run_is_measured_by_its_processes(tmp_path: Path) -> None:
    """A client that starts what looks like an emulator, which runs a shell as a task."""
    emulate = "import subprocess, time; subprocess.run(['sh', '-c', 'true']); time.sleep(1)"
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "__init__.py").touch()
    (tmp_path / "runner" / "emulator.py").write_text(emulate)
    code = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'runner.emulator'])"
    finished = measure([sys.executable, "-c", code], folder=tmp_path, environ=ENVIRON, apart=True)
    costs = {cost.role: cost for cost in finished.sample.costs}
    assert list(costs) == ["client", "emulator", "tasks"]
    assert all((costs[role].peak_bytes or 0) > 1_000_000 for role in ("client", "emulator"))


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(FailedError) as caught:
        measure(["sh", "-c", "echo no >&2; exit 3"], folder=tmp_path, environ=ENVIRON)
    assert str(caught.value) == "`sh -c echo no >&2; exit 3` ended with 3:\nno\n"


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    line = "sleep 1000 & echo $! > child; wait"
    with pytest.raises(FailedError) as caught:
        measure(["sh", "-c", line], folder=tmp_path, environ=ENVIRON, limit_seconds=0.5)
    assert str(caught.value) == "it was killed, since it took too long"
    child = int((tmp_path / "child").read_text())
    with own_group() as group:
        if group is None:
            os.kill(child, signal.SIGKILL)  # nobody else knows it
    deadline = time.monotonic() + 60
    while "sleep" in read_command(child):
        assert time.monotonic() < deadline


def test_a_peer_is_found_in_a_folder_by_its_name(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "parallel"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho GNU parallel 20221122\n")
    peers = Peers([tmp_path], search_path="")
    absent = peers.find("GNU parallel")
    assert not isinstance(absent, Peer)
    assert absent.why == "`parallel` is not installed"
    program.chmod(0o700)
    peers = Peers([tmp_path], search_path="")
    found = peers.find("GNU parallel")
    assert found == Peer(name="GNU parallel", program=program, version="20221122")
    assert peers.versions() == {"GNU parallel": "20221122"}


def test_azcopy_is_found_where_npm_puts_it_once_it_may_be_run(tmp_path: Path) -> None:
    program = tmp_path / "node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho azcopy version 10.32.2\n")
    assert not isinstance(Peers([tmp_path], search_path="").find("azcopy"), Peer)
    program.chmod(0o700)
    found = Peers([tmp_path], search_path="").find("azcopy")
    assert found == Peer(name="azcopy", program=program, version="10.32.2")
