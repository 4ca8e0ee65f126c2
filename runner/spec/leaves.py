"""The templates in a spec: every string that may hold expressions, compiled and checked.

It knows which strings those are and what each can speak of, but gives no expression a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runner.spec.document import Document, Pointer
from runner.spec.pattern import PatternTemplate, compile_pattern
from runner.spec.problem import Position, Problem, Span
from runner.spec.script import CommandTemplate, compile_argv, compile_command
from runner.spec.template import (
    Template,
    TemplateError,
    TemplateFault,
    check_references,
    compile_template,
)

Names = Mapping[str, frozenset[str] | None]
"""What expressions can speak of: a name with its attributes, or None for a plain value."""

FILE_ATTRIBUTES = frozenset({"path", "name", "dir", "stem", "ext", "size", "url"})
_START_TASK: Pointer = ("pool", "start_task")
_TASK: Pointer = ("task",)
_COMMANDS = {(*_START_TASK, "command"), (*_TASK, "command")}
_LITERAL = {"version", "name", "description", "parameters"}
_MOST_PROBLEMS = 100
_EXPRESSION_MARK = re.compile(r"\{\{|\}\}")


@dataclass(slots=True, kw_only=True)
class Leaves:
    """Compiled strings by place; those of `early` speak of parameters only."""

    commands: dict[Pointer, CommandTemplate] = field(default_factory=dict)
    patterns: dict[Pointer, PatternTemplate] = field(default_factory=dict)
    texts: dict[Pointer, Template] = field(default_factory=dict)
    early: dict[Pointer, Template] = field(default_factory=dict)

    def command(self, owner: Pointer, *keys: str) -> CommandTemplate:
        """The command under the keys of `owner`."""
        return self.commands[owner + keys]

    def pattern(self, owner: Pointer, *keys: str) -> PatternTemplate:
        """The pattern under the keys of `owner`."""
        return self.patterns[owner + keys]

    def text(self, owner: Pointer, *keys: str) -> Template:
        """The text under the keys of `owner`."""
        return self.texts[owner + keys]


_Compiled = TypeVar("_Compiled", CommandTemplate, PatternTemplate, Template)
_Written = TypeVar("_Written")


def compile_leaves(
    document: Document, *, skip: frozenset[Position] = frozenset()
) -> tuple[Leaves, tuple[Problem, ...]]:
    """All templates of a spec and all that is wrong with them, whatever else is wrong with it.

    What stands below the keys at the places of `skip` is left alone.
    """
    leaves = Leaves()
    problems: list[Problem] = []

    def keep(
        kept: dict[Pointer, _Compiled],
        pointer: Pointer,
        compile_: Callable[[_Written], _Compiled],
        written: _Written,
        names: Names,
    ) -> None:
        try:
            template = compile_(written)
        except TemplateError as error:
            faults = error.faults
        else:
            faults = check_references(template, names)
            kept[pointer] = template
        problems.extend(fault_problem(document, pointer, fault) for fault in faults)

    parameters = document.data.get("parameters")
    early: Names = {"parameters": frozenset(parameters if isinstance(parameters, dict) else ())}
    for pointer, value in _leaves(document.data, ()):
        if len(problems) >= _MOST_PROBLEMS:
            break
        if skip and any(
            document.key_span(pointer[:depth]).start in skip
            for depth in range(1, len(pointer) + 1)
            if isinstance(pointer[depth - 1], str)
        ):
            continue
        names = {**early, **_late_names(pointer)}
        if isinstance(value, list):
            keep(leaves.commands, pointer, compile_argv, value, names)
        elif pointer in _COMMANDS:
            keep(leaves.commands, pointer, compile_command, value, names)
        elif _is_output(pointer, "pattern"):
            keep(leaves.patterns, pointer, compile_pattern, value, names)
        elif _is_late(pointer):
            keep(leaves.texts, pointer, compile_template, value, names)
        elif _EXPRESSION_MARK.search(value):
            keep(leaves.early, pointer, compile_template, value, names)
    return leaves, tuple(problems)


def find_cut_commands(document: Document) -> Iterator[Problem]:
    """Commands that YAML ends at a ` #`, which a shell would read as part of a word or comment."""
    for pointer in sorted(_COMMANDS):
        span = document.comment_behind(pointer) if document.has(pointer) else None
        if span is not None:
            yield document.problem_at(
                span,
                code="comment-cut",
                message="` #` starts a YAML comment here and ends the command",
                hint="write the command as a block (`|`) or in quotes; a comment on it goes on a"
                " line of its own",
            )


def fault_problem(document: Document, pointer: Pointer, fault: TemplateFault) -> Problem:
    """A fault of the template at `pointer` as a problem, at its place in the file."""
    if fault.item is not None:
        pointer = (*pointer, fault.item)
    start = document.position_in(pointer, fault.offset)
    last = document.position_in(pointer, fault.offset + max(fault.length, 1) - 1)
    end = Position(line=last.line, column=last.column + 1)
    return document.problem_at(
        Span(start=start, end=max(start, end)),
        code=fault.code,
        message=fault.message,
        hint=fault.hint,
    )


def _leaves(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, Any]]:
    """Every string that is not literal, and each command in list form as a whole."""
    if pointer[:1] and pointer[0] in _LITERAL:
        return
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, (*pointer, key))
    elif isinstance(value, list):
        if pointer in _COMMANDS:
            if value and all(isinstance(item, str) for item in value):
                yield pointer, value
            return
        for index, child in enumerate(value):
            yield from _leaves(child, (*pointer, index))


def _late_names(pointer: Pointer) -> Names:
    """What the template at a place can speak of besides the parameters."""
    if pointer not in _COMMANDS and not _is_late(pointer):
        return {}
    if pointer[:2] == _START_TASK:
        return {"run": frozenset({"id"})}
    return {"run": frozenset({"id"}), "file": FILE_ATTRIBUTES, "index": None}


def _is_late(pointer: Pointer) -> bool:
    return (
        pointer[:-1] in {(*_START_TASK, "environment"), (*_TASK, "environment")}
        or _is_output(pointer, "pattern")
        or _is_output(pointer, "path")
    )


def _is_output(pointer: Pointer, key: str) -> bool:
    return len(pointer) == 4 and pointer[:2] == (*_TASK, "outputs") and pointer[3] == key
