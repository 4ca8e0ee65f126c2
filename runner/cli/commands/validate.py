"""`batch-run validate`: all problems of some specs at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runner.cli.signals import Interruptions
from runner.cli.specs import (
    add_json_argument,
    add_parameter_arguments,
    find_spec,
    read_parameters_for,
    say_problems,
)
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from runner.spec.parsing.parameters import Given

_UNKNOWN = "unknown-parameter"

EXAMPLES = """
batch-run validate mine.yaml                        all problems, each with line and column
batch-run validate *.yaml --json                    of several specs, as data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Specs and parameters."""
    parser.add_argument(
        "specs", metavar="SPEC", nargs="+", help="YAML files of workloads, each checked for itself"
    )
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


def _check(arguments: argparse.Namespace, world: World) -> Iterator[tuple[str | None, UsageError]]:
    """The files that are not as they should be; `UsageError` where it is the command line."""
    from runner.spec.load import declared_parameters, load_workload
    from runner.spec.problem import SpecError

    specs = {name: find_spec(name, world) for name in arguments.specs}
    try:
        given = read_parameters_for(specs.values(), arguments, world)
    except SpecError as error:
        yield arguments.params, error
        return
    declared: dict[str, frozenset[str] | None] = {}
    if given and len(specs) > 1:  # what one spec alone does not have is a problem of that spec
        declared = {name: declared_parameters(path, name=name) for name, path in specs.items()}
        yield from _unknown_parameters(given, declared)
    for name, path in specs.items():
        known = declared.get(name)
        own = given if known is None else given.only(known)
        try:
            load_workload(path, name=name, given=own)
        except UsageError as error:
            yield name, error
        else:
            if not arguments.json:
                world.say(f"{name}: valid")


def _unknown_parameters(
    given: Given, declared: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[str | None, UsageError]]:
    """What is given although no spec has it; who cannot be read may have had it."""
    from runner.spec.problem import SpecError
    from runner.spec.suggestion import shorten, suggest

    known: dict[str, None] = {}
    for names in declared.values():
        if names is None:
            return
        known.update(dict.fromkeys(sorted(names)))
    for name in given:
        if name in known:
            continue
        message = f"none of these specs has a parameter `{shorten(name)}`"
        hint = suggest(name, known, label="parameters")
        file = given.file_of(name)
        if file is None:
            value = shorten(str(given[name]))
            yield None, UsageError(f"`-p {shorten(name)}={value}`: {message}", hint=hint)
        else:
            problem = file.key_problem((name,), code=_UNKNOWN, message=message, hint=hint)
            yield file.name, SpecError([problem])


def _as_json(name: str | None, error: UsageError) -> Iterator[dict[str, Any]]:
    """Problems as `problem_as_json` gives them; a command line and a whole file have no place."""
    from runner.spec.messages import problem_as_json
    from runner.spec.problem import SpecError

    if isinstance(error, SpecError):
        yield from map(problem_as_json, error.problems)
        return
    yield {
        "file": name,
        "start": {"line": None, "column": None},
        "end": {"line": None, "column": None},
        "code": _UNKNOWN if name is None else "unreadable",
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
