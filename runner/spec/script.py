"""Templates of commands: whatever the values are, the script that was written is what runs.

It knows nothing of how a script reaches a node.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TypeGuard

from runner.spec.expression import Expression
from runner.spec.fault import Reference, TemplateError, TemplateFault
from runner.spec.lookup import Scope
from runner.spec.passing import (
    Part,
    Script,
    check_command_name,
    is_plain,
    quote,
    word_of,
)
from runner.spec.pattern import PatternTemplate, compile_pattern, glob_escape
from runner.spec.segments import Literal, Segment, cut, references_of
from runner.spec.shell_code import check_command
from runner.spec.shell_cursor import HOLE, Fault
from runner.spec.shell_lexer import read_script
from runner.spec.shell_words import Inline, Word

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
    references: tuple[Reference, ...]
    renderer: Callable[[Scope], str] = field(compare=False, repr=False)

    def render(self, scope: Scope) -> str:
        """The whole script for bash; raises `TemplateError` with the faults of all expressions."""
        return self.renderer(scope)


def compile_command(text: str) -> CommandTemplate:
    """The template of a shell script.

    Raises `TemplateError` with all that is wrong: expressions that cannot be read, expressions
    where bash would run or misread a value, and quotes that are never closed.
    """
    segments, faults = cut(text)
    if HOLE in text:
        raise TemplateError((*faults, _nul(text)))
    if faults:
        raise TemplateError(faults)
    holes = [each for each in segments if _is_hole(each)]
    raw = frozenset(index for index, each in enumerate(holes) if each.is_raw)
    reading = read_script("".join(map(_written, segments)), raw)
    if reading.faults:
        raise TemplateError(_locate(reading.faults, segments))
    placements = iter(reading.placements)
    parts: list[Part] = [
        (each, next(placements)) if _is_hole(each) else _written(each) for each in segments
    ]
    return CommandTemplate(
        text=text, references=references_of(segments), renderer=Script(parts).render
    )


def compile_argv(items: Sequence[str]) -> CommandTemplate:
    """The template of a command in list form, each item one argument, whatever is in it.

    `| raw` lets a value stand where it is code, as in `[bash, -c, "{{ parameters.code | raw }}"]`;
    the item is still quoted whole. Raises `TemplateError` with all faults; each names its item.
    """
    faults: list[TemplateFault] = []
    arguments: list[tuple[Segment, ...]] = []
    for index, item in enumerate(items):
        segments, found = cut(item)
        found = (*found, _nul(item)) if HOLE in item else found
        faults.extend(replace(fault, item=index) for fault in found)
        arguments.append(segments)
    if not faults:
        faults.extend(_code_faults(arguments))
    if faults:
        raise TemplateError(faults)
    return CommandTemplate(
        text=" ".join(items),
        references=tuple(
            replace(reference, item=index)
            for index, segments in enumerate(arguments)
            for reference in references_of(segments)
        ),
        renderer=_Arguments(tuple(arguments)).render,
    )


@dataclass(frozen=True, slots=True)
class _Arguments:
    items: tuple[tuple[Segment, ...], ...]

    def render(self, scope: Scope) -> str:
        words: list[str] = []
        faults: list[TemplateFault] = []
        for index, segments in enumerate(self.items):
            try:
                word = _render_item(segments, scope)
                if index == 0 and len(segments) == 1 and isinstance(segments[0], Expression):
                    check_command_name(segments[0], word)
            except TemplateError as error:
                faults.extend(replace(fault, item=index) for fault in error.faults)
                continue
            inline = Inline.ALWAYS if index else Inline.GUARDED
            words.append(word if is_plain(word, inline) else quote(word))
        if faults:
            raise TemplateError(faults)
        return " ".join(words)


def _render_item(segments: tuple[Segment, ...], scope: Scope) -> str:
    word = ""
    faults: list[TemplateFault] = []
    for segment in segments:
        if not _is_hole(segment):
            word += _written(segment)
            continue
        try:
            word += word_of(segment, scope, starts_word=not word and not segment.is_raw)
        except TemplateError as error:
            faults.extend(error.faults)
    if faults:
        raise TemplateError(faults)
    return word


def _code_faults(arguments: list[tuple[Segment, ...]]) -> list[TemplateFault]:
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
        for hole, message, hint in check_command(words)
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
