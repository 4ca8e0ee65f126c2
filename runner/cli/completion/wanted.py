"""What may stand at the end of a command line: an option, or a word of some kind.

It knows the parser and nothing of files, runs or shells.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from enum import Enum

from runner.cli.parser import Parser, build_parser, build_subparser
from runner.cli.table import COMMANDS
from runner.frozen import dataclass


class Kind(Enum):
    """What a word is; the value is the metavar by which options and arguments say so."""

    COMMAND = "COMMAND"
    SPEC = "SPEC"
    FILE = "FILE"
    FOLDER = "DIR"
    RUN = "RUN"
    TASK = "TASK"
    TASK_OR_RUN = "TASK RUN"
    ONE_TASK = "ID"
    SOME_TASKS = "failed|ID,..."
    PARAMETER = "NAME=VALUE"
    EXAMPLE = "WORKLOAD"
    SCHEMA = "SCHEMA"
    PRICES = "FILE|azure"
    NODE = "NODE"
    EVENT_TYPE = "TYPE"
    FREE = ""
    """Whatever one likes: nothing can be offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A word that may stand there, and what it means."""

    word: str
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the last word may be: one of `offers`, or something of a `kind`.

    `typed` is the part of the word that is compared; `kept` stands before it and stays as it is
    (`--output=`). `words` are those before it that are neither options nor their values.
    """

    typed: str
    kept: str = ""
    kind: Kind = Kind.FREE
    offers: tuple[Offer, ...] = ()
    words: tuple[str, ...] = ()


def find_wanted(words: Sequence[str]) -> Wanted:
    """What the last of the words behind `batch-run` may be; it may be empty."""
    *before, typed = words
    if not before:
        if typed.startswith("-"):
            return Wanted(typed=typed, offers=_options(build_parser(()), set()))
        return Wanted(typed=typed, kind=Kind.SPEC, offers=_commands())
    names = {command.name for command in COMMANDS}
    name, given = (before[0], before[1:]) if before[0] in names else ("run", before)
    parser = build_subparser(name)
    options = {option: each for each in parser.actions for option in each.option_strings}
    waiting: argparse.Action | None = None
    positional: list[str] = []
    used: set[argparse.Action] = set()
    only_words = False
    for word in given:
        if waiting is not None:
            waiting = None
        elif only_words or not word.startswith("-") or word == "-":
            positional.append(word)
        elif word == "--":
            only_words = True
        elif (action := options.get(word.partition("=")[0])) is not None:
            used.add(action)
            waiting = action if action.nargs != 0 and "=" not in word else None
    before_it = tuple(positional)
    if waiting is not None:
        return _value(waiting, typed, before_it)
    option, equals, value = typed.partition("=")
    if equals and option in options and not only_words:
        return _value(options[option], value, before_it, kept=f"{option}=")
    mine = _own_word(parser, len(positional))
    if not only_words and (typed.startswith("-") or (mine is None and not typed)):
        return Wanted(typed=typed, offers=_options(parser, used), words=before_it)
    return Wanted(typed=typed) if mine is None else _value(mine, typed, before_it)


def _value(
    action: argparse.Action, typed: str, words: tuple[str, ...], *, kept: str = ""
) -> Wanted:
    if action.choices is not None:
        offers = tuple(Offer(word=str(each)) for each in action.choices)
        return Wanted(typed=typed, kept=kept, offers=offers, words=words)
    known = {kind.value: kind for kind in Kind}
    kind = known.get(action.metavar if isinstance(action.metavar, str) else "", Kind.FREE)
    offers = _commands() if kind is Kind.COMMAND else ()
    return Wanted(typed=typed, kept=kept, kind=kind, offers=offers, words=words)


def _own_word(parser: Parser, number: int) -> argparse.Action | None:
    """The argument that a word behind `number` others is; None where it is one too many."""
    actions = [each for each in parser.actions if not each.option_strings]
    if number < len(actions):
        return actions[number]
    return actions[-1] if actions and actions[-1].nargs in {"*", "+"} else None


def _options(parser: Parser, used: set[argparse.Action]) -> tuple[Offer, ...]:
    """The long form of each option that is not there yet, or may be there again."""
    actions = [each for each in parser.actions if each.option_strings]
    repeatable = [each for each in actions if isinstance(each.default, list)]
    return tuple(
        Offer(word=each.option_strings[-1], meaning=_meaning(parser, each))
        for each in actions
        if (each not in used or each in repeatable) and each.help != argparse.SUPPRESS
    )


def _meaning(parser: Parser, action: argparse.Action) -> str:
    """The help of an option, as `--help` has it, in one line."""
    text = action.help or ""
    values = {**vars(action), "prog": parser.prog}
    return " ".join((text % values).split()) if "%" in text else text


def _commands() -> tuple[Offer, ...]:
    return tuple(Offer(word=each.name, meaning=each.summary) for each in COMMANDS)
