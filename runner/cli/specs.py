"""What the commands that read a spec share: its arguments, where it is, its parameters.

It knows nothing of what is done with the workload.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.world import World
from runner.errors import UsageError, describe_os_error

if TYPE_CHECKING:  # what parses templates costs time that `--version` need not take
    from runner.spec.problem import SpecError
    from runner.spec.terms import ParameterValue
    from runner.spec.workload import Workload


def add_parameter_arguments(parser: argparse.ArgumentParser) -> None:
    """`-p NAME=VALUE` and `--params FILE`."""
    parser.add_argument(
        "-p",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give a parameter a value; may be repeated",
    )
    parser.add_argument(
        "--params", metavar="FILE", help="a YAML or JSON file of parameters; -p wins over it"
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


def read_parameters(arguments: argparse.Namespace, world: World) -> dict[str, ParameterValue]:
    """The values given on the command line and in files; the spec's types come later."""
    given: dict[str, ParameterValue] = {}
    if arguments.params is not None:
        given.update(_read_file(arguments.params, world))
    for text in arguments.parameters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"`-p {text}`: not of the form NAME=VALUE")
        given[name] = value
    return given


def _read_file(name: str, world: World) -> dict[str, ParameterValue]:
    from runner.spec.document import read_document
    from runner.spec.problem import SpecError

    try:
        content = (world.working_directory / name).read_bytes()
    except OSError as error:
        reason = describe_os_error(error)
        raise UsageError(f"cannot read `{name}`: {reason}") from error
    document, problems = read_document(name, content)
    if problems or document is None:
        raise SpecError(problems)
    values: dict[str, ParameterValue] = {}
    for key, value in document.data.items():
        if not isinstance(value, str | int | float | bool):
            problem = document.problem(
                (key,),
                code="parameter-value",
                message=f"the value of `{key}` is not text, a number or a boolean",
            )
            raise SpecError([problem])
        values[key] = value
    return values


def say_problems(error: SpecError, world: World) -> None:
    """Every problem with its line, caret and hint."""
    from runner.spec.messages import render_problem

    for problem in error.problems:
        world.say(render_problem(problem))


def load(name: str, arguments: argparse.Namespace, world: World) -> tuple[Workload, Path]:
    """The checked workload of a command line, and the folder that its paths start at."""
    from runner.spec.load import load_workload

    path = find_spec(name, world)
    given = read_parameters(arguments, world)
    return load_workload(path, name=name, given=given), path.resolve().parent
