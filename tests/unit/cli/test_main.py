"""The process itself: signals before anything is loaded, and streams that are not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Sends itself the signal when a module is about to be imported, which no clock could hit.
PROGRAM = """
import os, sys
number, module, *words = sys.argv[1:]

def interrupt(event, arguments):
    if event == "import" and arguments[0] == module:
        os.kill(os.getpid(), int(number))

sys.addaudithook(interrupt)
sys.argv = ["batch-run", *words]
from runner.cli.main import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has signals of its own")
@pytest.mark.parametrize(
    ("number", "module"),
    [
        (signal.SIGINT, "runner.cli.signals"),
        (signal.SIGINT, "argparse"),
        (signal.SIGTERM, "runner.cli.table"),
        (signal.SIGHUP, "runner.cli.dispatch"),
    ],
)
def test_a_signal_while_the_program_is_loaded_ends_it_without_a_word(
    tmp_path: Path, number: signal.Signals, module: str
) -> None:
    assert run_program(tmp_path, number, module, "status") == (130, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has signals of its own")
def test_a_signal_while_a_command_is_loaded_is_told_as_one(tmp_path: Path) -> None:
    ended = run_program(tmp_path, signal.SIGINT, "runner.cli.examining", "doctor")
    assert ended == (130, b"", b"batch-run: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has signals of its own")
def test_a_signal_that_is_to_be_ignored_stays_ignored(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, str(int(signal.SIGHUP)), "argparse", "--version"]
    done = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def run_program(folder: Path, number: signal.Signals, *words: str) -> tuple[int, bytes, bytes]:
    """The exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(int(number)), *words],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes descriptors")
@pytest.mark.parametrize(
    ("closed", "reason"), [(">&-", "it is closed"), (">/dev/full", "no space left on device")]
)
@pytest.mark.parametrize("words", ["--version", "run --help"])
def test_data_that_nobody_can_have_is_told(
    tmp_path: Path, words: str, closed: str, reason: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m runner {words} {closed}', sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == f"batch-run: cannot write to standard output: {reason}\n"
