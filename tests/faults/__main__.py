"""`python -m tests.faults`: plays many schedules, and says how many held, by kind of disaster.

A schedule follows from its seed: `--replay SEED` plays one again, and keeps its folder.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.disasters import Kind, Schedule, Target, draw_schedule
from tests.faults.play import needs_mount
from tests.faults.verdicts import Verdict, describe, table, try_schedule


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, help="of the first; the others follow it")
    parser.add_argument("--minutes", type=float, help="begin none after so long")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--replay", type=int, metavar="SEED", help="only this one, and keep it")
    parser.add_argument("--long", action="store_true", help="also those that take minutes")
    parser.add_argument(
        "--only", action="append", default=[], metavar="KIND", help="nothing else goes wrong"
    )
    parser.add_argument("--azurite", type=Path, help="where Azurite is installed: the storage")
    parser.add_argument("--folder", type=Path, help="where they are played (default: a new one)")
    given = parser.parse_args(arguments)
    kinds = [kind for kind in Kind if kind.value in given.only]
    root = given.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    first = random.randrange(10**9) if given.seed is None else given.seed
    seeds = [given.replay] if given.replay is not None else range(first, first + given.schedules)
    print(f"seed {seeds[0]}, {len(seeds)} schedules in {root}", flush=True)
    azurite: Path | None = given.azurite
    target: Target | None = None if azurite is None else "azure"
    schedules = [draw_schedule(seed, long=given.long, kinds=kinds, target=target) for seed in seeds]
    verdicts: list[Verdict] = []

    deadline = time.monotonic() + (given.minutes or 10**6) * 60

    def play(schedule: Schedule) -> None:
        if time.monotonic() > deadline:
            return
        if needs_mount(schedule):
            print(f"{schedule.describe()}: left out, a disk needs root", flush=True)
            return
        verdict = try_schedule(schedule, root, keep=given.replay is not None, azurite=azurite)
        verdicts.append(verdict)
        if verdict.wrong:
            print(describe(verdict), flush=True)
        elif len(verdicts) % 25 == 0:
            print(f"{len(verdicts)} played", flush=True)

    with ThreadPoolExecutor(given.jobs) as pool:
        failures = [pool.submit(play, schedule).exception for schedule in schedules]
        broken = [(s, e) for s, f in zip(schedules, failures, strict=True) if (e := f())]
    for schedule, error in broken:
        print(f"{schedule.describe()}: the harness failed")
        traceback.print_exception(error)
    print(table(verdicts))
    return 1 if broken or any(verdict.wrong for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
