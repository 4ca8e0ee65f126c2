"""The parser of the command line: which commands there are, which options they have.

It knows the table of commands and nothing of what they do. It is made anew for each command line:
only the commands that are asked for get their options, since some cost an import.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from functools import partial
from typing import NoReturn

from typing_extensions import override

from runner import __version__
from runner.cli.table import COMMANDS, Command
from runner.errors import UsageError
from runner.spec.suggestion import closest

_NAMES = frozenset(command.name for command in COMMANDS)
_WIDEST = 100
"""Lines that are longer are hard to read, however wide the terminal is."""


class Parser(argparse.ArgumentParser):
    """Its errors are two lines, as all of ours are; the usage, which is longer, is in the help.

    What the help says around the options is laid out when it is shown, as wide as the terminal.
    """

    describe: Callable[[int], tuple[str, str]] | None = None
    """What stands before and behind the options, at a width in characters."""

    def __init__(self, *, prog: str, usage: str | None = None) -> None:
        # The formatter is made for each option, to look at it; without a width it would load what
        # asks the terminal each time.
        super().__init__(
            prog=prog,
            usage=usage,
            allow_abbrev=False,
            formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_WIDEST),
        )

    @property
    def actions(self) -> tuple[argparse.Action, ...]:
        """Options and arguments in their order: argparse has them, and no public way to them."""
        return tuple(self._actions)

    @override
    def format_help(self) -> str:
        from shutil import get_terminal_size

        width = min(get_terminal_size().columns, _WIDEST) - 2
        self.formatter_class = partial(argparse.RawDescriptionHelpFormatter, width=width)
        if self.describe is not None:
            self.description, self.epilog = self.describe(width)
        return super().format_help()

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(
            message.removeprefix("argument "),
            hint=f"`{self.prog} --help` shows what there is",
        )


def build_parser(chosen: Collection[str]) -> Parser:
    """All commands, and the options of those `chosen`: some cost an import.

    It raises `UsageError` for a line that makes no sense.
    """
    parser = Parser(prog="batch-run", usage="batch-run COMMAND ...\n       batch-run SPEC ...")
    parser.describe = _describe_all
    parser.add_argument("--version", action="version", version=f"batch-run {__version__}")
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, help=argparse.SUPPRESS, parser_class=Parser
    )
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, prog=f"batch-run {command.name}")
        if command.name in chosen:
            command.add_arguments(subparser)
        if subparser.epilog is None:  # what brings its own, has it all
            subparser.describe = partial(_describe, command)
        else:
            subparser.description = command.summary
        subparser.set_defaults(command=command)
    return parser


def build_subparser(name: str) -> Parser:
    """The parser of one command, with its options."""
    parser = build_parser((name,))
    (commands,) = (each for each in parser.actions if each.nargs == argparse.PARSER)
    assert isinstance(commands.choices, dict)
    found = commands.choices[name]
    assert isinstance(found, Parser)
    return found


def parse(words: list[str]) -> argparse.Namespace:
    """The line understood; raises `UsageError`, and `SystemExit` where help has been shown."""
    try:
        arguments, unknown = build_parser(words[:1]).parse_known_args(words)
    except UsageError as error:
        # A word that is missing is told after one that is misspelt.
        parser = build_subparser(words[0]) if words[0] in _NAMES else None
        odd = None if parser is None else _unknown_option(words[1:], parser)
        if parser is None or odd is None:
            raise
        raise _unknown(odd, parser) from error
    if unknown:
        raise _unknown(unknown[0], build_subparser(arguments.command.name))
    return arguments


def _unknown_option(words: list[str], parser: Parser) -> str | None:
    """The first option that the command does not have."""
    known = {name for each in parser.actions for name in each.option_strings}
    for word in words:
        if word == "--":
            return None
        if word.startswith("--") and word.partition("=")[0] not in known:
            return word
    return None


def _describe_all(width: int) -> tuple[str, str]:
    from runner.cli.help.texts import all_commands

    return all_commands(width)


def _describe(command: Command, width: int) -> tuple[str, str]:
    from runner.cli.help.texts import one_command

    return one_command(command, width)


def _unknown(word: str, parser: Parser) -> UsageError:
    """Options are compared with those that there are; a word more is just one too many."""
    if not word.startswith("-"):
        return UsageError(
            f"`{word}` is one word too many", hint=f"`{parser.prog} --help` shows what there is"
        )
    known = [name for each in parser.actions for name in each.option_strings]
    option = word.partition("=")[0]
    meant = closest(option, known)
    return UsageError(
        f"`{parser.prog}` has no option `{option}`",
        hint=f"{f'did you mean `{meant}`? ' if meant else ''}"
        f"`{parser.prog} --help` shows what there is",
    )
