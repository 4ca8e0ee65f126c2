"""The manual page and the page of the command line: current, and good `man`."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from docs.generate_help import MANUAL, PAGE, make_manual, make_page
from runner.cli.help.texts import EXIT_CODES
from runner.cli.table import COMMANDS

OUTDATED = "the command line has changed: run `python docs/generate_help.py`"


def test_the_pages_are_current() -> None:
    assert MANUAL.read_text(encoding="utf-8") == make_manual(), OUTDATED
    assert PAGE.read_text(encoding="utf-8") == make_page(), OUTDATED


def test_the_manual_is_understood_by_groff_whole() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-c", "-P-b", "-P-u", "-rLL=78n"],
        input=make_manual(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    for command in COMMANDS:
        assert f"\n   batch-run {command.name}" in done.stdout
    for code, meaning in EXIT_CODES.items():
        assert f" {int(code)} " in done.stdout, meaning


def test_man_shows_it() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    done = subprocess.run(
        ["man", "--warnings", "-l", MANUAL], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith("BATCH-RUN(1)")
