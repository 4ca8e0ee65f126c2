"""Control groups of nodes, by what is written where in either version of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.cgroups import Cgroups

REAL = Path("/sys/fs/cgroup")


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """What the second version shows, in files that do nothing."""
    for directory in (tmp_path, tmp_path / "batch-run-7", tmp_path / "batch-run-7" / "one"):
        directory.mkdir(exist_ok=True)
        for name in ("cgroup.controllers", "cgroup.subtree_control", "cgroup.procs"):
            (directory / name).write_text("")
    for name in ("memory.max", "memory.swap.max", "cpu.max"):
        (tmp_path / "batch-run-7" / "one" / name).write_text("max")
    return tmp_path


def test_unified_groups(unified: Path) -> None:
    Cgroups(owner=7, root=unified).enter("one", memory_bytes=1 << 30, cores=2)

    base = unified / "batch-run-7"
    assert (unified / "cgroup.subtree_control").read_text() == "+memory +cpu"
    assert (base / "cgroup.subtree_control").read_text() == "+memory +cpu"
    assert {path.name: path.read_text() for path in (base / "one").iterdir()} == {
        "cgroup.controllers": "",
        "cgroup.subtree_control": "",
        "cgroup.procs": "0",
        "memory.max": str(1 << 30),
        "memory.swap.max": "0",
        "cpu.max": "200000 100000",
    }


def test_where_there_are_no_groups_that_is_said(tmp_path: Path) -> None:
    groups = Cgroups(owner=7, root=tmp_path / "none")

    with pytest.raises(FileNotFoundError):
        groups.check()
    groups.remove("one")
    groups.clear()
    groups.clear_left()


def test_what_was_left_is_removed_and_what_is_in_use_stays() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    left, mine = Cgroups(owner=gone.pid), Cgroups(owner=os.getpid())
    try:
        left.check()
    except OSError as error:
        pytest.skip(f"no control groups can be made here: {error}")
    child = os.fork()
    if not child:
        left.enter("empty", memory_bytes=None, cores=None)
        mine.enter("empty", memory_bytes=None, cores=None)
        os._exit(0)
    os.waitpid(child, 0)
    try:
        mine.clear_left()
        names = {path.name for path in (*REAL.glob("batch-run-*"), *REAL.glob("*/batch-run-*"))}
        assert f"batch-run-{gone.pid}" not in names
        assert f"batch-run-{os.getpid()}" in names
    finally:
        mine.clear()
        left.clear()
