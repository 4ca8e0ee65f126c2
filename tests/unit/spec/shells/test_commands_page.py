"""The examples of the page on commands are what commands become."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.spec.shells.script import compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.values import written_text

PAGE = Path(__file__).parents[4] / "docs" / "commands.md"
SCOPE = {
    "name": "plain.mp4",
    "two": "two words",
    "dash": "-rf",
    "n": -3,
    "cell": written_text("-3"),
    "files": [{"path": "a.txt"}, {"path": "b c.txt"}],
    "none_yet": [],
}


def examples() -> list[tuple[Shell, str, str]]:
    found: list[tuple[Shell, str, str]] = []
    shell: Shell | None = None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"## (?:`(\w+)`|.*)", line)
        if heading is not None:
            shell = Shell(heading.group(1)) if heading.group(1) else None
        row = re.fullmatch(r"\| `(.*)` \| `(.*)` \|", line)
        if row is not None and shell is not None:
            found.append((shell, row.group(1).replace("\\|", "|"), row.group(2)))
    return found


def test_there_are_examples_of_every_shell_but_sh() -> None:
    assert {shell for shell, _, _ in examples()} == set(Shell) - {Shell.SH}


@pytest.mark.parametrize(("shell", "written", "runs"), examples())
def test_what_the_page_shows(shell: Shell, written: str, runs: str) -> None:
    assert compile_command(written, shell).render(SCOPE) == runs
