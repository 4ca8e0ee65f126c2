"""The templates in a spec: every string that may hold expressions, compiled and checked.

It leaves to `places` which strings those are, and to `names` what each can speak of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from runner.spec.document import Document, Pointer
from runner.spec.model.terms import SecretName
from runner.spec.parsing.names import Names, name_faults, node_names, parameter_names, step_names
from runner.spec.parsing.places import Kind, Owner, Place, find_places
from runner.spec.parsing.secrets import secret_faults, secret_in, secret_names
from runner.spec.problem import Position, Problem, Span
from runner.spec.shells.script import CommandTemplate, compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.pattern import PatternTemplate, compile_pattern
from runner.spec.templates.segments import cut, references_of
from runner.spec.templates.template import (
    HasReferences,
    Reference,
    Template,
    TemplateError,
    TemplateFault,
    compile_template,
)
from runner.spec.templates.url import compile_url

_MOST_PROBLEMS = 100
_EXPRESSION_MARK = re.compile(r"\{\{|\}\}")


@dataclass(slots=True, kw_only=True)
class Leaves:
    """Compiled strings by place; those of `early` speak of parameters only."""

    commands: dict[Pointer, CommandTemplate] = field(default_factory=dict)
    patterns: dict[Pointer, PatternTemplate] = field(default_factory=dict)
    texts: dict[Pointer, Template] = field(default_factory=dict)
    early: dict[Pointer, Template] = field(default_factory=dict)
    secrets: dict[Pointer, SecretName] = field(default_factory=dict)
    """Texts that are a secret parameter as a whole; they are never rendered."""
    faulty: dict[Pointer, Kind] = field(default_factory=dict)
    """Patterns, texts and URLs that cannot be compiled; of a command a constant takes the place."""
    is_whole: bool = True
    """False where more than those is missing, so that no workload can be made of the leaves."""

    def command(self, owner: Pointer, *keys: str) -> CommandTemplate:
        """The command under the keys of `owner`."""
        return self.commands[owner + keys]

    def pattern(self, owner: Pointer, *keys: str) -> PatternTemplate:
        """The pattern under the keys of `owner`."""
        return self.patterns[owner + keys]

    def text(self, owner: Pointer, *keys: str) -> Template:
        """The text under the keys of `owner`."""
        return self.texts[owner + keys]


def compile_leaves(
    document: Document,
    *,
    shell: Shell | None = Shell.BASH,
) -> tuple[Leaves, tuple[Problem, ...]]:
    """All templates of a spec and all that is wrong with them, whatever else is wrong with it.

    `shell` is what commands are written for that do not say so; None where that cannot be told,
    so that only their expressions are judged.
    """
    compiler = _Compiler(document, shell)
    for place in find_places(document.data):
        if len(compiler.problems) >= _MOST_PROBLEMS:
            compiler.leaves.is_whole = False
            break
        if place.kind is not Kind.EARLY or _EXPRESSION_MARK.search(place.value):
            compiler.add(place)
    return compiler.leaves, tuple(compiler.problems)


def find_cut_commands(document: Document) -> Iterator[Problem]:
    """Commands that YAML ends at a ` #`, which a shell would read as part of a word or comment."""
    for place in find_places(document.data):
        if place.kind is not Kind.COMMAND or not isinstance(place.value, str):
            continue
        span = document.comment_behind(place.pointer)
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


class _Compiler:
    """One spec's templates and their problems, and what each owner's can speak of."""

    def __init__(self, document: Document, shell: Shell | None) -> None:
        self.leaves = Leaves()
        self.problems: list[Problem] = []
        self._document = document
        self._shell = shell
        self._early = parameter_names(document.data)
        self._secrets = secret_names(document.data)
        self._names: dict[Pointer, Names] = {}

    def add(self, place: Place) -> None:
        """Compiles the template at a place, and keeps what is wrong with it."""
        secret = secret_in(place, self._secrets)
        if secret is not None:
            self.leaves.secrets[place.pointer] = secret
            return
        try:
            references = self._compile(place).references
            faults: tuple[TemplateFault, ...] = ()
        except TemplateError as error:
            faults, references = error.faults, _references_in(place.value)
            self._stand_in(place)
        is_early = place.kind is Kind.EARLY
        names = self._early if is_early else self._names_of(place)
        faults = (
            *faults,
            *name_faults(references, names, early=is_early),
            *secret_faults(references, self._secrets),
        )
        if faults and is_early:
            self.leaves.early.pop(place.pointer, None)
            self.leaves.is_whole = False
        self.problems.extend(fault_problem(self._document, place.pointer, each) for each in faults)

    def _compile(self, place: Place) -> HasReferences:
        leaves, pointer, value = self.leaves, place.pointer, place.value
        match place.kind:
            case Kind.COMMAND:
                shell = self._shell_of(place.owner)
                if shell is None:
                    raise TemplateError(_faults_in(value))
                compile_ = compile_argv if isinstance(value, list) else compile_command
                leaves.commands[pointer] = compile_(value, shell)
                return leaves.commands[pointer]
            case Kind.PATTERN:
                leaves.patterns[pointer] = compile_pattern(value)
                return leaves.patterns[pointer]
            case Kind.URL:
                leaves.texts[pointer] = compile_url(value)
                return leaves.texts[pointer]
            case _:
                kept = leaves.early if place.kind is Kind.EARLY else leaves.texts
                kept[pointer] = compile_template(value)
                return kept[pointer]

    def _stand_in(self, place: Place) -> None:
        """Something of the same kind for what cannot be compiled, so that the rest can be judged.

        Of a command the rules look at the shell and at the names in it: a word has none.
        """
        if place.kind is not Kind.COMMAND:
            self.leaves.faulty[place.pointer] = place.kind
            return
        shell = self._shell_of(place.owner)
        if shell is None:
            self.leaves.is_whole = False
        else:
            self.leaves.commands[place.pointer] = compile_command("true", shell)

    def _shell_of(self, owner: Pointer) -> Shell | None:
        written = self._at(owner).get("shell")
        if written is None:
            return self._shell
        known = {each.value: each for each in Shell}
        return known.get(written) if isinstance(written, str) else None

    def _names_of(self, place: Place) -> Names:
        if place.owner not in self._names:
            data = self._document.data
            is_step = place.owner_kind is Owner.STEP
            names = step_names(data, self._at(place.owner)) if is_step else node_names(data)
            self._names[place.owner] = names
        return self._names[place.owner]

    def _at(self, pointer: Pointer) -> dict[str, Any]:
        value: Any = self._document.data
        for part in pointer:
            value = value[part]
        return value if isinstance(value, dict) else {}


def _references_in(value: str | list[str]) -> tuple[Reference, ...]:
    """What the expressions of a text speak of that cannot be compiled as what it is."""
    if isinstance(value, str):
        return references_of(cut(value)[0])
    return tuple(
        replace(reference, item=index)
        for index, item in enumerate(value)
        for reference in references_of(cut(item)[0])
    )


def _faults_in(value: str | list[str]) -> tuple[TemplateFault, ...]:
    """What is wrong with the expressions of a command, whatever shell it is for."""
    if isinstance(value, str):
        return cut(value)[1]
    return tuple(
        replace(fault, item=index) for index, item in enumerate(value) for fault in cut(item)[1]
    )
