"""A run that is taken up again after its pool has given its nodes back has them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ExitCode
from runner.spec.model.pool import FixedNodes
from tests.fakes.plans import SPEC
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

WAITS = SPEC + "limits: {wait: 5m}\n"


def left(folder: Path, spec: str = WAITS) -> Stage:
    """A run that nobody has waited for."""
    stage = Stage(folder, spec)
    stage.batch.end = lambda task: None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    assert stage.batch.sizes == []
    stage.batch.end = lambda task: TaskEnd()
    return stage


def test_nodes_that_were_given_back_come_again(tmp_path: Path) -> None:
    stage = left(tmp_path)
    stage.batch.target_nodes = 0

    assert stage.resume().exit_code == ExitCode.SUCCESS

    assert stage.batch.sizes == [FixedNodes(dedicated=1, spot=0)]


def test_nodes_that_are_there_are_let_be(tmp_path: Path) -> None:
    stage = left(tmp_path)
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.batch.sizes == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  nodes:", "  keep: 30m\n  nodes:"),
        ("  nodes: {dedicated: 1}", "  autoscale: {scenario: tasks, max: 2}"),
    ],
)
def test_other_pools_have_ends_and_sizes_of_their_own(
    tmp_path: Path, before: str, after: str
) -> None:
    assert before in WAITS
    stage = left(tmp_path, WAITS.replace(before, after))
    stage.batch.target_nodes = 0
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.batch.sizes == []
