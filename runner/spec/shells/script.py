"""Templates of commands: whatever the values are, the script that was written is what runs.

It knows nothing of how a script reaches a node.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from itertools import accumulate
from typing import TypeGuard

from typing_extensions import assert_never

from runner.frozen import dataclass
from runner.spec.shells.cursor import HOLE, Fault
from runner.spec.shells.language import Language, Part
from runner.spec.shells.no_shell import NONE
from runner.spec.shells.passing import value_fault, word_of, words_of
from runner.spec.shells.posix import BASH, SH
from runner.spec.shells.shell import Shell
from runner.spec.shells.words import Word
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import Reference, TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.pattern import PatternTemplate, compile_pattern, glob_escape
from runner.spec.templates.segments import Literal, Segment, cut, references_of
from runner.spec.templates.values import NoValueError

__all__ = [
    "CommandTemplate",
    "PatternTemplate",
    "compile_argv",
    "compile_command",
    "compile_pattern",
    "glob_escape",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTemplate:
    """A command with expressions, in shell or in list form."""

    text: str
    shell: Shell
    references: tuple[Reference, ...]
    renderer: Callable[[Scope], str] = field(compare=False, repr=False)

    def render(self, scope: Scope) -> str:
        """The whole script; raises `TemplateError` with the faults of all expressions."""
        return self.renderer(scope)


def _language_of(shell: Shell) -> Language:
    """Those of Windows are imported where a command is written in them: most specs have none."""
    match shell:
        case Shell.BASH:
            return BASH
        case Shell.SH:
            return SH
        case Shell.NONE:
            return NONE
        case Shell.CMD:
            from runner.spec.shells.cmd import CMD

            return CMD
        case Shell.POWERSHELL:
            from runner.spec.shells.powershell import POWERSHELL

            return POWERSHELL
        case _:
            assert_never(shell)


def compile_command(text: str, shell: Shell = Shell.BASH) -> CommandTemplate:
    """The template of a script for `shell`.

    Raises `TemplateError` with all that is wrong: expressions that cannot be read, expressions
    where the shell would run or misread a value, and quotes that are never closed.
    """
    segments, faults = cut(text)
    if HOLE in text:
        raise TemplateError((*faults, _nul(text)))
    if faults:
        raise TemplateError(faults)
    holes = [each for each in segments if _is_hole(each)]
    raw = frozenset(index for index, each in enumerate(holes) if each.is_raw)
    draft = _language_of(shell).read("".join(map(_written, segments)), raw)
    if draft.faults:
        raise TemplateError(_locate(draft.faults, segments))
    parts: list[Part] = [each if _is_hole(each) else _written(each) for each in segments]
    return CommandTemplate(
        text=text, shell=shell, references=references_of(segments), renderer=draft.write(parts)
    )


def compile_argv(items: Sequence[str], shell: Shell = Shell.BASH) -> CommandTemplate:
    """The template of a command in list form, each item one argument, whatever is in it.

    An item that is one whole expression gives an argument for each item of a list. `| raw` lets a
    value stand where it is code, as in `[bash, -c, "{{ parameters.code | raw }}"]`; the item is
    still quoted whole. Raises `TemplateError` with all faults; each names its item.
    """
    language = _language_of(shell)
    faults: list[TemplateFault] = []
    arguments: list[tuple[Segment, ...]] = []
    for index, item in enumerate(items):
        segments, found = cut(item)
        found = (*found, _nul(item)) if HOLE in item else found
        found = found or tuple(_unquotable(segments, language, is_first=index == 0))
        faults.extend(replace(fault, item=index) for fault in found)
        arguments.append(segments)
    if not faults:
        faults.extend(_code_faults(arguments, language))
    if faults:
        raise TemplateError(faults)
    return CommandTemplate(
        text=" ".join(items),
        shell=shell,
        references=tuple(
            replace(reference, item=index)
            for index, segments in enumerate(arguments)
            for reference in references_of(segments)
        ),
        renderer=_Arguments(tuple(arguments), language).render,
    )


@dataclass(frozen=True, slots=True)
class _Arguments:
    items: tuple[tuple[Segment, ...], ...]
    language: Language

    def render(self, scope: Scope) -> str:
        words: list[str] = []
        faults: list[TemplateFault] = []
        for index, segments in enumerate(self.items):
            try:
                for text in self._texts(segments, scope, is_name=index == 0):
                    words.append(self._quote(segments, text, is_first=not words))
            except TemplateError as error:
                faults.extend(replace(fault, item=index) for fault in error.faults)
        if faults:
            raise TemplateError(faults)
        return " ".join(words)

    def _texts(
        self, segments: tuple[Segment, ...], scope: Scope, *, is_name: bool
    ) -> tuple[str, ...]:
        """The arguments that an item becomes."""
        whole = segments[0] if len(segments) == 1 else None
        if not is_name and whole is not None and _is_hole(whole) and not whole.is_raw:
            return words_of(whole, scope, self.language)
        text = _render_item(segments, scope, self.language)
        if is_name and isinstance(whole, Expression):
            try:
                self.language.check_name(text)
            except NoValueError as error:
                raise TemplateError((value_fault(whole, error),)) from error
        return (text,)

    def _quote(self, segments: tuple[Segment, ...], text: str, *, is_first: bool) -> str:
        try:
            return self.language.quote_argument(text, is_first)
        except NoValueError as error:
            last = next(each for each in reversed(segments) if isinstance(each, Expression))
            raise TemplateError((value_fault(last, error),)) from error


def _unquotable(
    segments: tuple[Segment, ...], language: Language, *, is_first: bool
) -> Iterator[TemplateFault]:
    """What is written in an item, and cannot stand in an argument of the shell."""
    is_written = not any(map(_is_hole, segments))
    text = "".join(map(_written, segments)) if is_written else ""
    try:
        for segment in segments:
            if not _is_hole(segment):
                language.check(_written(segment))
        if is_written:
            language.quote_argument(text, is_first)
    except NoValueError as error:
        end = segments[-1].offset + _length(segments[-1]) if segments else 0
        message = error.message.replace("the value", "the argument")
        yield TemplateFault(
            offset=0, length=end, code="bad-character", message=message, hint=error.hint
        )


def _length(segment: Segment) -> int:
    return len(segment.text) if isinstance(segment, Literal) else segment.length


def _render_item(segments: tuple[Segment, ...], scope: Scope, language: Language) -> str:
    word = ""
    faults: list[TemplateFault] = []
    for segment in segments:
        if not _is_hole(segment):
            word += _written(segment)
            continue
        try:
            starts_word = not word and not segment.is_raw
            word += word_of(segment, scope, language, starts_word=starts_word)
        except TemplateError as error:
            faults.extend(error.faults)
    if faults:
        raise TemplateError(faults)
    return word


def _code_faults(arguments: list[tuple[Segment, ...]], language: Language) -> list[TemplateFault]:
    """The expressions that stand where the command takes code."""
    holes: list[tuple[int, Expression]] = []
    words: list[Word] = []
    for index, segments in enumerate(arguments):
        word = Word(0)
        for segment in segments:
            if not _is_hole(segment):
                word.add_quoted(_written(segment))
            elif segment.is_raw:
                word.add_expansion()
            else:
                word.add_hole(len(holes), is_own=True)
                holes.append((index, segment))
        words.append(word)
    return [
        replace(holes[hole][1].fault("misplaced-expression", message, hint), item=holes[hole][0])
        for hole, message, hint in language.check_command(words)
    ]


def _is_hole(segment: Segment) -> TypeGuard[Expression]:
    """Whether a value goes in here. A quoted text that is all of an expression is none: its author
    wrote it, so it stands as it is (`{{ '{{' }}`).
    """
    return isinstance(segment, Expression) and segment.constant is None


def _written(segment: Segment) -> str:
    if isinstance(segment, Literal):
        return segment.text
    return HOLE if segment.constant is None else segment.constant


def _locate(faults: Sequence[Fault], segments: Sequence[Segment]) -> list[TemplateFault]:
    """Faults of the script as faults of the leaf: an expression is one character in a script."""
    starts = list(accumulate((len(_written(each)) for each in segments), initial=0))
    located: list[TemplateFault] = []
    for fault in faults:
        index = bisect_right(starts, fault.position) - 1
        segment = segments[index]
        if isinstance(segment, Literal):
            offset = segment.offset + fault.position - starts[index]
            length = fault.length
        else:
            offset, length = segment.offset, segment.length
        located.append(
            TemplateFault(
                offset=offset,
                length=length,
                code=fault.code,
                message=fault.message,
                hint=fault.hint,
            )
        )
    return located


def _nul(text: str) -> TemplateFault:
    return TemplateFault(
        offset=text.index(HOLE),
        length=1,
        code="bad-character",
        message="a command cannot hold a NUL character",
    )
