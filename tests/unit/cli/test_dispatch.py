"""How the end of a command becomes an exit code, and what is said of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from typing_extensions import Buffer, override

from runner import __version__
from runner.cli.dispatch import run_command
from runner.cli.signals import Interruptions
from tests.unit.cli.worlds import Memory, make_world


class Broken(Memory):
    """A stream that fails as the system does."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    @override
    def write(self, data: Buffer, /) -> int:
        raise OSError(self._number, os.strerror(self._number))


def run(folder: Path, number: int, *words: str) -> tuple[int, str]:
    world, _, stderr = make_world(folder)
    world.stdout = Broken(number)
    return run_command(words, world, Interruptions()), stderr.getvalue()


@pytest.mark.parametrize(
    "line",
    ["--version", "--version --json", "--help", "plan --help", "help run", "schema", "__complete"],
)
def test_data_that_cannot_be_written_is_an_error(tmp_path: Path, line: str) -> None:
    line = "__complete bash st" if line == "__complete" else line
    told = "batch-run: cannot write to standard output: no space left on device\n"
    assert run(tmp_path, errno.ENOSPC, *line.split()) == (3, told)


def test_a_stream_that_was_closed_from_the_start_is_called_closed(tmp_path: Path) -> None:
    told = "batch-run: cannot write to standard output: it is closed\n"
    assert run(tmp_path, errno.EBADF, "--version") == (3, told)


def test_a_reader_that_has_gone_away_is_no_error(tmp_path: Path) -> None:
    assert run(tmp_path, errno.EPIPE, "--help") == (0, "")


def test_the_most_severe_of_two_errors_is_the_exit_code(tmp_path: Path) -> None:
    told = (
        f"batch-run: there is no run below `{tmp_path}/.batch-run/runs`\n"
        "  hint: runs are kept in the folder that they were started in\n"
        "batch-run: cannot write to standard output: no space left on device\n"
    )
    assert run(tmp_path, errno.ENOSPC, "status", "--json") == (2, told)


def test_help_and_version_are_data(tmp_path: Path) -> None:
    world, stdout, stderr = make_world(tmp_path)
    assert run_command(["--version"], world, Interruptions()) == 0
    assert (stdout.content, stderr.getvalue()) == (f"batch-run {__version__}\n".encode(), "")
