r"""Values on their way into a script: in place where they are plain words, else in variables.

A value that is not plain is assigned, quoted, before the script, and `"${v1}"` stands in its place.
It knows nothing of how the places in a script are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count

from runner.spec.expression import Expression
from runner.spec.fault import TemplateError, TemplateFault
from runner.spec.lookup import Scope
from runner.spec.shell_code import EVALUATING_BUILTINS
from runner.spec.shell_grammar import RESERVED
from runner.spec.shell_words import Inline, Placement
from runner.spec.template import text_of
from runner.spec.values import is_number

_PLAIN = re.compile(r"[A-Za-z0-9_./:=+,@%-]+", re.ASCII)
_VARIABLE = re.compile(r"v[1-9][0-9]*", re.ASCII)
# An exported function runs in other shells, which see only variables that are exported as well.
_EXPORTS_FUNCTIONS = re.compile(r"(?:export|declare|typeset)[ \t]+-[A-Za-z]*f")

Part = str | tuple[Expression, Placement]
"""Text of the script, or an expression and how its value is passed there."""


def quote(text: str) -> str:
    """The text in single quotes, which keep everything."""
    return "'" + text.replace("'", "'\\''") + "'"


def is_plain(text: str, inline: Inline) -> bool:
    """Whether bash reads the text as itself, in a place where that much may stand inline."""
    if inline is Inline.NEVER or _PLAIN.fullmatch(text) is None:
        return False
    return inline is Inline.ALWAYS or ("=" not in text and text not in RESERVED)


def word_of(expression: Expression, scope: Scope, *, starts_word: bool) -> str:
    """The text of a value; a leading `-` of text, not of a number, becomes `./-`.

    Raises `TemplateError`, also where the text holds what no argument can.
    """
    text = text_of(expression, scope)
    if "\0" in text:
        fault = expression.fault("bad-value", "the value holds a NUL character")
        raise TemplateError((fault,))
    if starts_word and text.startswith("-") and not is_number(expression.evaluate(scope)):
        return f"./{text}"
    return text


def check_command_name(expression: Expression, text: str) -> None:
    """Refuses a value that, as the name of a command, makes code of its arguments."""
    if text in EVALUATING_BUILTINS:
        message = f"a value cannot name the builtin `{text}`, which evaluates its arguments"
        raise TemplateError((expression.fault("bad-value", message),))


class Script:
    """A script with expressions, read once and rendered many times."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        written = "\0".join(part for part in parts if isinstance(part, str))
        self._taken = frozenset(_VARIABLE.findall(written))
        self._prefix = "export " if _EXPORTS_FUNCTIONS.search(written) else ""
        self._has_raw = any(not isinstance(part, str) and part[0].is_raw for part in parts)

    def render(self, scope: Scope) -> str:
        """The script, with the assignments it needs before it.

        Raises `TemplateError` with the faults of all expressions.
        """
        rendered: list[str | tuple[str]] = []  # a tuple holds a value for a variable
        faults: list[TemplateFault] = []
        is_blank = has_values = False
        for part in self._parts:
            if isinstance(part, str):
                rendered.append(part)
                continue
            expression, placement = part
            starts_word = placement.starts_word and (is_blank or not placement.follows_expressions)
            try:
                text = word_of(expression, scope, starts_word=starts_word and not expression.is_raw)
                if placement.is_command:
                    check_command_name(expression, text)
            except TemplateError as error:
                faults.extend(error.faults)
                continue
            is_blank = starts_word and not text
            if expression.is_raw or is_plain(text, placement.inline):
                rendered.append(text)
            else:
                rendered.append((text,))
                has_values = True
        if faults:
            raise TemplateError(faults)
        return self._assign(rendered) if has_values else "".join(map(str, rendered))

    def _assign(self, rendered: list[str | tuple[str]]) -> str:
        names = self._names(rendered)
        variables: dict[str, str] = {}
        script: list[str] = []
        for part in rendered:
            if isinstance(part, str):
                script.append(part)
                continue
            (value,) = part
            if value not in variables:
                variables[value] = next(names)
            script.append(f'"${{{variables[value]}}}"')
        assignments = "".join(
            f"{self._prefix}{name}={quote(value)}; " for value, name in variables.items()
        )
        return assignments + "".join(script)

    def _names(self, rendered: list[str | tuple[str]]) -> Iterator[str]:
        """`v1`, `v2`, ... without those that the script has itself."""
        taken = self._taken
        if self._has_raw:
            taken = taken.union(
                *(_VARIABLE.findall(part) for part in rendered if isinstance(part, str))
            )
        return (name for name in map("v{}".format, count(1)) if name not in taken)
