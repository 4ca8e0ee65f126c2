"""How a script travels: inline, as a variable, as a file; run by bash each time."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from runner.plan.command import SCRIPT_FILE, SCRIPT_VARIABLE, command_line
from runner.spec.shells.shell import Shell


def run(command_line: str, environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """As a node does: split, not through a shell."""
    done = subprocess.run(
        shlex.split(command_line),
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_plain_script_stands_in_the_line() -> None:
    command = command_line('cat a.txt | sort > "b.txt"', Shell.BASH, {"A": "1"}, task="0001")
    assert command.line == "/bin/bash -c 'set -e -o pipefail; cat a.txt | sort > \"b.txt\"'"
    assert command.environment == {"A": "1"}
    assert command.script_file is None


@pytest.mark.parametrize("script", ["echo 'a'", "echo a\necho b", "echo a\\b", "echo \u202e"])
def test_a_script_that_a_line_may_not_hold_is_a_variable(script: str) -> None:
    command = command_line(script, Shell.BASH, {}, task="0001")
    assert command.line == "/bin/bash -c 'set -e -o pipefail; eval \"$BATCH_RUN_SCRIPT\"'"
    assert command.environment == {SCRIPT_VARIABLE: script}


def test_a_long_script_is_a_file() -> None:
    script = "echo 'x'\n" * 20_000
    command = command_line(script, Shell.BASH, {}, task="0001")
    assert command.line == f"/bin/bash -c 'set -e -o pipefail; . ./{SCRIPT_FILE}'"
    assert command.script_file is not None
    assert command.script_file.startswith("0001/script-")
    assert command.script_name == SCRIPT_FILE
    assert command.environment == {}


SCRIPTS = [
    ('echo a b; echo "c d"', (0, "a b\nc d\n")),
    ("echo 'it is'; echo \"x\"", (0, "it is\nx\n")),
    ("false; echo never", (1, "")),
    ("false | cat; echo never", (1, "")),
    ("echo '1'\nfalse\necho never", (1, "1\n")),
    ("exit 7", (7, "")),
    ("echo 'x'; exit 7", (7, "x\n")),
    ("cat <<'EOF'\n$HOME `x`\nEOF", (0, "$HOME `x`\n")),
    ("if false; then echo a; else echo 'b'; fi", (0, "b\n")),
    ("printf '%s' 'a\\nb'", (0, "a\\nb")),
]


@pytest.mark.parametrize(("script", "wanted"), SCRIPTS)
def test_bash_does_what_is_written(script: str, wanted: tuple[int, str], tmp_path: Path) -> None:
    command = command_line(script, Shell.BASH, {}, task="0001")
    assert run(command.line, dict(command.environment), tmp_path) == wanted


def test_a_file_does_what_is_written(tmp_path: Path) -> None:
    command = command_line(
        "echo 'x'\n" * 20_000 + "false\necho never\n", Shell.BASH, {}, task="0001"
    )
    (tmp_path / SCRIPT_FILE).write_text(command.script)
    assert run(command.line, dict(command.environment), tmp_path) == (1, "x\n" * 20_000)


SH_SCRIPTS = [
    ("echo a; exit 7", (7, "a\n")),
    ("false; echo never", (1, "")),
    ("echo 'it'\nfalse\necho never", (1, "it\n")),
    ("printf '%s' 'a\\b'", (0, "a\\b")),
    ("echo 'x'\n" * 20_000 + "false\necho never\n", (1, "x\n" * 20_000)),
]


@pytest.mark.parametrize(("script", "wanted"), SH_SCRIPTS)
def test_sh_does_what_is_written(script: str, wanted: tuple[int, str], tmp_path: Path) -> None:
    command = command_line(script, Shell.SH, {"A": "1"}, task="0001")
    assert command.line.startswith("/bin/sh -c 'set -e; ")
    assert "pipefail" not in command.line
    if command.script_name is not None:
        (tmp_path / command.script_name).write_text(command.script)
    assert run(command.line, dict(command.environment), tmp_path) == wanted


def test_without_a_shell_the_script_is_the_line() -> None:
    command = command_line('prog "a b" c', Shell.NONE, {"A": "1"}, task="0001")
    assert (command.line, command.script) == ('prog "a b" c', 'prog "a b" c')
    assert command.environment == {"A": "1"}
    assert (command.script_file, command.script_name) == (None, None)
