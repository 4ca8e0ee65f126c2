"""`batch-run validate`: all problems of some specs at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from runner.cli.signals import Interruptions
from runner.cli.specs import (
    add_json_argument,
    add_parameter_arguments,
    find_spec,
    read_parameters,
    say_problems,
)
from runner.cli.world import World
from runner.errors import ExitCode, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Specs and parameters."""
    parser.add_argument("specs", metavar="SPEC", nargs="+")
    add_parameter_arguments(parser)
    add_json_argument(parser, "the problems")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 2 where any of them has a problem."""
    del interruptions
    errors = list(_check(arguments, world))
    if arguments.json:
        entries = [entry for name, error in errors for entry in _as_json(name, error)]
        world.print(json.dumps(entries, indent=2))
    else:
        for _, error in errors:
            _say(error, world)
    return ExitCode.USAGE if errors else ExitCode.SUCCESS


def _check(arguments: argparse.Namespace, world: World) -> Iterator[tuple[str, UsageError]]:
    """The files that are not as they should be; `UsageError` where it is the command line."""
    from runner.spec.load import load_workload
    from runner.spec.problem import SpecError

    try:
        given = read_parameters(arguments, world)
    except SpecError as error:
        yield arguments.params, error
        return
    for name in dict.fromkeys(arguments.specs):
        try:
            load_workload(find_spec(name, world), name=name, given=given)
        except UsageError as error:
            yield name, error
        else:
            if not arguments.json:
                world.say(f"{name}: valid")


def _as_json(name: str, error: UsageError) -> Iterator[dict[str, Any]]:
    """Problems as `problem_as_json` gives them; a file that cannot be read has no place in it."""
    from runner.spec.messages import problem_as_json
    from runner.spec.problem import SpecError

    if isinstance(error, SpecError):
        yield from map(problem_as_json, error.problems)
        return
    yield {
        "file": name,
        "start": {"line": None, "column": None},
        "end": {"line": None, "column": None},
        "code": "unreadable",
        "message": error.message,
        "hint": error.hint,
        "source_line": None,
    }


def _say(error: UsageError, world: World) -> None:
    from runner.spec.problem import SpecError

    if isinstance(error, SpecError):
        say_problems(error, world)
    else:
        world.show_error(error)
