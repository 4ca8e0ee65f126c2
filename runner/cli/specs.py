"""What the commands that read a spec share: its arguments, where it is, its parameters.

It knows nothing of what is done with the workload.
"""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.asking import ask_parameters
from runner.cli.world import World
from runner.errors import UsageError, describe_os_error

if TYPE_CHECKING:  # what parses templates costs time that `--version` need not take
    from runner.spec.document import Document
    from runner.spec.model.terms import ParameterValue
    from runner.spec.model.workload import Workload
    from runner.spec.parsing.parameters import Given
    from runner.spec.problem import Problem, SpecError

PRICES_VARIABLE = "BATCH_RUN_PRICES"
_SURROGATE_PAIR = re.compile(  # behind an even number of backslashes
    rb"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)


def add_parameter_arguments(parser: argparse.ArgumentParser) -> None:
    """`-p NAME=VALUE` and `--params FILE`."""
    parser.add_argument(
        "-p",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give a parameter a value; may be repeated (default: as the spec says, or asked for)",
    )
    parser.add_argument(
        "--params",
        metavar="FILE",
        help="a YAML or JSON file of parameters; -p wins over it (default: none)",
    )


def add_secrets_argument(parser: argparse.ArgumentParser) -> None:
    """`--params FILE` of what goes on with a run."""
    parser.add_argument(
        "--params",
        metavar="FILE",
        help="a YAML or JSON file with the values of secret parameters; the others stay as the run"
        " began (default: of the environment, or asked for)",
    )


def add_rerun_arguments(parser: argparse.ArgumentParser) -> None:
    """`--force` and `--only`."""
    parser.add_argument(
        "--force", action="store_true", help="run tasks too whose results are there and unchanged"
    )
    parser.add_argument(
        "--only",
        metavar="failed|ID,...",
        help="run those alone that did not succeed in the last run, or tasks of these ids; and what"
        " they need (default: all tasks)",
    )


def add_prices_argument(parser: argparse.ArgumentParser) -> None:
    """`--prices`."""
    parser.add_argument(
        "--prices",
        metavar="FILE|azure",
        help="what nodes cost: a table of your own (YAML or JSON), or `azure[:REGION][:CURRENCY]`"
        f" for Azure's list prices, read once a day (default: ${PRICES_VARIABLE}, else no prices)",
    )


def add_json_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON")


def find_spec(name: str, world: World) -> Path:
    """The file meant by a command line: there, or else an example that ships with batch-run.

    `workloads/topwords.yaml` means the example wherever there is no such file, and a line says so.
    """
    path = world.working_directory / name
    if Path(name).is_absolute() or not _is_missing(path):
        return path
    parts = Path(name).parts
    if len(parts) == 2 and parts[0] == "workloads":
        from runner.spec.bundled import bundled

        example = bundled("workloads", parts[1])
        with contextlib.suppress(OSError):  # a name that no file can have
            if example.is_file():
                world.say(f"{name}: not in this folder; using the example {example}")
                return example
    return path


def _is_missing(path: Path) -> bool:
    """False too where nobody can say: then reading the file will tell why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def read_parameters(arguments: argparse.Namespace, world: World) -> Given:
    """The values given on the command line and in a file; the spec's types come later.

    Raises `SpecError` with all that is wrong in the file.
    """
    from runner.spec.parsing.parameters import Given

    given: dict[str, ParameterValue] = {}
    for text in arguments.parameters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"`-p {text}`: not of the form NAME=VALUE")
        given[name] = value
    file = None if arguments.params is None else _read_file(arguments.params, world)
    return Given(given, file)


def read_secrets_file(name: str | None, world: World) -> Document | None:
    """A file of parameters that has values of secrets: no line of it is shown.

    Raises `SpecError` with all that is wrong in it.
    """
    from runner.spec.load import without_line
    from runner.spec.problem import SpecError

    try:
        return None if name is None else _read_file(name, world)
    except SpecError as error:
        raise SpecError(map(without_line, error.problems)) from error


def read_parameters_for(
    specs: Iterable[Path], arguments: argparse.Namespace, world: World
) -> Given:
    """As `read_parameters`; what is wrong in a file is told without its lines if it may have
    secrets of the specs."""
    from runner.spec.load import has_secrets, without_line
    from runner.spec.problem import SpecError

    try:
        return read_parameters(arguments, world)
    except SpecError as error:
        if not any(has_secrets(path, name=path.name) for path in specs):
            raise
        raise SpecError(map(without_line, error.problems)) from error


def _read_file(name: str, world: World) -> Document:
    from runner.spec.document import MOST_BYTES, read_document
    from runner.spec.problem import SpecError

    try:
        with (world.working_directory / name).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read `{name}`: {reason}") from error
    document, problems = read_document(name, _with_whole_characters(content))
    if document is None:
        raise SpecError(map(_of_parameters, problems))
    wrong = (
        document.problem(
            (key,),
            code="parameter-value",
            message=f"the value of `{key}` is not text, a number or a boolean",
        )
        for key, value in document.data.items()
        if not isinstance(value, str | int | float | bool)
    )
    problems = (*problems, *wrong)
    if problems:
        raise SpecError(problems)
    return document


def _with_whole_characters(content: bytes) -> bytes:
    """JSON may write a character as two escapes, of a surrogate pair; YAML knows one for it."""

    def join(pair: re.Match[bytes]) -> bytes:
        high, low = int(pair[2], 16), int(pair[3], 16)
        return b"%s\\U%08x" % (pair[1], 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)

    return _SURROGATE_PAIR.sub(join, content) if content.lstrip().startswith(b"{") else content


def _of_parameters(problem: Problem) -> Problem:
    """What is said of a file that is no spec, where none is wanted."""
    if problem.code not in {"empty", "not-a-mapping"}:
        return problem
    message = "a file of parameters holds their names and values, such as `nodes: 5`"
    return replace(problem, message=message, hint=None)


def say_problems(error: SpecError, world: World) -> None:
    """Every problem with its line, caret and hint."""
    from runner.spec.messages import render_problem

    for problem in error.problems:
        world.say(render_problem(problem))


def load(name: str, arguments: argparse.Namespace, world: World) -> tuple[Workload, Path]:
    """The checked workload of a command line, and the folder that its paths start at.

    Somebody at a terminal is asked for parameters that have no value.
    """
    from runner.spec.load import load_workload

    path = find_spec(name, world)
    given = read_parameters_for((path,), arguments, world)
    ask = None
    if world.has_someone() and not arguments.json and not getattr(arguments, "quiet", False):
        ask = partial(ask_parameters, world=world)
    return load_workload(path, name=name, given=given, ask=ask), path.resolve().parent
