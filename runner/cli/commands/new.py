"""`batch-run new`: a commented spec to start from.

Its header names the schema, so that editors complete and check from the first key on. Without
`--schema` that is the schema of this installation, by its URL on this machine: there for everyone
who has batch-run, with nothing else to keep. With it a copy lies beside the spec and the header
names it by a relative path, which also holds for others who get the folder.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode, UsageError, describe_os_error

if TYPE_CHECKING:
    from runner.cli.starter import Example, LocalInput

_SCHEMA_NAME = "workload.schema.json"
_VERSION = 1

EXAMPLES = """
batch-run new mine                                  a commented spec, mine.yaml
batch-run new --list                                the examples that come inside
batch-run new mine --from topwords --data           begin from one, with its data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The workload's name, what to start from, and where to write."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="the workload's name")
    parser.add_argument(
        "--from",
        dest="example",
        metavar="WORKLOAD",
        help="start from this example (default: a commented starter)",
    )
    parser.add_argument(
        "--data", action="store_true", help="copy the example's data beside it, where none is yet"
    )
    parser.add_argument("--list", action="store_true", help="list the examples, and do no more")
    parser.add_argument(
        "--json", action="store_true", help="print what was written, or the list, as JSON"
    )
    parser.add_argument("--path", metavar="FILE", help="where to write it (default: NAME.yaml)")
    parser.add_argument(
        "--schema",
        action="store_true",
        help=f"write the schema beside it, as {_SCHEMA_NAME}, and let editors use that",
    )


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Writes the spec and prints its path; says what to do next."""
    del interruptions
    from runner.cli.starter import check_name, examples, find_example, make_spec

    if arguments.list:
        known = examples()
        if arguments.json:
            world.print_json({"v": _VERSION, "examples": [_as_json(each) for each in known]})
            return ExitCode.SUCCESS
        width = max(len(example.name) for example in known)
        for example in known:
            world.print(f"{example.name:<{width}}  {example.description}")
        return ExitCode.SUCCESS
    if arguments.name is None:
        raise UsageError(
            "a new workload needs a name",
            hint="`batch-run new NAME`; `batch-run new --list` shows the examples",
        )
    check_name(arguments.name)
    if arguments.data and arguments.example is None:
        raise UsageError(
            "`--data` copies the data of an example",
            hint="say which: `--from NAME`; `batch-run new --list` shows them",
        )
    chosen = None if arguments.example is None else find_example(arguments.example)
    shown = arguments.path or f"{arguments.name}.yaml"
    path = world.working_directory / shown
    schema = _bundled_schema()
    copy = path.parent / _SCHEMA_NAME
    if arguments.schema:
        _check_copy(copy, schema)
    named = _SCHEMA_NAME if arguments.schema else schema.as_uri()
    text = make_spec(arguments.name, example=chosen, schema=named)
    _write_new(path, shown, text.encode())
    if arguments.schema and not copy.exists():
        _write_new(copy, _SCHEMA_NAME, schema.read_bytes())
    if arguments.data and chosen is not None:
        _copy_data(path, text, chosen, world)
    if arguments.json:
        missing = [each.source for each in _missing(shown, path.parent, text)]
        world.print_json({"v": _VERSION, "path": shown, "schema": named, "missing": missing})
        return ExitCode.SUCCESS
    world.print(shown)
    for line in _advice(shown, path.parent, text, chosen):
        world.say(line)
    return ExitCode.SUCCESS


def _as_json(example: Example) -> dict[str, str]:
    return {
        "name": example.name,
        "description": example.description,
        "path": str(example.path),
    }


def _copy_data(path: Path, text: str, example: Example, world: World) -> None:
    """What the new spec reads; without it there is no spec either, so that one can try again."""
    from runner.cli.example_data import copy_data
    from runner.cli.starter import local_inputs

    sources = [each.source for each in local_inputs(path.name, text)]
    try:
        for line in copy_data(sources, example=example.path.parent, target=path.parent):
            world.say(line)
    except UsageError:
        path.unlink()
        raise


def _bundled_schema() -> Path:
    from runner.spec.bundled import bundled
    from runner.spec.validation.schema import SCHEMA_PARTS

    return bundled(*SCHEMA_PARTS)


def _check_copy(copy: Path, schema: Path) -> None:
    """A file of that name is left as it is: the same schema, or a reason to stop."""
    try:
        is_same = copy.read_bytes() == schema.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot read `{copy}`: {describe_os_error(error)}") from error
    if not is_same:
        raise UsageError(
            f"`{copy}` exists already, and is not the schema of this release",
            hint=f"`batch-run schema > {_SCHEMA_NAME}` replaces it",
        )


def _write_new(path: Path, shown: str, content: bytes) -> None:
    """Writes a file that is not there yet, whole or not at all."""
    try:
        with path.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError as error:
        hint = "nothing is overwritten: give another name, or `--path FILE`"
        raise UsageError(f"`{shown}` exists already", hint=hint) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot write `{shown}`: {reason}") from error


def _missing(shown: str, folder: Path, text: str) -> Iterator[LocalInput]:
    """What the spec reads and is not there yet."""
    from runner.cli.starter import local_inputs

    return (each for each in local_inputs(shown, text) if not (folder / each.source).exists())


def _advice(shown: str, folder: Path, text: str, example: Example | None) -> Iterator[str]:
    """What is still to be done by hand, and the commands that come next."""
    for each in _missing(shown, folder, text):
        where = f"{shown}:{each.position.line}:{each.position.column}"
        yield f"{where}: `{each.source}` is not there yet: make it, or name your own files"
        if example is not None:
            own = example.path.parent / each.source
            yield f"  the example's own is {own}: copy it there (`new --data` does)"
    word = shlex.quote(shown)
    yield f"check it:              batch-run validate {word}"
    yield f"see what it would do:  batch-run plan {word}"
    yield f"run it:                batch-run run {word}"
