"""The places of a PowerShell script: where no expression may stand, and how values are passed.

It knows nothing of how a script is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from runner.spec.shells.place import Place


class PowerShellPlace(Place):
    """A place whose text PowerShell reads as something other than a value, and the way out."""

    SINGLE_QUOTES = ("in single quotes", 'write double quotes: `"...{{ ... }}"`')
    COMMENT = ("in a comment", "take it out; literal braces are `{{ '{{' }}`")
    BACKTICK = ("directly behind a backtick", "take it away: values need no escaping")
    VARIABLE = ("as the name of a variable", "write a name of your own; behind one: `${name}`")
    TYPE = ("in a type's name", "write a name of your own")
    COMMAND = (
        "where a command starts",
        "write `& {{ ... }}` to run what it names, `Write-Output {{ ... }}` to print it",
    )
    MIXED = ("beside quotes, variables or brackets", 'write the whole as `"...{{ ... }}..."`')
    PARAMETER = ("directly behind a parameter's `:`", "write a space instead of the `:`")
    MEMBER = ("beside other characters of a calculation", 'as text: `"...{{ ... }}..."`')
    METHOD = ("in arguments that are run as code", "write what is meant without it")
    ELSEWHERE = (
        "in a block that runs elsewhere",
        "put it into a variable before, `$x = {{ ... }}`, and write `$using:x` here",
    )


class Passing(Enum):
    """What stands in an expression's place."""

    WORD = auto()  # an argument of its own
    PART = auto()  # of an argument that is written as an expandable string
    TEXT = auto()  # in an expandable string of the author
    VALUE = auto()  # in a calculation: numbers stay numbers


@dataclass(slots=True)
class PowerShellPlacement:
    """How one expression's value is passed.

    `is_argument`: it may go to a program, for which Windows PowerShell escapes nothing. `is_last`:
    nothing follows it in its text. `may_be_bare`: a plain value may stand without a variable.
    """

    passing: Passing = Passing.WORD
    is_argument: bool = False
    is_last: bool = True
    may_be_bare: bool = True
    starts_word: bool = False
    follows_expressions: bool = False
    is_command: bool = False
