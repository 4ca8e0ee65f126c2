"""The command line of the benchmarks.

It must not know what a row measures, nor how.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.contest import compete, judge
from tests.benchmarks.machine import describe_machine, describe_versions
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.profiling.commands import main as profile
from tests.benchmarks.results import Results, ResultsError, RowResult, read_results, write_results
from tests.benchmarks.rows.table import ROWS, Row
from tests.benchmarks.setting import Setting, open_setting
from tests.benchmarks.tables import BEGIN, END, MarkersError, as_markdown, as_text, replace_between

_EXAMPLES = """examples:
  %(prog)s                                         the table, five rounds after one to warm up
  %(prog)s cat mp3 --rounds 3 --json figures.json  two rows
  %(prog)s --scale 0.1 --rounds 1 --warm-ups 0     a quick look: a tenth of every size
  %(prog)s --write docs/speed.md figures.json      put figures into a page
  %(prog)s profile --page docs/speed.md            where the time of a run goes
"""


def main(arguments: Sequence[str]) -> int:
    """0 where all was measured, be the targets met or not; 1 where ours failed; 2 for misuse."""
    if arguments[:1] == ["profile"]:
        return profile(arguments[1:])
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.list:
        for row in ROWS:
            print(f"{row.name:16} {row.what}{'' if row.by_default else ' (only if named)'}")
        return 0
    if asked.write is not None:
        page, *files = asked.write
        if not files:
            parser.error("--write needs a page, and files of figures")
        return _write(page, files)
    if not sys.platform.startswith("linux"):
        parser.error("the benchmarks read /proc, and so need Linux")
    rows = _chosen(parser, asked.rows)
    try:
        results = _measure(rows, asked)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        _tell(str(error))
        return 2
    print(as_text(results))
    return 0 if results.is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure batch-run beside other tools.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help="which (default: those of the table)"
    )
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--rounds", type=_positive, default=5, help="(default: %(default)s)")
    parser.add_argument(
        "--warm-ups", type=int, default=1, help="rounds that do not count (default: %(default)s)"
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of all sizes (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=6, help="of the data (default: %(default)s)")
    parser.add_argument(
        "--peers",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="where peers are besides PATH: an environment of Python, a prefix of npm",
    )
    parser.add_argument(
        "--folder", type=Path, help="where to work (default: the place for temporary files)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument(
        "--write",
        type=Path,
        nargs="+",
        metavar=("PAGE", "FILE"),
        help="measure nothing: put the figures of files of JSON between the markers of a page",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one")
    return number


def _chosen(parser: argparse.ArgumentParser, names: Sequence[str]) -> list[Row]:
    by_name = {row.name: row for row in ROWS}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        parser.error(f"no row `{unknown[0]}`; --list names them")
    return [by_name[name] for name in names] if names else [row for row in ROWS if row.by_default]


def _measure(rows: Sequence[Row], asked: argparse.Namespace) -> Results:
    """Measures one row after the other; what is known is written down after each."""
    options = {name: getattr(asked, name) for name in ("rounds", "warm_ups", "scale", "seed")}
    machine, versions = describe_machine(), describe_versions()
    results = Results(machine=machine, versions=versions, options=options)
    with open_setting(
        scale=asked.scale, seed=asked.seed, peers=asked.peers, below=asked.folder
    ) as setting:
        if asked.json is not None:
            write_results(results, asked.json)  # fails now, and not in an hour
        for row in rows:
            with setting.temporary() as folder:
                done = _hold(
                    row,
                    replace(setting, folder=folder),
                    rounds=asked.rounds,
                    warm_ups=asked.warm_ups,
                )
            results = replace(
                results,
                versions={**versions, **setting.peers.versions()},
                rows=(*results.rows, done),
            )
            if asked.json is not None:
                write_results(results, asked.json)
    return results


def _hold(row: Row, setting: Setting, *, rounds: int, warm_ups: int) -> RowResult:
    """Holds one contest; what goes wrong in it does not end the others."""
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        try:
            contest = stack.enter_context(row.open(setting))
        except (FailedError, ImportError, OSError, subprocess.CalledProcessError) as error:
            _tell(f"{row.name}: not measured: {error}")
            return RowResult(name=row.name, title=row.what, load_before=load, failure=str(error))
        _tell(f"{row.name}: {contest.title}")
        standings = compete(
            contest, rounds=rounds, warm_ups=warm_ups, folder=setting.folder, tell=_tell
        )
        entries = standings.entries()
        return RowResult(
            name=row.name,
            title=contest.title,
            entries=entries,
            verdicts=judge(contest.targets, entries),
            load_before=load,
        )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(page: Path, files: Sequence[Path]) -> int:
    try:
        figures = "\n\n".join(as_markdown(read_results(file)) for file in files)
        text = page.read_text(encoding="utf-8")
        page.write_text(replace_between(text, BEGIN, END, figures), encoding="utf-8")
    except (ResultsError, MarkersError, OSError) as error:
        _tell(str(error))
        return 2
    return 0
