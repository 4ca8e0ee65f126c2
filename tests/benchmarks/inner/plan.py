"""Plans `spec.yaml` of a folder within one process, and prints what that took as JSON.

    python -m tests.benchmarks.inner.plan FOLDER

It must not know what is planned.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.run_id import UNKNOWN
from runner.report.plan_as_json import plan_as_json
from runner.spec.load import load_workload


def main(folder: Path) -> None:
    """Seconds of processor time for the plan and for all of it as JSON; bytes that it grew by."""
    workload = load_workload(folder / "spec.yaml", name="spec.yaml", given={})
    idle = _peak_bytes()
    begun = time.process_time()
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    planned = time.process_time()
    for _ in plan_as_json(plan):
        pass
    ended = time.process_time()
    figures = {
        "plan_seconds": planned - begun,
        "json_seconds": ended - planned,
        "grown_bytes": _peak_bytes() - idle,
    }
    print(json.dumps(figures))


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
