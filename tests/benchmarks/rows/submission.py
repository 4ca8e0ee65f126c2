"""Very many tasks brought to a service whose every answer takes a while.

It must not know how they are measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.benchmarks.contest import OURS, Bound, Contest, Contestant, Target
from tests.benchmarks.emulators import start_emulator
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.samples import EMULATOR, Sample
from tests.benchmarks.setting import Setting

_TASKS = 100_000
_LATENCY = "40ms"
_SPEC = """\
version: 1
name: submission
pool:
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 1}}
task:
  for_each: {{range: {{from: 1, to: {count}}}}}
  command: "true"
"""


@contextmanager
def open_submission(setting: Setting) -> Iterator[Contest]:
    """A run that leaves once its tasks are added; time stands still, and none of them begins."""
    count = setting.size(_TASKS, least=1_000)
    folder = setting.place("submission")
    (folder / "submission.yaml").write_text(_SPEC.format(count=count))

    def once(place: Path) -> Sample:
        options = ("--model", "10m", "--time", "manual", "--fault", f"latency={_LATENCY}")
        with start_emulator(setting.environ, "--data", place / "state", *options) as running:
            before = running.used()
            finished = setting.run(
                *("run", folder / "submission.yaml", "--target", "azure", "--detach"),
                folder=place,
                environ=running.environ(setting.environ),
            )
            emulator = running.cost_since(before)
        seconds, added = read_submission(place)
        if added != count:
            raise FailedError(f"{added} of {count} tasks were added")
        costs = [cost for cost in finished.sample.costs if cost.role != EMULATOR]
        return Sample(
            wall_seconds=finished.sample.wall_seconds,
            costs=(*costs, emulator),
            figures={"submission_seconds": seconds, "tasks_per_second": added / seconds},
        )

    command = "batch-run run submission.yaml --target azure --detach"
    yield Contest(
        title=f"submission of {count:,} tasks, {_LATENCY} of latency on every response",
        contestants=(Contestant(name=OURS, command=command, once=once),),
        targets=(
            Target(
                what="from the job to its last task",
                figure="tasks_per_second",
                plus=3_300,
                bound=Bound.AT_LEAST,
            ),
        ),
    )


def read_submission(place: Path) -> tuple[float, int]:
    """Seconds from the making of the job until its last task was added, and how many were."""
    (events,) = (place / ".batch-run" / "runs").glob("*/events.jsonl")
    begun, last, added = None, None, 0
    with events.open(encoding="utf-8") as stream:
        for line in stream:
            event = json.loads(line)
            if event["type"] == "job.created":
                begun = event["t"]
            elif event["type"] == "task.added":
                last, added = event["t"], added + 1
    if begun is None or last is None:
        raise FailedError("the run has no job, or no task")
    return (_moment(last) - _moment(begun)).total_seconds(), added


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
