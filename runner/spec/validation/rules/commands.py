"""Rules on commands and the environments that they read.

It knows nothing of how values are passed into a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runner.spec.document import Document, Pointer
from runner.spec.model.workload import Workload
from runner.spec.problem import Position, Problem, Span
from runner.spec.shells.script import CommandTemplate
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import Template
from runner.spec.validation.rules.uses import Rule, node_commands

# `%NAME%`, `%NAME:~1,2%` and `%NAME:old=new%`: cmd puts the text in and then reads the line.
_VARIABLE = re.compile(r"%([^%:=\s]+)(?::[^%\r\n]*)?%")


def _cmd_expands_no_values(workload: Workload, document: Document) -> Iterator[Problem]:
    """A value in the environment is text to every shell but cmd, which reads it as code."""
    shared = workload.job.environment
    for step in workload.steps:
        environment = {**shared, **step.environment}
        yield from _expanded(step.command, environment, step.pointer, document)
    for command in node_commands(workload):
        yield from _expanded(command.command, command.environment, command.pointer, document)


def _expanded(
    command: CommandTemplate,
    environment: Mapping[str, Template],
    owner: Pointer,
    document: Document,
) -> Iterator[Problem]:
    if command.shell is not Shell.CMD:
        return
    # cmd takes names in any case.
    filled = {name.lower(): name for name, text in environment.items() if text.references}
    pointer = (*owner, "command")
    for match in _VARIABLE.finditer(command.text):
        name = filled.get(match[1].lower())
        if name is None:
            continue
        yield document.problem_at(
            _span(document, pointer, match),
            code="misplaced-variable",
            message=f"cmd reads the text of `%{match[1]}%` as code, and `{name}` holds values",
            hint=f"put the expression itself here, or use `shell: powershell` and `$env:{name}`",
        )


def _span(document: Document, pointer: Pointer, match: re.Match[str]) -> Span:
    """Where the variable stands, in a command that is text: a list holds no `%` for cmd."""
    start = document.position_in(pointer, match.start())
    last = document.position_in(pointer, match.end() - 1)
    return Span(start=start, end=Position(line=last.line, column=last.column + 1))


COMMANDS: tuple[Rule, ...] = (_cmd_expands_no_values,)
