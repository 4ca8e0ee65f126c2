"""Which command is meant, and how its end becomes an exit code.

It knows nothing of what the commands do; each is one function in `cli.commands`.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime, timezone
from pathlib import Path

from runner.cli.keyboard import Keyboard
from runner.cli.parser import build_parser, parse
from runner.cli.secret_variables import secrets_in
from runner.cli.signals import Interruptions
from runner.cli.specs import say_problems
from runner.cli.table import COMMANDS, Command
from runner.cli.world import World
from runner.errors import BatchRunError, ExitCode, InterruptedRunError, UsageError, most_severe
from runner.run.clock import Clock
from runner.run.records.redaction import Redaction
from runner.run.stop import Stop
from runner.spec.problem import SpecError
from runner.spec.suggestion import suggest


def run_process(argv: Sequence[str], interruptions: Interruptions) -> int:
    """Runs a command line in the world of this process; returns its exit code."""
    # Of our own, since Python has none where they were closed; and raw, so that a thread that
    # waits for a reader holds no lock which the interpreter wants when it ends.
    stdout = os.fdopen(1, "wb", buffering=0, closefd=False)
    # File names and task output may hold what the locale's encoding does not.
    stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False)
    try:
        working_directory = Path.cwd()
    except OSError:
        stderr.write("batch-run: the working directory does not exist any more\n")
        return ExitCode.USAGE
    world = World(
        environ=os.environ,  # noqa: TID251 - the one place
        working_directory=working_directory,
        stdout=stdout,
        stderr=stderr,
        stdin=Keyboard(0),
        redaction=Redaction(secrets_in(os.environ)),  # noqa: TID251 - the one place
        clock=Clock(
            now=lambda: datetime.now(timezone.utc),  # noqa: TID251 - the one place
            monotonic=time.monotonic,
            wait=Stop.wait,
        ),
    )
    interruptions.say = world.say
    return run_command(argv, world, interruptions)


def run_command(argv: Sequence[str], world: World, interruptions: Interruptions) -> int:
    """Runs one command line to its exit code; every error becomes one clear line."""
    code = _carry_out(argv, world, interruptions)
    if world.output_problem is None:
        return code
    world.say(f"batch-run: {world.output_problem}")
    return most_severe(ExitCode(code), ExitCode.SERVICE)


def _carry_out(argv: Sequence[str], world: World, interruptions: Interruptions) -> int:
    if not argv:
        world.say(build_parser(()).format_help().rstrip())
        return ExitCode.USAGE
    if argv[0] == "__complete":  # no command for people, and never in the way of a spec
        from runner.cli.completion.answering import answer

        return answer(argv[1:], world)
    if set(argv) == {"--version", "--json"}:
        from runner.cli.commands.schema import version_as_json

        world.print_json(version_as_json())
        return ExitCode.SUCCESS
    try:
        arguments = _understand(argv, world)
        if arguments is None:
            return ExitCode.SUCCESS
        command: Command = arguments.command
        return command.execute(arguments, world, interruptions)
    except BatchRunError as error:
        return _tell(error, argv, world)
    except Exception as bug:  # noqa: BLE001 - the user gets a line, and we the trace
        return _tell(_interruption_of(bug) or _describe_bug(bug, world), argv, world)


def _understand(argv: Sequence[str], world: World) -> argparse.Namespace | None:
    """The line; None where it asks for help or the version, which are data and have been shown."""
    shown = io.StringIO()
    try:
        with redirect_stdout(shown):
            return parse(_with_command(argv))
    except SystemExit:  # argparse has shown what it was asked for
        world.write(shown.getvalue().encode("utf-8", "backslashreplace"))
        return None


def _tell(error: BatchRunError, argv: Sequence[str], world: World) -> int:
    """Says it to people, and with `--json` to programs as well; the exit code.

    The line may be one that cannot be understood: so the word itself is looked for.
    """
    if isinstance(error, SpecError):
        say_problems(error, world)
        world.say(f"batch-run: {error.message}")
    else:
        world.show_error(error)
    if "--json" in argv:
        from runner.report.error_as_json import error_as_json

        world.print_json(error_as_json(error))
    return error.exit_code


def _describe_bug(bug: Exception, world: World) -> BatchRunError:
    import tempfile
    import traceback

    message = f"a bug in batch-run: {type(bug).__name__}: {bug}"
    with tempfile.NamedTemporaryFile(
        "w", prefix="batch-run-bug-", suffix=".txt", delete=False, errors="backslashreplace"
    ) as file:
        file.write(world.redaction.text("".join(traceback.format_exception(bug))))
    return BatchRunError(message, hint=f"please report it with the content of `{file.name}`")


def _interruption_of(error: BaseException | None) -> BatchRunError | None:
    """The Ctrl-C that this comes of, if any: some who call us raise an error of their own for it.

    Python itself does, where a class is made and a signal comes.
    """
    while error is not None and not isinstance(error, InterruptedRunError):
        error = error.__cause__ or error.__context__
    return error


def _with_command(argv: Sequence[str]) -> list[str]:
    """`batch-run SPEC` means `run`; a command's name wins over a file's."""
    names = {command.name for command in COMMANDS}
    if argv[0] in names or argv[0] in {"-h", "--help", "--version"}:
        return [*argv]
    word = argv[0]
    if word.isidentifier() and not os.path.lexists(word):
        raise UsageError(
            f"there is no command and no spec `{word}`",
            hint=suggest(word, sorted(names), label="commands"),
        )
    return ["run", *argv]
