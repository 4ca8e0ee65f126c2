"""Values in scripts for cmd: in place, in double quotes where they are not plain words.

cmd has no quotes that keep everything, so a value that no quotes can keep is refused. It knows
nothing of how the places in a script are found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from runner.spec.shells.cmd_lexer import CmdPlacement, read_cmd_script
from runner.spec.shells.cmd_words import check_cmd_command, is_code_program
from runner.spec.shells.language import Draft, Language, Part, Renderer
from runner.spec.shells.passing import is_list, value_fault, word_of, words_of
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.template import text_of
from runner.spec.templates.values import NoValueError

# Without `,` `;` `=`, at which batch files split, `+`, at which `copy` does, and `/`, which
# cmd's own commands read as an option.
_PLAIN = re.compile(r"[A-Za-z0-9_.:@\\-]+", re.ASCII)
# U+FF02 and its like become `"` in programs that take their arguments in an 8-bit code page.
_UNQUOTABLE = re.compile(r"[%\"\x00-\x1f\x7f-\x9f\u02ba\u030e\u2033\u3003\uff02]")
_DELAYED = re.compile(r"enabledelayedexpansion|/v(?::on|[ \t])", re.IGNORECASE)
_HINT = "write `shell: powershell`, which can pass it"


def _check(text: str) -> None:
    found = _UNQUOTABLE.search(text)
    if found is not None:
        character = found.group()
        shown = f"`{character}`" if character.isprintable() else "a control character"
        raise NoValueError(f"the value holds {shown}, which cmd cannot quote", _HINT)


def _guard(text: str) -> str:
    if text.startswith("/"):
        message = "the value starts with `/`, which programs of Windows read as an option"
        raise NoValueError(message, "write something before it, as in `--name={{ ... }}`")
    return f".\\{text}" if text.startswith("-") else text


def _quote(text: str) -> str:
    if text.endswith("\\"):
        message = "the value ends in a backslash, which in quotes takes the quote into the argument"
        raise NoValueError(message, "leave it away, or write `.` behind it")
    return f'"{text}"'


def _quote_argument(text: str, is_first: bool) -> str:
    return text if _PLAIN.fullmatch(text) and not is_first else _quote(text)


def _check_name(text: str) -> None:
    if is_code_program(text):
        raise NoValueError(f"a value cannot name `{text}`, which runs its arguments as code")


def _read(script: str, raw_holes: frozenset[int]) -> Draft:
    reading = read_cmd_script(script, raw_holes)
    is_delayed = _DELAYED.search(script) is not None
    return Draft(
        faults=reading.faults,
        write=partial(_write, reading.placements, is_delayed=is_delayed),
    )


def _check_delayed(text: str) -> None:
    _check(text)
    found = re.search(r"[!^]", text)
    if found is not None:
        message = f"the value holds `{found.group()}`, which delayed expansion reads"
        raise NoValueError(message, "leave `enabledelayedexpansion` away")


def _check_nul(text: str) -> None:
    if "\0" in text:
        raise NoValueError("the value holds a NUL character")


CMD = Language(
    read=_read,
    check=_check,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_cmd_command,
    check_name=_check_name,
)
_DELAYING = Language(
    read=_read,
    check=_check_delayed,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=check_cmd_command,
    check_name=_check_name,
)


def _write(
    placements: Sequence[CmdPlacement], parts: Sequence[Part], *, is_delayed: bool
) -> Renderer:
    following = iter(placements)
    placed = [part if isinstance(part, str) else (part, next(following)) for part in parts]
    return partial(_render, placed, _DELAYING if is_delayed else CMD)


def _render(
    parts: Sequence[str | tuple[Expression, CmdPlacement]], language: Language, scope: Scope
) -> str:
    rendered: list[str] = []
    faults: list[TemplateFault] = []
    pending = ""  # the values of expressions that stand directly before this one
    is_blank = False
    for part in parts:
        if isinstance(part, str):
            rendered.append(part)
            continue
        expression, placement = part
        try:
            if expression.is_raw:
                rendered.append(_raw_text(expression, scope))
            elif placement.is_word and is_list(expression, scope):
                words = words_of(expression, scope, language)
                rendered.append(_locate(expression, words, placement))
            else:
                follows = placement.follows_expressions
                starts_word = placement.starts_word and (is_blank or not follows)
                text = word_of(expression, scope, language, starts_word=starts_word)
                is_blank = starts_word and not text
                if placement.joins_next and not placement.in_quotes:
                    pending += text
                else:
                    text, pending = pending + text, ""
                    rendered.append(_passed(expression, text, placement, rendered))
        except TemplateError as error:
            faults.extend(error.faults)
    if faults:
        raise TemplateError(faults)
    return "".join(rendered)


def _raw_text(expression: Expression, scope: Scope) -> str:
    text = text_of(expression, scope)
    try:
        _check_nul(text)
    except NoValueError as error:
        raise TemplateError((value_fault(expression, error),)) from error
    return text


def _locate(expression: Expression, words: Sequence[str], placement: CmdPlacement) -> str:
    try:
        return " ".join(_word(word, placement) for word in words)
    except NoValueError as error:
        raise TemplateError((value_fault(expression, error),)) from error


def _passed(
    expression: Expression, text: str, placement: CmdPlacement, before: Sequence[str]
) -> str:
    """A value as it stands in the script."""
    try:
        if placement.is_command:
            _check_name(text)
        if not placement.in_quotes:
            return _word(text, placement)
        if placement.ends_quotes:
            _quote(text or "".join(before[-1:]))
    except NoValueError as error:
        raise TemplateError((value_fault(expression, error),)) from error
    return text


def _word(text: str, placement: CmdPlacement) -> str:
    is_bare = placement.may_be_bare and _PLAIN.fullmatch(text) is not None
    return text if is_bare else _quote(text)
