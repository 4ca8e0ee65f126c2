"""Commands without a shell: one line on which every splitter of command lines agrees.

Batch does not publish how it splits one (REST: Task - Add, `commandLine`), so the line holds plain
words, spaces between them, and double quotes around words that are not plain; what some splitter
reads as more than itself is refused. It knows nothing of shells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from runner.spec.shells.code import Misplaced, check_programs
from runner.spec.shells.cursor import HOLE, Fault
from runner.spec.shells.language import Draft, Language, Part, Renderer
from runner.spec.shells.passing import is_list, word_of, words_of
from runner.spec.shells.words import Word
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.values import NoValueError

_PLAIN = re.compile(r"[A-Za-z0-9_./:=+,@%-]+", re.ASCII)
_UNSAFE = re.compile(r"""["'\\$`\x00-\x1f\x7f-\x9f]""")
_UNSAFE_WRITTEN = re.compile(r"""["'\\$`\x01-\x1f\x7f-\x9f]""")  # a NUL is an expression
_WORD = re.compile(r"[^ ]+")
_OPERATOR = re.compile(r"[|&;]+|.*[<>|].*|.+;", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
_HINT = "write `shell: bash`, or for Windows `shell: powershell`"


def _check(text: str) -> None:
    found = _UNSAFE.search(text)
    if found is not None:
        message = f"the value holds {_show(found.group())}, which needs a shell to be passed on"
        raise NoValueError(message, _HINT)


def _guard(text: str) -> str:
    return f"./{text}" if text.startswith("-") else text


def _quote_argument(text: str, _is_first: bool) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def _check_command(words: Sequence[Word]) -> Iterable[Misplaced]:
    return check_programs(iter(words))


def _check_name(_text: str) -> None:
    """Any program may be named: there is no builtin."""


def _read(script: str, raw_holes: frozenset[int]) -> Draft:
    stripped = script.rstrip(" \n")
    faults = list(_written_faults(stripped))
    words: list[Word] = []
    positions: list[int] = []
    for found in _WORD.finditer(stripped):
        word = Word(found.start())
        for at, character in enumerate(found.group(), start=found.start()):
            if character != HOLE:
                word.add_quoted(character)
                continue
            if len(positions) in raw_holes:
                word.add_expansion()
            else:
                word.add_hole(len(positions), is_own=True)
            positions.append(at)
        words.append(word)
    faults.extend(
        Fault(positions[hole], 1, "misplaced-expression", message, hint)
        for hole, message, hint in check_programs(iter(words))
    )
    faults.sort(key=lambda fault: fault.position)
    return Draft(faults=tuple(faults), write=_write)


def _written_faults(script: str) -> Iterator[Fault]:
    for found in _UNSAFE_WRITTEN.finditer(script):
        message = f"{_show(found.group())} needs a shell, and there is none"
        hint = f"write the command as a list, or {_HINT}" if found.group() in "'\"" else _HINT
        yield Fault(found.start(), 1, "no-shell", message, hint)
    for number, found in enumerate(_WORD.finditer(script)):
        word = found.group()
        if _OPERATOR.fullmatch(word):
            message = f"`{word.replace(HOLE, '...')}` needs a shell, and there is none"
            yield Fault(found.start(), len(word), "no-shell", message, _HINT)
        elif number == 0 and _ASSIGNMENT.match(word):
            message = "a variable needs a shell to be set, and there is none"
            hint = f"set it under `environment`, or {_HINT}"
            yield Fault(found.start(), len(word), "no-shell", message, hint)


def _show(character: str) -> str:
    if character == "\n":
        return "a newline"
    if character == "`":
        return "a backtick"
    return "a control character" if not character.isprintable() else f"`{character}`"


def _write(parts: Sequence[Part]) -> Renderer:
    words: list[list[Part]] = [[]]
    last = len(parts) - 1
    for index, part in enumerate(parts):
        if not isinstance(part, str):
            words[-1].append(part)
            continue
        pieces = (part.rstrip(" \n") if index == last else part).split(" ")
        for number, piece in enumerate(pieces):
            if number:
                words.append([])
            if piece:
                words[-1].append(piece)
    return partial(_render, [word for word in words if word])


def _render(words: Sequence[Sequence[Part]], scope: Scope) -> str:
    rendered: list[str] = []
    faults: list[TemplateFault] = []
    for index, parts in enumerate(words):
        try:
            rendered.extend(_render_word(parts, scope, is_name=index == 0))
        except TemplateError as error:
            faults.extend(error.faults)
    if faults:
        raise TemplateError(faults)
    return " ".join(rendered)


def _render_word(parts: Sequence[Part], scope: Scope, *, is_name: bool) -> tuple[str, ...]:
    whole = parts[0] if len(parts) == 1 and not is_name else None
    if isinstance(whole, Expression) and not whole.is_raw and is_list(whole, scope):
        return tuple(_quote_argument(text, False) for text in words_of(whole, scope, NONE))
    has_raw = any(isinstance(part, Expression) and part.is_raw for part in parts)
    texts: list[str] = []
    faults: list[TemplateFault] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        try:
            starts_word = not any(texts) and not part.is_raw
            texts.append(
                word_of(part, scope, _ANY if part.is_raw else NONE, starts_word=starts_word)
            )
        except TemplateError as error:
            faults.extend(error.faults)
            continue
        if has_raw and not part.is_raw:
            texts[-1] = _quote_argument(texts[-1], False)
    if faults:
        raise TemplateError(faults)
    return ("".join(texts) if has_raw else _quote_argument("".join(texts), False),)


def _check_nul(text: str) -> None:
    if HOLE in text:
        raise NoValueError("the value holds a NUL character")


NONE = Language(
    read=_read,
    check=_check,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=_check_command,
    check_name=_check_name,
)
_ANY = Language(
    read=_read,
    check=_check_nul,
    guard=_guard,
    quote_argument=_quote_argument,
    check_command=_check_command,
    check_name=_check_name,
)
