"""`batch-run report`: what happened in a run, as a page to show and a table to compute with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, UsageError, describe_os_error

EXAMPLES = """
batch-run report                                    the page and the table of the last run
batch-run report mine-2026 --output mine.html       the page of another one, elsewhere
batch-run report --format tsv --output -            the table alone, for another program
batch-run report --json                             what `report.json` says
"""
PAGE, TABLE = "report.html", "trace.tsv"
_STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, what is made of it, and where that goes."""
    add_run_argument(parser)
    parser.add_argument(
        "--format",
        choices=("html", "tsv", "json"),
        help=f"the page, the table of tasks, or the report as data (default: `{PAGE}` and"
        f" `{TABLE}`, both in the run's directory)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="where it goes, `-` for standard output (default: the run's directory, and of `json`"
        " standard output)",
    )
    add_json_argument(parser, "the report")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Writes it and prints the paths; exit code 0 however the run stands."""
    del interruptions
    from runner.run.records.directory import find_run

    if arguments.json and arguments.format not in {None, "json"}:
        raise UsageError(f"`--json` and `--format {arguments.format}` are two different things")
    directory = find_run(world.working_directory, arguments.run)
    output: str | None = arguments.output
    match "json" if arguments.json else arguments.format:
        case "json":
            _put(_data(directory, world), output or _STDOUT, world)
        case "tsv":
            _put(_table(directory, world), output or str(directory / TABLE), world)
        case "html":
            _put(_page(directory, world), output or str(directory / PAGE), world)
        case _ if output is not None:
            _put(_page(directory, world), output, world)
        case _:
            _put_both(directory, world)
    return ExitCode.SUCCESS


def _put_both(directory: Path, world: World) -> None:
    from runner.cli.picturing import find_view
    from runner.report.page.assemble import page_of
    from runner.report.trace_as_tsv import trace_as_tsv

    view = find_view(directory, world)
    _put(page_of(view), str(directory / PAGE), world)
    _put("".join(trace_as_tsv(view.trace)), str(directory / TABLE), world)


def _page(directory: Path, world: World) -> str:
    from runner.cli.picturing import find_view
    from runner.report.page.assemble import page_of

    return page_of(find_view(directory, world))


def _table(directory: Path, world: World) -> str:
    from runner.cli.picturing import find_trace
    from runner.report.trace_as_tsv import trace_as_tsv

    return "".join(trace_as_tsv(find_trace(directory, world)))


def _data(directory: Path, world: World) -> str:
    from runner.cli.folding import fold_now
    from runner.report.as_json import report_as_json
    from runner.run.records.driving import find_driver

    folded = fold_now(directory, find_driver(directory), world)
    value = report_as_json(folded.report, run=directory.name)
    return world.redaction.text(json.dumps(value, ensure_ascii=False)) + "\n"


def _put(content: str, output: str, world: World) -> None:
    """Writes it to a file, whole or not at all, and prints its path; or to standard output.

    There is no secret in it any more: a page whose script had a word taken out would not run it.
    """
    from runner.run.records.journal import write_whole

    if output == _STDOUT:
        world.write(content.encode("utf-8", "backslashreplace"), is_clean=True)
        return
    path = world.working_directory / output
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error
    world.print(world.shown(path))
