"""What it costs to keep what tasks were made of, and to find that nothing has to run again.

`python -m tests.benchmarks.rerun_scaling` from the root of the repository; sizes may be given. Each
is measured in a process of its own, in seconds of processor time.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.run_id import UNKNOWN
from runner.run.results.decisions import Action
from runner.spec.load import load_workload
from tests.benchmarks.plan_scaling import prepare
from tests.fakes.reruns import Reruns

_SIZES = (1_000, 10_000, 100_000)


def measure(folder: Path, tasks: int) -> str:
    """One line: a first run without services, and the decisions of a second one."""
    prepare(folder, tasks)
    workload = load_workload(folder / "spec.yaml", name="spec.yaml", given={})
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    reruns = Reruns(folder=folder)
    start = time.process_time()
    reruns.run(plan, content=lambda task: "")
    kept = time.process_time()
    decisions = reruns.decide(plan)
    decided = time.process_time()
    assert decisions.count(Action.SKIP) == tasks
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (
        f"{tasks:>9,} tasks: {(kept - start) / tasks * 1e6:4.0f} µs each to run and keep,"
        f" {(decided - kept) / tasks * 1e6:4.0f} µs each to compare, {peak} MB at most"
    )


def main() -> None:
    """Measures each size and prints its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", metavar="TASKS", type=int, nargs="*", default=_SIZES)
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone is not None:
        with tempfile.TemporaryDirectory() as name:
            print(measure(Path(name), arguments.alone))
        return
    for size in arguments.sizes:
        command = [sys.executable, "-m", "tests.benchmarks.rerun_scaling", "--alone", str(size)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
