"""Measures what a plan costs at several sizes, each in a process of its own, and shows ratios.

It knows nothing of what is planned: a benchmark gives the function that makes a folder ready.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.run_id import UNKNOWN
from runner.report.plan_as_json import plan_as_json
from runner.spec.load import load_workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one plan, and of all of it as JSON: seconds of processor time, which other programs on
    the machine disturb least. `peak_bytes` is of the process, `idle_bytes` before the plan.
    """

    items: int
    plan_seconds: float
    json_seconds: float
    idle_bytes: int
    peak_bytes: int


def measure(folder: Path, items: int) -> Cost:
    """Plans `spec.yaml` of a folder."""
    workload = load_workload(folder / "spec.yaml", name="spec.yaml", given={})
    idle = _peak_bytes()
    start = time.process_time()
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    planned = time.process_time()
    for _ in plan_as_json(plan):
        pass
    end = time.process_time()
    return Cost(
        items=items,
        plan_seconds=planned - start,
        json_seconds=end - planned,
        idle_bytes=idle,
        peak_bytes=_peak_bytes(),
    )


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run_benchmark(
    module: str, prepare: Callable[[Path, int], None], *, sizes: tuple[int, ...], noun: str
) -> None:
    """The command line of a benchmark: all sizes, or with `--measure` one that is ready."""
    parser = argparse.ArgumentParser(description=f"what a plan costs for each {noun}")
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, metavar="N")
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "N"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        folder, items = arguments.measure
        cost = measure(Path(folder), int(items))
        print(json.dumps({name: getattr(cost, name) for name in Cost.__slots__}))
        return
    costs = []
    for items in arguments.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, items)
            done = subprocess.run(
                [sys.executable, "-m", module, "--measure", name, str(items)],
                stdout=subprocess.PIPE,
                check=True,
            )
        costs.append(Cost(**json.loads(done.stdout)))
        print("\n".join(_table(costs, noun)[-1:] if len(costs) > 1 else _table(costs, noun)))


def _table(costs: list[Cost], noun: str) -> list[str]:
    """A line for each size; the ratios are to the first one."""
    return [
        (
            f"{noun + 's':>10} {'plan':>9} {'each':>9} {'ratio':>6} {'as JSON':>9} {'each':>9}"
            f" {'ratio':>6} {'peak':>8} {'each':>8}"
        ),
        *_rows(costs),
    ]


def _rows(costs: list[Cost]) -> Iterator[str]:
    first = costs[0]
    for cost in costs:
        plan, as_json = cost.plan_seconds / cost.items, cost.json_seconds / cost.items
        grown = (cost.peak_bytes - cost.idle_bytes) / cost.items
        yield (
            f"{cost.items:>10,} {cost.plan_seconds:>7.2f} s {plan * 1e6:>6.1f} us"
            f" {plan / (first.plan_seconds / first.items):>6.2f}"
            f" {cost.json_seconds:>7.2f} s {as_json * 1e6:>6.1f} us"
            f" {as_json / (first.json_seconds / first.items):>6.2f}"
            f" {cost.peak_bytes / 1e6:>5.0f} MB {grown:>6.0f} B"
        )
