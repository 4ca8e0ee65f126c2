"""Where a spec is looked for, and what is said of one that cannot be read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from runner.cli.specs import find_spec, load
from runner.errors import ExitCode, UsageError
from runner.spec.bundled import bundled
from tests.fakes.plans import write_spec
from tests.unit.cli.worlds import make_world

NOTHING = argparse.Namespace(params=None, parameters=[])
EXAMPLE = "workloads/topwords.yaml"


def test_a_file_of_ones_own_wins_over_an_example(tmp_path: Path) -> None:
    world, _, stderr = make_world(tmp_path)
    assert find_spec(EXAMPLE, world) == bundled("workloads", "topwords.yaml")
    assert stderr.getvalue() == (
        f"{EXAMPLE}: not in this folder; using the example {bundled(*EXAMPLE.split('/'))}\n"
    )
    (tmp_path / "workloads").mkdir()
    (tmp_path / EXAMPLE).write_text("")
    assert find_spec(EXAMPLE, world) == tmp_path / EXAMPLE


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", "there is no file `nowhere.yaml`"),
        ("spec.yaml/x", "cannot read `spec.yaml/x`: not a directory"),
        ("x" * 300, f"cannot read `{'x' * 300}`: file name too long"),
        (f"workloads/{'x' * 300}", f"there is no file `workloads/{'x' * 300}`"),
        (f"/{'x' * 300}", f"cannot read `/{'x' * 300}`: file name too long"),
        ("workloads/..", "there is no file `workloads/..`"),
    ],
)
def test_a_spec_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, message: str) -> None:
    write_spec(tmp_path)
    world, _, _ = make_world(tmp_path)
    with pytest.raises(UsageError) as caught:
        load(name, NOTHING, world)
    assert caught.value.message == message
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["workloads/topwords.yaml", "workloads/spec.yaml"])
def test_a_folder_that_may_not_be_searched(tmp_path: Path, name: str) -> None:
    world, _, _ = make_world(tmp_path)
    (tmp_path / "workloads").mkdir(mode=0o600)
    try:
        with pytest.raises(UsageError) as caught:
            load(name, NOTHING, world)
    finally:
        (tmp_path / "workloads").chmod(0o700)
    assert caught.value.message == f"cannot read `{name}`: permission denied"


def test_parameters_that_cannot_be_read(tmp_path: Path) -> None:
    write_spec(tmp_path)
    world, _, _ = make_world(tmp_path)
    with pytest.raises(UsageError) as caught:
        load("spec.yaml", argparse.Namespace(params="none.yaml", parameters=[]), world)
    assert caught.value.message == "cannot read `none.yaml`: no such file or directory"
