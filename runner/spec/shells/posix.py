r"""Values in scripts for bash and sh: in place where they are plain words, else in variables.

A value that is not plain is assigned, quoted, before the script, and `"${v1}"` stands in its place.
It knows nothing of how the places in a script are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from runner.spec.shells.code import EVALUATING_BUILTINS, check_command
from runner.spec.shells.cursor import Fault
from runner.spec.shells.grammar import RESERVED
from runner.spec.shells.language import Draft, Language, Part, Renderer
from runner.spec.shells.passing import is_list, value_fault, word_of, words_of
from runner.spec.shells.posix_lexer import read_script
from runner.spec.shells.words import Inline, Placement
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import TemplateError, TemplateFault
from runner.spec.templates.lookup import Evaluate, Scope
from runner.spec.templates.values import NoValueError

_PLAIN = re.compile(r"[A-Za-z0-9_./:=+,@%-]+", re.ASCII)
# Text that nothing has to be looked at for, wherever a plain word may stand.
_COMMON = re.compile(r"[A-Za-z0-9_./:+,@%][A-Za-z0-9_./:+,@%-]*", re.ASCII)
_NUMBER = re.compile(r"(?:[+-]?[0-9][0-9A-Za-z.#@_]*)?", re.ASCII)
_VARIABLE = re.compile(r"v[1-9][0-9]*", re.ASCII)
# An exported function runs in other shells, which see only variables that are exported as well.
_EXPORTS_FUNCTIONS = re.compile(r"(?:export|declare|typeset)[ \t]+-[A-Za-z]*f")


def quote(text: str) -> str:
    """The text in single quotes, which keep everything."""
    return "'" + text.replace("'", "'\\''") + "'"


def is_plain(text: str, inline: Inline) -> bool:
    """Whether a shell reads the text as itself, in a place where that much may stand inline."""
    if inline is Inline.NEVER or _PLAIN.fullmatch(text) is None:
        return False
    return inline is Inline.ALWAYS or ("=" not in text and text not in RESERVED)


def _check(text: str) -> None:
    if "\0" in text:
        raise NoValueError("the value holds a NUL character")


def _guard(text: str) -> str:
    return f"./{text}" if text.startswith("-") else text


def _quote_argument(text: str, is_first: bool) -> str:
    inline = Inline.GUARDED if is_first else Inline.ALWAYS
    return text if is_plain(text, inline) else quote(text)


def _check_name(text: str) -> None:
    if text in EVALUATING_BUILTINS:
        message = f"a value cannot name the builtin `{text}`, which evaluates its arguments"
        raise NoValueError(message)


def _read_bash(script: str, raw_holes: frozenset[int]) -> Draft:
    reading = read_script(script, raw_holes)
    return Draft(faults=reading.faults, write=partial(_write, BASH, reading.placements))


def _read_sh(script: str, raw_holes: frozenset[int]) -> Draft:
    """As for bash, which reads all that is POSIX alike; what is bash's alone is refused."""
    reading = read_script(script, raw_holes)
    foreign = (
        Fault(
            position,
            len(shown),
            "not-posix",
            f"`{shown}` is bash, which sh reads as something else",
            "write `shell: bash`",
        )
        for position, shown in reading.extensions
    )
    faults = tuple(sorted((*reading.faults, *foreign), key=lambda fault: fault.position))
    return Draft(faults=faults, write=partial(_write, SH, reading.placements))


BASH = Language(
    read=_read_bash,
    check=_check,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_command,
    check_name=_check_name,
)
SH = Language(
    read=_read_sh,
    check=_check,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_command,
    check_name=_check_name,
)


def _write(language: Language, placements: Sequence[Placement], parts: Sequence[Part]) -> Renderer:
    following = iter(placements)
    placed = [part if isinstance(part, str) else (part, next(following)) for part in parts]
    return _Script(language, placed).render


@dataclass(slots=True)
class _Assignments:
    """The variables that values are passed in; a value that stands twice has one."""

    names: Iterator[str]
    variables: dict[str, str] = field(default_factory=dict)

    def reference(self, value: str) -> str:
        if value not in self.variables:
            self.variables[value] = next(self.names)
        return f'"${{{self.variables[value]}}}"'


def _check_numbers(expression: Expression, placement: Placement, texts: tuple[str, ...]) -> None:
    """A variable's text is code where bash calculates with it: `a[$(...)]` runs what is in it."""
    if placement.calculated is None or expression.is_raw:
        return
    if not all(map(_NUMBER.fullmatch, texts)):
        error = NoValueError(
            f"the script calculates with `{placement.calculated}`, and the value is no number",
            "end the expression in `| int`, or calculate in the expression itself",
        )
        raise TemplateError((value_fault(expression, error),))


