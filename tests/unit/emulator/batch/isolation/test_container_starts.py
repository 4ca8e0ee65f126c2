"""What a command in a node's container says of its start, when tasks change what it said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.container_nodes import ContainerNodes
from runner.emulator.batch.isolation.engine import EngineContainers
from runner.emulator.batch.node.containers import NOT_LOGGED_IN, Access
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command


class Engine(EngineContainers):
    """An engine whose nodes start, and whose commands only change the file of their start."""

    def __init__(self, change: Callable[[Path], object]) -> None:
        super().__init__({})
        self._change = change
        self.asked: list[tuple[str, ...]] = []

    def pull(self, image: str, interruption: Interruption, access: Access = NOT_LOGGED_IN) -> None:
        del image, interruption, access

    def open(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        del words
        return subprocess.Popen(
            ["/bin/sh", "-c", "echo up; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, *words: str) -> None:
        self.asked.append(words)

    def attach(
        self,
        words: Sequence[str],
        inherited: Mapping[str, str],
        stdout: int,
        stderr: int,
        interruption: Interruption,
    ) -> int:
        del inherited, stdout, stderr, interruption
        (started,) = (Path(word) for word in words if word.endswith(".started"))
        self._change(started)
        return 0


def run(root: Path, change: Callable[[Path], object]) -> list[tuple[str, ...]]:
    """Runs a command in a node; what is asked of the engine afterwards."""
    engine = Engine(change)
    nodes = ContainerNodes(engine)
    command = Command(
        node=root,
        words=("true",),
        working_directory=root,
        environment={},
        stdout=1,
        stderr=2,
    )
    try:
        assert nodes.run(command, Interruption()) == 0
        return list(engine.asked)
    finally:
        nodes.close()


def test_the_rest_of_a_group_is_killed(tmp_path: Path) -> None:
    ((*_, script),) = run(tmp_path, lambda started: started.write_text("123\n"))
    assert script == "kill -9 -- -123"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("said", ["1; touch /tmp/x", "$(id)", "0", "12a", "9" * 100, "ü", ""])
def test_what_is_no_group_is_not_told_to_a_shell(tmp_path: Path, said: str) -> None:
    assert run(tmp_path, lambda started: started.write_text(said)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_read_but_removed(tmp_path: Path) -> None:
    root = tmp_path / "node"
    root.mkdir()
    (tmp_path / "of the machine").write_text("123")
    assert run(root, lambda started: started.symlink_to(tmp_path / "of the machine")) == []
    assert list(root.iterdir()) == []


def test_neither_a_pipe_nor_a_folder_stops_the_node(tmp_path: Path) -> None:
    assert run(tmp_path, os.mkfifo) == []
    assert run(tmp_path, Path.mkdir) == []
    assert list(tmp_path.iterdir()) == []
