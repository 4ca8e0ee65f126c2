"""What the emulator takes for a task that does nothing, beside the starting of its process alone.

It must not know how the emulator runs tasks.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.benchmarks.contest import OURS, TIMES, Bound, Contest, Contestant, Target
from tests.benchmarks.emulators import Batch, batch_of, start_emulator
from tests.benchmarks.measuring import FailedError, measure
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import JOBS, Setting

_TASKS = 2_000
_ALONE = 50
_PROGRAM = "/bin/true"
_SPAWNING = "Popen from threads"
_WHOLE = "task_seconds"
_LONE = "lone_task_seconds"
_RATE = "tasks_per_second"


@contextmanager
def open_overhead(setting: Setting) -> Iterator[Contest]:
    """Tasks one by one, and many at once."""
    count = setting.size(_TASKS, least=20)
    alone = setting.size(_ALONE, least=5)

    def once(place: Path) -> Sample:
        with (
            start_emulator(setting.environ, "--data", place / "state") as running,
            batch_of(running) as batch,
        ):
            batch.make_job(nodes=1, slots=JOBS)
            batch.wait_for_node()
            lone = statistics.median(_run_alone(batch, number) for number in range(alone))
            before = running.used()
            begun = time.perf_counter()
            batch.add_tasks(alone, count)
            batch.wait_until(lambda: batch.counts()["completed"] == alone + count)
            wall = time.perf_counter() - begun
            cost = running.cost_since(before)
            if batch.counts()["succeeded"] != alone + count:
                raise FailedError(f"tasks failed: {batch.counts()}")
        return Sample(
            wall_seconds=wall,
            costs=(cost,),
            figures={_LONE: lone, _WHOLE: wall / count, _RATE: count / wall},
        )

    def spawn(place: Path) -> Sample:
        arguments = ("-c", _SPAWN, _PROGRAM, str(JOBS), str(count), str(alone))
        finished = measure([sys.executable, *arguments], folder=place, environ=setting.environ)
        lone, wall = json.loads(finished.stdout)
        return Sample(
            wall_seconds=wall,
            costs=finished.sample.costs,
            figures={_LONE: lone, _WHOLE: wall / count, _RATE: count / wall},
        )

    words = f"subprocess.Popen(['{_PROGRAM}']).wait() from {JOBS} threads"
    yield Contest(
        title=f"the emulator's overhead of a task, {count:,} {TIMES} `{_PROGRAM}`",
        contestants=(
            Contestant(name=OURS, command="addtaskcollection of 100 tasks each", once=once),
            Contestant(name=_SPAWNING, command=words, once=spawn),
        ),
        targets=(
            Target(
                what="a task by itself, created to completed",
                figure=_LONE,
                beside=_SPAWNING,
                factor=2.0,
            ),
            Target(what="tasks", figure=_RATE, plus=500, bound=Bound.AT_LEAST),
            Target(what="a task of many", figure=_WHOLE, beside=_SPAWNING),
        ),
    )


_SPAWN = """
import json, statistics, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
program, threads, count, alone = sys.argv[1], *map(int, sys.argv[2:])

def run(_):
    begun = time.perf_counter()
    assert subprocess.Popen([program]).wait() == 0
    return time.perf_counter() - begun

lone = statistics.median(map(run, range(alone)))
with ThreadPoolExecutor(threads) as pool:
    begun = time.perf_counter()
    list(pool.map(run, range(count)))
    print(json.dumps([lone, time.perf_counter() - begun]))
"""


def _run_alone(batch: Batch, number: int) -> float:
    """Seconds from a task's creation to its end, as the service has written them down."""
    batch.add_tasks(number, 1, _PROGRAM)
    task: dict[str, object] = {}

    def has_ended() -> bool:
        task.update(batch.get(f"/jobs/job/tasks/task-{number:07}"))
        return task["state"] == "completed"

    # Looked at seldom: whoever asks without a pause takes the emulator's time.
    batch.wait_until(has_ended, pause=0.05)
    created, ended = str(task["creationTime"]), str(task["stateTransitionTime"])
    return (_moment(ended) - _moment(created)).total_seconds()


def _moment(text: str) -> datetime:
    """To the microsecond, if the service has it: it may write seven digits."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
