"""`batch-run validate`: all problems of some specs at once."""

from __future__ import annotations

import argparse
import json

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_parameter_arguments, load
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
    from runner.spec.messages import problem_as_json, render_problem
    from runner.spec.problem import Problem, SpecError

    problems: list[Problem] = []
    unreadable = False
    for name in arguments.specs:
        try:
            load(name, arguments, world)
        except SpecError as error:
            problems.extend(error.problems)
        except UsageError as error:
            unreadable = True
            world.show_error(error)
        else:
            if not arguments.json:
                world.say(f"{name}: valid")
    if arguments.json:
        world.print(json.dumps([problem_as_json(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            world.say(render_problem(problem))
    return ExitCode.USAGE if problems or unreadable else ExitCode.SUCCESS
