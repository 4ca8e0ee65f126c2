"""What help says: commands by purpose, examples that are understood, exit codes, in every width."""

from __future__ import annotations

import re
import shlex

import pytest

from runner.cli.help.texts import (
    EXAMPLES,
    EXIT_CODES,
    all_commands,
    by_purpose,
    columns,
    one_command,
    split_examples,
)
from runner.cli.parser import build_parser, parse
from runner.cli.table import COMMANDS, Command
from runner.errors import ExitCode

NAMES = [command.name for command in COMMANDS]


def test_every_command_has_its_place_in_the_list() -> None:
    assert sorted(each.name for _, commands in by_purpose() for each in commands) == sorted(NAMES)


def test_every_exit_code_has_its_meaning() -> None:
    assert {*EXIT_CODES} == {*ExitCode}


@pytest.mark.parametrize("width", [38, 78, 98])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    texts = [all_commands(width), *(one_command(command, width) for command in COMMANDS)]
    longest = max(
        len(command) + 2 for text in all_examples() for command, _ in split_examples(text)
    )
    for before, behind in texts:
        for line in (*before.splitlines(), *behind.splitlines()):
            assert len(line) <= max(width, longest), line


def test_words_stand_beside_where_there_is_room_and_below_where_there_is_none() -> None:
    rows = [("run it", "a word for it"), ("run", "more than one word for it")]
    assert [*columns(rows, width=31)] == [
        "  run it   a word for it",
        "  run      more than one word",
        "           for it",
    ]
    assert [*columns(rows, width=30)] == [
        "  run it",
        "      a word for it",
        "  run",
        "      more than one word for",
        "      it",
    ]


def all_examples() -> list[str]:
    return [EXAMPLES, *(command.examples for command in COMMANDS if command.examples)]


def lines_of(text: str) -> list[list[str]]:
    """The words of each example, without what a shell does with its output."""
    return [shlex.split(re.split(" >>? ", command)[0]) for command, _ in split_examples(text)]


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each.examples], ids=lambda command: command.name
)
def test_examples_are_of_their_command_and_are_understood(command: Command) -> None:
    for words in lines_of(command.examples):
        assert words[0] == "batch-run"
        given = words[1:] if words[1] in NAMES else ["run", *words[1:]]
        assert parse(given).command.name == command.name, words


def test_examples_of_the_program_are_understood() -> None:
    for words in lines_of(EXAMPLES):
        parse(words[1:] if words[1] in NAMES else ["run", *words[1:]])


def test_every_example_says_what_it_is_for() -> None:
    for text in all_examples():
        for command, meaning in split_examples(text):
            assert command
            assert meaning, command


def test_every_command_has_examples() -> None:
    parser = build_parser(())
    for command in COMMANDS:
        assert command.examples or command.name == "emulator", command.name
    assert "examples:" in parser.format_help()
