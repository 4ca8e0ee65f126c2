"""`batch-run schema`: the JSON Schemas of specs and of all data that commands print."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from runner.spec.published import Published

_VERSION = 1

EXAMPLES = """
batch-run schema > workload.schema.json             what editors complete and check by
batch-run schema --list                             the schemas of all that commands print
batch-run schema event                              that of events, by its name
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which schema."""
    parser.add_argument(
        "name", metavar="SCHEMA", nargs="?", help="whose: a name of the list (default: of specs)"
    )
    parser.add_argument("--list", action="store_true", help="list the schemas, and do no more")
    parser.add_argument(
        "--json", action="store_true", help="print the list as JSON; a schema is JSON anyway"
    )


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the file as it is, or the list."""
    del interruptions
    from runner.spec.published import OF_SPECS, find_schema, published

    if not arguments.list:
        world.write(find_schema(arguments.name or OF_SPECS).read_bytes())
        return ExitCode.SUCCESS
    if arguments.name is not None:
        raise UsageError("`--list` is of all schemas", hint="leave SCHEMA out")
    found = published()
    if arguments.json:
        world.print_json({"v": _VERSION, "schemas": [_as_json(each) for each in found]})
        return ExitCode.SUCCESS
    width = max(len(each.name) for each in found)
    for each in found:
        world.print(f"{each.name:<{width}}  {_first_words(each.description)}")
    return ExitCode.SUCCESS


def version_as_json() -> dict[str, Any]:
    """Which batch-run this is, and which versions of the schemas it keeps to."""
    import platform

    from runner import __version__
    from runner.spec.published import published

    return {
        "v": _VERSION,
        "version": __version__,
        "python": platform.python_version(),
        "schemas": {each.name: each.version for each in published()},
    }


def _as_json(schema: Published) -> dict[str, Any]:
    return {
        "name": schema.name,
        "id": schema.id,
        "version": schema.version,
        "path": str(schema.path),
        "description": schema.description,
    }


def _first_words(text: str) -> str:
    """What of a description fits beside a name."""
    return text.partition(". ")[0].partition(": ")[0].removesuffix(".")
