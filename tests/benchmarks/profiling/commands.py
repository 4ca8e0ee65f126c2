"""The command line of the profile.

It must not know what samples look like.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.contest import TIMES
from tests.benchmarks.data import make_texts
from tests.benchmarks.machine import revision
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.profiling.picture import BEGIN, END, as_svg, as_table
from tests.benchmarks.profiling.recording import Profile, record, recording_command
from tests.benchmarks.rows.cat import TASKS, our_cat
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import COMMAND, Setting, open_setting
from tests.benchmarks.tables import MarkersError, replace_between


def main(arguments: Sequence[str]) -> int:
    """0 where it was measured, 1 where the command failed, 2 where the page cannot take it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks profile",
        description="Show where the processor time of a run of many small tasks goes.",
    )
    parser.add_argument("--tasks", type=int, default=TASKS, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=6, help="of the data (default: %(default)s)")
    parser.add_argument(
        "--page",
        type=Path,
        help="put table and picture into a page; the picture becomes a file beside it (.svg)",
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the picture there")
    asked = parser.parse_args(arguments)
    try:
        with open_setting(scale=1.0, seed=asked.seed) as setting:
            profile = _profile(setting, tasks=asked.tasks, rounds=asked.rounds)
        print(as_table(profile))
        svg = asked.page.with_suffix(".svg") if asked.page is not None else asked.svg
        if svg is not None:
            svg.write_text(as_svg(profile), encoding="utf-8")
        if asked.page is not None:
            _put(profile, asked.page, svg)
    except FailedError as error:
        print(error, file=sys.stderr)
        return 1
    except (MarkersError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _profile(setting: Setting, *, tasks: int, rounds: int) -> Profile:
    found = shutil.which("py-spy", path=setting.environ["PATH"])
    if found is None:
        raise FailedError("py-spy is not installed (`pip install py-spy`)")
    spy = Path(found)
    folder = setting.place("profile")
    make_texts(folder / "data", tasks, seed=setting.seed)
    ours = our_cat(setting, folder)

    def once() -> Sample:
        with setting.temporary() as place:
            return ours.once(place)

    def spied() -> Path:
        file = folder / "samples.txt"
        with setting.temporary() as place:
            command = recording_command(spy, file, [COMMAND, folder / "speed.yaml"])
            setting.run_peer(command, place)
        return file

    return record(
        once,
        spied,
        title=f"{tasks:,} {TIMES} cat of 10 KB: where the processor time goes",
        rounds=rounds,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _put(profile: Profile, page: Path, svg: Path) -> None:
    parts = [
        f"Measured with revision {revision()}.",
        f"![{profile.title}]({svg.name})",
        as_table(profile),
    ]
    text = page.read_text(encoding="utf-8")
    page.write_text(replace_between(text, BEGIN, END, "\n\n".join(parts)), encoding="utf-8")
