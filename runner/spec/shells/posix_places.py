"""The places of a shell script where an expression may not stand, each with the way out.

It knows nothing of how a script is read.
"""

from __future__ import annotations

from runner.spec.shells.place import Place

RAW_HINT = "; where the value is meant to be code, end the expression in `| raw`"


_QUOTES_HINT = (
    "values need no quotes: take them away, or close them before the expression and open them"
    " again behind it"
)


class PosixPlace(Place):
    """A place whose text bash reads as something other than one word, and what to do instead."""

    DOUBLE_QUOTES = (
        "in double quotes",
        _QUOTES_HINT,
    )
    SINGLE_QUOTES = (
        "in single quotes",
        _QUOTES_HINT,
    )
    BACKTICKS = ("in backticks", "write `$( ... )` instead")
    HERE_DOCUMENT = (
        "in a here-document",
        "put it into a variable before, `x={{ ... }}`, and write `$x` here, delimiter unquoted",
    )
    DELIMITER = ("as the delimiter of a here-document", "write a word of your own, such as `EOF`")
    COMMENT = ("in a comment", "take it out; literal braces are `{{ '{{' }}`")
    ARITHMETIC = (
        "in shell arithmetic",
        "calculate in the expression itself: `{{ index + 1 }}`",
    )
    PARAMETER = (
        "in `${...}`",
        "put it into a variable before, `x={{ ... }}`, or write `{{ value | default('...') }}`",
    )
    SUBSCRIPT = (
        "in a subscript",
        "bash calculates subscripts; append to the list instead: `list+=({{ ... }})`",
    )
    DOLLAR = ("directly behind `$`", "take the `$` away: the expression is the value")
    BACKSLASH = ("directly behind a backslash", "take it away: values need no escaping")
    DESCRIPTOR = ("as a file descriptor", "write `> {{ ... }}` for a file, `&>` for both outputs")
    VARIABLE = ("as the name of a variable", "write a name of your own")
    FUNCTION = ("as the name of a function", "write a name of your own")
    SEQUENCE = ("in a brace sequence", "write `$(seq 1 {{ ... }})` instead")
    COMPARISON = (
        "as a number in `[[ ... ]]`",
        "`[[` calculates its numbers; write `[ ... ]` instead",
    )
