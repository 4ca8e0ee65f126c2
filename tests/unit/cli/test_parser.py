"""The command line as it is understood, and what is said of one that makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.dispatch import run_command
from runner.cli.parser import Parser, build_parser, build_subparser
from runner.cli.signals import Interruptions
from runner.cli.table import COMMANDS
from tests.unit.cli.worlds import make_world

NAMES = [command.name for command in COMMANDS]
METAVARS = {
    *("SPEC", "RUN", "TASK", "TASK RUN", "COMMAND", "WORKLOAD", "NAME", "SHELL"),
    *(
        "FILE",
        "FILE|azure",
        "DIR",
        "ID",
        "SCHEMA",
        "NAME=VALUE",
        "failed|ID,...",
        "TIME",
        "N",
        "TYPE",
        "NODE",
    ),
}
"""What one can be asked for: completion goes by these words, and so do readers of several helps."""
OWN_METAVARS = {"emulator"}
"""Commands whose options belong to a program that is no part of the runner."""


def said(folder: Path, *words: str) -> tuple[int, str]:
    world, _, stderr = make_world(folder)
    return run_command(words, world, Interruptions()), stderr.getvalue()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "run",
            (
                "batch-run: the following arguments are required: SPEC\n"
                "  hint: `batch-run run --help` shows what there is\n"
            ),
        ),
        (
            "run a.yaml --outptu x",
            (
                "batch-run: `batch-run run` has no option `--outptu`\n"
                "  hint: did you mean `--output`? `batch-run run --help` shows what there is\n"
            ),
        ),
        # A word that is missing may be what comes of one that is misspelt.
        (
            "validate --jsn",
            (
                "batch-run: `batch-run validate` has no option `--jsn`\n"
                "  hint: did you mean `--json`? `batch-run validate --help` shows what there is\n"
            ),
        ),
        (
            "--xyzzy",
            (
                "batch-run: `batch-run run` has no option `--xyzzy`\n"
                "  hint: `batch-run run --help` shows what there is\n"
            ),
        ),
        (
            "status --xyzzy=1",
            (
                "batch-run: `batch-run status` has no option `--xyzzy`\n"
                "  hint: `batch-run status --help` shows what there is\n"
            ),
        ),
        (
            "cancel one two",
            (
                "batch-run: `two` is one word too many\n"
                "  hint: `batch-run cancel --help` shows what there is\n"
            ),
        ),
        (
            "run a.yaml --output",
            (
                "batch-run: --output: expected one argument\n"
                "  hint: `batch-run run --help` shows what there is\n"
            ),
        ),
        (
            "help statis",
            (
                "batch-run: there is no command `statis`\n"
                "  hint: did you mean `status`? commands: "
                + ", ".join(f"`{name}`" for name in NAMES[:20])
                + (", ..." if len(NAMES) > 20 else "")
                + "\n"
            ),
        ),
    ],
)
def test_a_line_that_makes_no_sense_is_told_in_two_lines(
    tmp_path: Path, line: str, message: str
) -> None:
    assert said(tmp_path, *line.split()) == (2, message)


def test_without_a_command_one_is_shown_what_there_is(tmp_path: Path) -> None:
    code, text = said(tmp_path)
    assert code == 2
    assert text == build_parser(()).format_help()


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_does(name: str) -> None:
    for action in build_subparser(name).actions:
        assert action.help, (name, action.option_strings or action.dest)
        if action.choices is None and action.nargs != 0 and name not in OWN_METAVARS:
            assert action.metavar in METAVARS, (name, action.dest)


SEVERAL_MEANINGS = {"--from", "--output", "--run"}
"""Options of which each command has its own: an example or a number, a folder or a file."""


def test_options_of_one_name_say_what_they_want_in_one_word() -> None:
    wants: dict[str, set[str]] = {}
    for name in NAMES:
        if name in OWN_METAVARS:
            continue
        for action in build_subparser(name).actions:
            for option in action.option_strings:
                wants.setdefault(option, set()).add(str(action.metavar or action.choices))
    assert {option for option, words in wants.items() if len(words) > 1} <= SEVERAL_MEANINGS


@pytest.mark.parametrize("name", NAMES)
def test_every_option_with_a_value_says_what_holds_without_it(name: str) -> None:
    for action in build_subparser(name).actions:
        if action.option_strings and action.nargs != 0 and name not in OWN_METAVARS:
            assert "default: " in (action.help or ""), (name, action.option_strings)


def test_a_parser_is_of_our_kind_throughout() -> None:
    assert all(isinstance(build_subparser(name), Parser) for name in NAMES)
