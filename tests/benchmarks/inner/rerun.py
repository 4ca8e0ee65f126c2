"""A first run without services, and what a second one decides of it, within one process.

    python -m tests.benchmarks.inner.rerun FOLDER

`spec.yaml` of the folder is planned; what both took is printed as JSON. It must not know what the
spec is about.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.run_id import UNKNOWN
from runner.run.results.decisions import Action
from runner.spec.load import load_workload
from tests.fakes.reruns import Reruns


def main(folder: Path) -> None:
    """Seconds of processor time to run and keep, and to compare; every task is to be skipped."""
    workload = load_workload(folder / "spec.yaml", name="spec.yaml", given={})
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    reruns = Reruns(folder=folder)
    begun = time.process_time()
    reruns.run(plan, content=lambda task: "")
    kept = time.process_time()
    decisions = reruns.decide(plan)
    decided = time.process_time()
    skipped = decisions.count(Action.SKIP)
    figures = {"keep_seconds": kept - begun, "compare_seconds": decided - kept, "skipped": skipped}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
