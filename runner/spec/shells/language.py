"""What there is to say about one shell: how its scripts are read and how values are written in it.

It knows no shell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from runner.frozen import dataclass
from runner.spec.shells.code import Misplaced
from runner.spec.shells.cursor import Fault
from runner.spec.shells.words import Word
from runner.spec.templates.expression import Expression
from runner.spec.templates.lookup import Scope

Part = str | Expression
"""Text of a script, or an expression in it."""

Renderer = Callable[[Scope], str]
"""What makes a command of the values; raises `TemplateError` with the faults of all expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A script that has been read: what is wrong with it, and what writes it with its values."""

    faults: tuple[Fault, ...]
    write: Callable[[Sequence[Part]], Renderer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One shell.

    `read` takes a script with a NUL for each expression, and which of them are raw. `check` refuses
    a text that cannot be quoted, `guard` keeps one that starts a word from being an option, and
    `quote_argument` writes an item of the list form (True: the first); all three raise
    `NoValueError`. `check_command` finds the expressions that are code in a simple command.
    `check_name` refuses a value as the name of a command.
    """

    read: Callable[[str, frozenset[int]], Draft]
    check: Callable[[str], None]
    guard: Callable[[str], str]
    quote_argument: Callable[[str, bool], str]
    check_command: Callable[[Sequence[Word]], Iterable[Misplaced]]
    check_name: Callable[[str], None]
