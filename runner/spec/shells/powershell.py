"""Values in PowerShell scripts: in place where they are plain words, else in variables.

A value that is not plain is assigned in single quotes before the script, and `${v1}` stands in its
place. It knows nothing of how the places in a script are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, count

from runner.spec.shells.language import Draft, Language, Part, Renderer
from runner.spec.shells.passing import is_list, value_fault, word_of, words_of
from runner.spec.shells.powershell_lexer import read_powershell_script
from runner.spec.shells.powershell_places import Passing, PowerShellPlacement
from runner.spec.shells.powershell_strings import SINGLE_QUOTES
from runner.spec.shells.powershell_words import check_arguments, evaluates
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.values import NoValueError, is_number

_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*|-?(?:0|[1-9][0-9]{0,15})", re.ASCII)
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./:=+,@% -]*", re.ASCII)
_VARIABLE = re.compile(r"(?<![A-Za-z0-9_])v[1-9][0-9]*", re.ASCII | re.IGNORECASE)
_QUOTE = re.compile(f"[{SINGLE_QUOTES}]")


def quote(text: str) -> str:
    """The text in single quotes; what PowerShell takes for one of them is doubled."""
    return "'" + _QUOTE.sub(lambda found: found.group() * 2, text) + "'"


def _check_nul(text: str) -> None:
    if "\0" in text:
        raise NoValueError("the value holds a NUL character")


def _check(text: str) -> None:
    """What Windows PowerShell does not pass to a program as it is."""
    _check_nul(text)
    if '"' in text:
        message = 'the value holds `"`, which Windows PowerShell does not keep in an argument'
        raise NoValueError(message, "write it to a file, and let the program read that")


def _guard(text: str) -> str:
    if text.startswith("/"):
        message = "the value starts with `/`, which programs of Windows read as an option"
        raise NoValueError(message, "write something before it, as in `--name={{ ... }}`")
    return f".\\{text}" if text.startswith("-") else text


def _check_whole(text: str) -> None:
    """What holds of an argument that is one value."""
    if not text:
        message = "the value is empty, and Windows PowerShell drops an argument that is empty"
        raise NoValueError(message, "write it with its option: `--name={{ ... }}`")
    if text.endswith("\\") and re.search(r"\s", text):
        _check_end(text)


def _check_end(text: str) -> None:
    if text.endswith("\\"):
        message = "the value ends in a backslash, which takes a quote into the argument"
        raise NoValueError(message, "leave it away, or write `.` behind it")


def _quote_argument(text: str, is_first: bool) -> str:
    _check_whole(text)
    if is_first:
        return f"& {quote(text)}"
    return text if _PLAIN_WORD.fullmatch(text) else quote(text)


def _check_name(text: str) -> None:
    if evaluates(text):
        raise NoValueError(f"a value cannot name `{text}`, which runs its arguments as code")


def _read(script: str, raw_holes: frozenset[int]) -> Draft:
    reading = read_powershell_script(script, raw_holes)
    return Draft(faults=reading.faults, write=partial(_write, reading.placements, reading.quotes))


POWERSHELL = Language(
    read=_read,
    check=_check,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_arguments,
    check_name=_check_name,
)
_ANY_TEXT = Language(
    read=_read,
    check=_check_nul,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_arguments,
    check_name=_check_name,
)


def _write(
    placements: Sequence[PowerShellPlacement], quotes: Sequence[int], parts: Sequence[Part]
) -> Renderer:
    following = iter(placements)
    starts = accumulate((len(part) if isinstance(part, str) else 1 for part in parts), initial=0)
    placed: list[str | tuple[Expression, PowerShellPlacement]] = []
    for part, start in zip(parts, starts, strict=False):
        end = start + (len(part) if isinstance(part, str) else 1)
        inside = [place - start for place in quotes if start <= place < end]
        if not isinstance(part, str):
            placed.extend('"' for _ in inside)
            placed.append((part, next(following)))
            continue
        for cut, previous in zip([*inside, len(part)], [0, *inside], strict=True):
            placed.append(part[previous:cut] + ('"' if cut < len(part) else ""))
    placed.extend('"' for place in quotes if place == sum(_lengths(parts)))
    return _Script(placed).render


def _lengths(parts: Sequence[Part]) -> Iterator[int]:
    return (len(part) if isinstance(part, str) else 1 for part in parts)


@dataclass(slots=True)
class _Assignments:
    names: Iterator[str]
    variables: dict[str, str] = field(default_factory=dict)

    def reference(self, value: str) -> str:
        if value not in self.variables:
            self.variables[value] = next(self.names)
        return f"${{{self.variables[value]}}}"


class _Script:
    """A script with expressions, read once and rendered many times."""

    def __init__(self, parts: Sequence[str | tuple[Expression, PowerShellPlacement]]) -> None:
        self._parts = tuple(parts)
        written = "\0".join(part for part in parts if isinstance(part, str))
        self._taken = frozenset(name.lower() for name in _VARIABLE.findall(written))

    def render(self, scope: Scope) -> str:
        """The script, with the assignments it needs before it."""
        taken = self._taken | self._taken_by_raw(scope)
        names = (name for name in map("v{}".format, count(1)) if name not in taken)
        assignments = _Assignments(names)
        rendered: list[str] = []
        faults: list[TemplateFault] = []
        is_blank = False
        for part in self._parts:
            if isinstance(part, str):
                rendered.append(part)
                continue
            expression, placement = part
            follows = placement.follows_expressions
            starts_word = placement.starts_word and (is_blank or not follows)
            try:
                text = _pass(expression, placement, scope, assignments, starts_word=starts_word)
            except TemplateError as error:
                faults.extend(error.faults)
                continue
            is_blank = starts_word and not text
            rendered.append(text)
        if faults:
            raise TemplateError(faults)
        before = (f"${name} = {quote(value)}; " for value, name in assignments.variables.items())
        return "".join(before) + "".join(rendered)

    def _taken_by_raw(self, scope: Scope) -> frozenset[str]:
        """The variables that raw values name; what is wrong with one is said where it stands."""
        names: set[str] = set()
        for part in self._parts:
            if not isinstance(part, str) and part[0].is_raw:
                try:
                    text = word_of(part[0], scope, _ANY_TEXT)
                except TemplateError:
                    continue
                names.update(name.lower() for name in _VARIABLE.findall(text))
        return frozenset(names)


def _pass(
    expression: Expression,
    placement: PowerShellPlacement,
    scope: Scope,
    assignments: _Assignments,
    *,
    starts_word: bool,
) -> str:
    """What stands in an expression's place."""
    if expression.is_raw:
        return word_of(expression, scope, _ANY_TEXT)
    if placement.passing is Passing.VALUE:
        return _value(expression, scope, assignments)
    language = POWERSHELL if placement.is_argument else _ANY_TEXT
    is_word = placement.passing is Passing.WORD
    if is_word and not placement.is_command and is_list(expression, scope):
        texts = words_of(expression, scope, language)
    else:
        texts = (word_of(expression, scope, language, starts_word=starts_word),)
    try:
        for text in texts:
            if is_word:
                _check_whole(text)
            elif placement.is_argument and placement.is_last:
                _check_end(text)
            if placement.is_command:
                _check_name(text)
    except NoValueError as error:
        raise TemplateError((value_fault(expression, error),)) from error
    plain = _PLAIN_WORD if is_word else _PLAIN_TEXT
    return " ".join(
        text if placement.may_be_bare and plain.fullmatch(text) else assignments.reference(text)
        for text in texts
    )


def _value(expression: Expression, scope: Scope, assignments: _Assignments) -> str:
    """A value of a calculation: numbers and booleans as such, and a list as one."""
    value = expression.evaluate(scope)
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if is_list(expression, scope):
        texts = words_of(expression, scope, _VERBATIM)
        assert isinstance(value, Sequence)
        items = (
            text if is_number(item) else assignments.reference(text)
            for item, text in zip(value, texts, strict=True)
        )
        return f"@({', '.join(items)})"
    text = word_of(expression, scope, _ANY_TEXT)
    if is_number(value):
        return f"({text})" if text.startswith("-") else text
    return assignments.reference(text)


def _keep(text: str) -> str:
    return text


_VERBATIM = Language(
    read=_read,
    check=_check_nul,
    guard=_keep,
    quote_argument=_quote_argument,
    check_command=check_arguments,
    check_name=_check_name,
)
