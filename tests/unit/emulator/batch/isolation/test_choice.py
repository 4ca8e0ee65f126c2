"""What is chosen where."""

from __future__ import annotations

import os
import sys

import pytest

from runner.cli.commands.run import ISOLATIONS
from runner.emulator.batch.isolation.choice import CHOICES, IsolationError, Kind, find_kind
from tests.unit.emulator.batch.isolation.conftest import Nodes

is_root_on_linux = sys.platform == "linux" and os.geteuid() == 0


def test_both_commands_know_the_same_choices() -> None:
    assert ISOLATIONS == CHOICES


def test_none_is_always_possible() -> None:
    choice = find_kind("none", os.environ)
    assert (choice.kind, choice.describe()) == (
        Kind.NONE,
        "nodes are folders, and tasks are processes of this machine",
    )
    assert not choice.isolation.runs_admin


def test_copy_on_write_is_the_best(nodes: Nodes) -> None:
    for asked in ("auto", "copy-on-write"):
        choice = find_kind(asked, os.environ)
        assert (choice.kind, choice.describe()) == (
            Kind.COPY_ON_WRITE,
            "nodes are copy-on-write views of this machine, which stays as it is",
        )
        assert choice.isolation.runs_admin


@pytest.mark.skipif(is_root_on_linux, reason="copy-on-write nodes may be possible here")
def test_what_does_not_work_here_is_said() -> None:
    why = "it needs root" if sys.platform == "linux" else "it needs Linux"
    with pytest.raises(IsolationError) as caught:
        find_kind("copy-on-write", os.environ)
    assert str(caught.value) == f"nodes cannot be copy-on-write views of this machine: {why}"
