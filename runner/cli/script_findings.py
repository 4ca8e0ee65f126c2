"""shellcheck's findings in the commands of a plan, as problems at the spec's lines.

It knows what a plan holds, and nothing of how shellcheck is run. They are told to people alone and
change no exit code: a style that is not shellcheck's is not wrong.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from runner.cli.alignment import align
from runner.cli.shellcheck import Finding, ShellcheckError, check_script
from runner.cli.world import World
from runner.frozen import dataclass
from runner.plan.model import Plan, TaskPlan
from runner.report.as_text import printable
from runner.spec.document import Document, Pointer
from runner.spec.messages import render_problem
from runner.spec.model.pool import NewPool
from runner.spec.problem import Problem, Span, in_reading_order
from runner.spec.shells.script import CommandTemplate
from runner.spec.shells.shell import Shell

_SHELLS = (Shell.BASH, Shell.SH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command as it is written at `pointer`, and as the script of its first task."""

    pointer: Pointer
    template: str
    script: str
    shell: Shell
    variables: tuple[str, ...]


def tell_script_findings(plan: Plan, *, folder: Path, world: World) -> None:
    """Says what shellcheck finds; nothing where it is not installed."""
    program = shutil.which("shellcheck", path=world.environ.get("PATH", ""))
    if program is None:
        return
    document = plan.workload.document
    problems: list[Problem] = []
    for command in _commands(plan):
        try:
            findings = check_script(
                program,
                command.script,
                shell=command.shell.value,
                variables=command.variables,
                folder=folder,
            )
        except ShellcheckError as error:
            where = document.key_problem(command.pointer, code="", message="").location()
            world.say(printable(f"note: {where}: shellcheck did not check this command: {error}"))
            continue
        problems.extend(as_problems(findings, command, document))
    for problem in in_reading_order(problems):
        world.say(render_problem(problem))


def as_problems(
    findings: Iterable[Finding], command: Command, document: Document
) -> Iterator[Problem]:
    """Each finding at the characters that it is about, or at the command's key."""
    alignment = align(command.template, command.script)
    for finding in findings:
        span = document.key_span(command.pointer)
        if alignment is not None:
            place = alignment.locate(finding.start, finding.end)
            if place is None:
                continue  # in what carries the values: not the user's to change
            start, end = place
            span = Span(
                start=document.position_in(command.pointer, start),
                end=document.position_in(command.pointer, end),
            )
        yield document.problem_at(
            span,
            code=f"sc{finding.code}",
            message=_lower(finding.message),
            hint=f"shellcheck's {finding.level}: https://www.shellcheck.net/wiki/SC{finding.code}",
        )


def _commands(plan: Plan) -> Iterator[Command]:
    """The start task's command and that of each step's first task, if they are shell scripts."""
    pool = plan.workload.pool
    start_task = pool.start_task if isinstance(pool, NewPool) else None
    document = plan.workload.document
    if start_task is not None and _is_script(document, start_task.command, start_task.pointer):
        scope = {"parameters": plan.workload.parameters, "run": {"id": plan.run_id}}
        yield Command(
            pointer=(*start_task.pointer, "command"),
            template=start_task.command.text,
            # Without what installs `packages`, which comes before it.
            script=start_task.command.render(scope),
            shell=start_task.command.shell,
            variables=(*start_task.environment, *start_task.secrets),
        )
    for task in _first_tasks(plan):
        if _is_script(document, task.step.command, task.step.pointer):
            yield Command(
                pointer=(*task.step.pointer, "command"),
                template=task.step.command.text,
                script=task.command.script,
                shell=task.step.command.shell,
                variables=(*task.step.environment, *task.step.secrets),
            )


def _first_tasks(plan: Plan) -> Iterator[TaskPlan]:
    """The tasks of a step stand together, in the order of the steps."""
    order = {step.name: number for number, step in enumerate(plan.workload.steps)}
    tasks = plan.tasks
    for name, number in order.items():
        index = bisect_left(
            range(len(tasks)), number, key=lambda each: order[tasks[each].step.name]
        )
        if index < len(tasks) and tasks[index].step.name == name:
            yield tasks[index]


def _is_script(document: Document, command: CommandTemplate, pointer: Pointer) -> bool:
    """Whether it is text for a shell that shellcheck reads: the items of a list we quote."""
    value: Any = document.data
    for part in (*pointer, "command"):
        value = value[part]
    return command.shell in _SHELLS and isinstance(value, str)


def _lower(message: str) -> str:
    """As our messages are: no capital at the start, no full stop."""
    text = message.strip().removesuffix(".")
    is_word = text[:2].istitle() or text[1:2] == " "
    return text[:1].lower() + text[1:] if is_word else text