_Rendered = str | tuple[str | tuple[str], ...]
"""Text, or words that stand in its place; what is in a tuple of its own goes into a variable."""


def _common_holes(
    parts: Sequence[str | tuple[Expression, Placement]],
) -> tuple[tuple[int, Evaluate], ...] | None:
    """Where values stand as they are if they are common words; None where one never does."""
    holes: list[tuple[int, Evaluate]] = []
    for index, part in enumerate(parts):
        if isinstance(part, str):
            continue
        expression, placement = part
        is_checked = placement.is_command or placement.calculated is not None
        if expression.is_raw or is_checked or placement.inline is Inline.NEVER:
            return None
        holes.append((index, expression.evaluate))
    return tuple(holes)


class _Script:
    """A script with expressions, read once and rendered many times."""

    def __init__(
        self, language: Language, parts: Sequence[str | tuple[Expression, Placement]]
    ) -> None:
        self._language = language
        self._parts = tuple(parts)
        written = "\0".join(part for part in parts if isinstance(part, str))
        self._taken = frozenset(_VARIABLE.findall(written))
        self._prefix = "export " if _EXPORTS_FUNCTIONS.search(written) else ""
        self._has_raw = any(not isinstance(part, str) and part[0].is_raw for part in parts)
        self._written = [part if isinstance(part, str) else "" for part in parts]
        self._holes = _common_holes(parts)

    def render(self, scope: Scope) -> str:
        """The script, with the assignments it needs before it."""
        common = self._render_common(scope)
        return self._render_any(scope) if common is None else common

    def _render_common(self, scope: Scope) -> str | None:
        """The script if all values are common words, which stand in it as they are; else None.

        Nearly all values are: for them it saves four fifths of the time.
        """
        if self._holes is None:
            return None
        texts = self._written.copy()
        try:
            for index, evaluate in self._holes:
                value = evaluate(scope)
                if type(value) is not str or not _COMMON.fullmatch(value) or value in RESERVED:
                    return None
                texts[index] = value
        except TemplateError:
            return None  # all faults are collected on the other way
        return "".join(texts)

    def _render_any(self, scope: Scope) -> str:
        rendered: list[_Rendered] = []
        faults: list[TemplateFault] = []
        is_blank = False
        for part in self._parts:
            if isinstance(part, str):
                rendered.append(part)
                continue
            expression, placement = part
            starts_word = placement.starts_word and (is_blank or not placement.follows_expressions)
            try:
                texts = self._texts(expression, placement, scope, starts_word=starts_word)
            except TemplateError as error:
                faults.extend(error.faults)
                continue
            is_blank = starts_word and texts == ("",)
            if expression.is_raw:
                rendered.append(texts[0])
            else:
                inline = placement.inline
                rendered.append(
                    tuple(text if is_plain(text, inline) else (text,) for text in texts)
                )
        if faults:
            raise TemplateError(faults)
        return self._assemble(rendered)

    def _texts(
        self, expression: Expression, placement: Placement, scope: Scope, *, starts_word: bool
    ) -> tuple[str, ...]:
        language = self._language
        if placement.is_word and not expression.is_raw and is_list(expression, scope):
            texts = words_of(expression, scope, language)
            _check_numbers(expression, placement, texts)
            return texts
        starts_word = starts_word and not expression.is_raw
        text = word_of(expression, scope, language, starts_word=starts_word)
        if placement.is_command:
            try:
                language.check_name(text)
            except NoValueError as error:
                raise TemplateError((value_fault(expression, error),)) from error
        _check_numbers(expression, placement, (text,))
        return (text,)

    def _assemble(self, rendered: list[_Rendered]) -> str:
        assignments = _Assignments(self._names(rendered))
        script = "".join(
            part
            if isinstance(part, str)
            else " ".join(
                word if isinstance(word, str) else assignments.reference(word[0]) for word in part
            )
            for part in rendered
        )
        before = (
            f"{self._prefix}{name}={quote(value)}; "
            for value, name in assignments.variables.items()
        )
        return "".join(before) + script

    def _names(self, rendered: list[_Rendered]) -> Iterator[str]:
        """`v1`, `v2`, ... without those that the script has itself."""
        taken = self._taken
        if self._has_raw:
            taken = taken.union(
                *(_VARIABLE.findall(part) for part in rendered if isinstance(part, str))
            )
        return (name for name in map("v{}".format, count(1)) if name not in taken)
