"""The examples of every command's help run, and end as they should.

Those that drive a run are run as a user runs them, the others within this process.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.dispatch import run_command
from runner.cli.help.texts import EXAMPLES, split_examples
from runner.cli.signals import Interruptions
from runner.cli.table import COMMANDS
from tests.e2e.conftest import Emulator, User
from tests.unit.cli.worlds import make_world

SPEC = """\
version: 1
name: mine
parameters:
  bitrate: {type: string, default: 192k, description: bit rate}
containers: {output: {download: true}}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
task:
  for_each: {range: {from: 1, to: 20}}
  command: |
    echo {{ item }} | tee /dev/stderr
    test {{ item }} != 7
    echo {{ parameters.bitrate }} > page.txt
  outputs: [{pattern: page.txt, to: output, path: "{{ item }}.txt"}]
"""
DRIVING = {"run", "resume", "attach", "doctor", "cancel", "clean"}
"""Commands that open the services: they are run in processes of their own."""
RUNS = {"run", "resume", "attach"}
"""Commands that end as a run does: 1 where it is one of which a task fails."""
SILENT = {"batch-run events --from 101"}
"""Examples that print nothing of so short a run."""
QUESTIONS_TO_NODES = {"batch-run logs --start-task"}
"""Examples that need nodes: what start tasks print is kept of those alone where they failed."""


def all_examples() -> Iterator[tuple[str, str]]:
    for command in COMMANDS:
        if command.examples:
            yield from ((command.name, line) for line, _ in split_examples(command.examples))
    names = {command.name for command in COMMANDS}
    for line, _ in split_examples(EXAMPLES):
        word = line.split()[1]
        yield (word if word in names else "run"), line


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, user_environ: dict[str, str]) -> User:
    """A folder with the spec of the examples, and two runs of it."""
    user = User(tmp_path_factory.mktemp("used"), user_environ)
    user.write("mine.yaml", SPEC)
    user.write("spec.yaml", SPEC)
    user.write("secrets.yaml", "{}\n")
    for bitrate in ("96k", "192k"):
        done = user.run("run", "mine.yaml", "-p", f"bitrate={bitrate}", "-q")
        assert done.returncode == 1, done.stderr
    return user


def in_this_folder(line: str, folder: Path) -> list[str]:
    """The words of an example, with the runs that are there in place of those that it names."""
    runs = sorted(path.name for path in (folder / ".batch-run" / "runs").glob("mine-*"))
    left = iter(runs)
    text = re.sub(r"mine-2026\d*", lambda _: next(left), re.split(" >>? ", line)[0])
    words = shlex.split(text)[1:]
    return [
        name
        for word in words
        for name in (["mine.yaml", "spec.yaml"] if word == "*.yaml" else [word])
    ]


def drives(name: str, line: str) -> bool:
    return name in DRIVING or "--target azure" in line


LINES = sorted(dict.fromkeys(all_examples()))
QUIET = [line for name, line in LINES if not drives(name, line) and line not in QUESTIONS_TO_NODES]


@pytest.mark.parametrize("line", QUIET)
def test_an_example_that_looks(line: str, used: User, tmp_path: Path) -> None:
    folder = tmp_path if line.startswith("batch-run new ") else used.folder
    world, stdout, stderr = make_world(folder)
    assert run_command(in_this_folder(line, folder), world, Interruptions()) == 0, stderr.getvalue()
    assert stdout.content != b"" or stderr.getvalue() != "" or line in SILENT


def test_examples_that_drive_runs(used: User, emulator: Emulator) -> None:
    wrong = {}
    for name, line in LINES:
        if not drives(name, line):
            continue
        user = used.with_environ(**emulator.environ) if "--target azure" in line else used
        done = user.run(*in_this_folder(line, used.folder))
        if done.returncode not in ({0, 1} if name in RUNS else {0}):
            wrong[line] = (done.returncode, done.stderr)
    assert wrong == {}
