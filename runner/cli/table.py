"""The table of commands: all that `cli.main` knows of them.

It must stay cheap to import: what a command needs, it imports when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import Enum

from runner.cli.commands import (
    attach,
    cancel,
    clean,
    completion,
    diff,
    doctor,
    emulator,
    events,
    explain,
    logs,
    new,
    plan,
    report,
    resume,
    run,
    runs,
    schema,
    status,
    validate,
)
from runner.cli.commands import help as help_command
from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.frozen import dataclass


class Purpose(Enum):
    """What one wants of a command: `--help` lists the commands by it."""

    RUN = "run"
    LOOK = "look"
    MEND = "mend"
    LEARN = "learn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: its name, what it is for, its options and what it does (an exit code).

    `examples` are lines of a command and what it is for, two spaces or more between them. One that
    `ends_as_run` has the exit codes of a run, and says so in its help.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace, World, Interruptions], int]
    purpose: Purpose = Purpose.LOOK
    examples: str = ""
    ends_as_run: bool = False


COMMANDS = (
    Command(
        name="run",
        summary="Run a workload to its end.",
        add_arguments=run.add_arguments,
        execute=run.execute,
        purpose=Purpose.RUN,
        examples=run.EXAMPLES,
        ends_as_run=True,
    ),
    Command(
        name="resume",
        summary="Go on with a run, wherever it was broken off.",
        add_arguments=resume.add_arguments,
        execute=resume.execute,
        purpose=Purpose.MEND,
        examples=resume.EXAMPLES,
        ends_as_run=True,
    ),
    Command(
        name="validate",
        summary="Check specs: all problems at once, each with its place.",
        add_arguments=validate.add_arguments,
        execute=validate.execute,
        purpose=Purpose.RUN,
        examples=validate.EXAMPLES,
    ),
    Command(
        name="doctor",
        summary="Check an account, this machine and specs before money is spent.",
        add_arguments=doctor.add_arguments,
        execute=doctor.execute,
        purpose=Purpose.RUN,
        examples=doctor.EXAMPLES,
    ),
    Command(
        name="plan",
        summary="Show what a run would do; nothing is created.",
        add_arguments=plan.add_arguments,
        execute=plan.execute,
        purpose=Purpose.RUN,
        examples=plan.EXAMPLES,
    ),
    Command(
        name="runs",
        summary="List the runs that were started in this folder.",
        add_arguments=runs.add_arguments,
        execute=runs.execute,
        examples=runs.EXAMPLES,
    ),
    Command(
        name="attach",
        summary="Show a run as it goes, to its end; go on with it where nobody does.",
        add_arguments=attach.add_arguments,
        execute=attach.execute,
        examples=attach.EXAMPLES,
        ends_as_run=True,
    ),
    Command(
        name="cancel",
        summary="End a run, and take away what it has made.",
        add_arguments=cancel.add_arguments,
        execute=cancel.execute,
        purpose=Purpose.MEND,
        examples=cancel.EXAMPLES,
    ),
    Command(
        name="status",
        summary="Show how a run stands, and what to do next.",
        add_arguments=status.add_arguments,
        execute=status.execute,
        examples=status.EXAMPLES,
    ),
    Command(
        name="logs",
        summary="Show what tasks print, while they run and afterwards.",
        add_arguments=logs.add_arguments,
        execute=logs.execute,
        examples=logs.EXAMPLES,
    ),
    Command(
        name="explain",
        summary="Show why a task waits, has failed or was skipped, and what to do about it.",
        add_arguments=explain.add_arguments,
        execute=explain.execute,
        examples=explain.EXAMPLES,
    ),
    Command(
        name="events",
        summary="Print what happened in a run, as lines of JSON.",
        add_arguments=events.add_arguments,
        execute=events.execute,
        examples=events.EXAMPLES,
    ),
    Command(
        name="report",
        summary="Make a page and a table of what happened in a run.",
        add_arguments=report.add_arguments,
        execute=report.execute,
        examples=report.EXAMPLES,
    ),
    Command(
        name="diff",
        summary="Show what two runs were made of, and why the later one ran tasks again.",
        add_arguments=diff.add_arguments,
        execute=diff.execute,
        examples=diff.EXAMPLES,
    ),
    Command(
        name="new",
        summary="Write a commented spec to start from.",
        add_arguments=new.add_arguments,
        execute=new.execute,
        purpose=Purpose.LEARN,
        examples=new.EXAMPLES,
    ),
    Command(
        name="schema",
        summary="Print the JSON Schema of specs, or of what commands print as data.",
        add_arguments=schema.add_arguments,
        execute=schema.execute,
        purpose=Purpose.LEARN,
        examples=schema.EXAMPLES,
    ),
    Command(
        name="clean",
        summary="Take away what runs have left in the services and in this folder.",
        add_arguments=clean.add_arguments,
        execute=clean.execute,
        purpose=Purpose.MEND,
        examples=clean.EXAMPLES,
    ),
    Command(
        name="emulator",
        summary="Run the emulator of Azure Batch and Blob Storage alone.",
        add_arguments=emulator.add_arguments,
        execute=emulator.execute,
        purpose=Purpose.LEARN,
    ),
    Command(
        name="help",
        summary="Show the help of a command.",
        purpose=Purpose.LEARN,
        add_arguments=help_command.add_arguments,
        execute=help_command.execute,
        examples=help_command.EXAMPLES,
    ),
    Command(
        name="completion",
        summary="Print a script that completes commands, runs and tasks in your shell.",
        purpose=Purpose.LEARN,
        add_arguments=completion.add_arguments,
        execute=completion.execute,
        examples=completion.EXAMPLES,
    ),
)
