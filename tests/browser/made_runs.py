"""Directories of runs that never were, written as runs write them: for sizes that take long to run.

Tasks take their times and fail by fixed numbers: the same run each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from heapq import heappop, heappush
from pathlib import Path

from runner.plan.model import RunId
from runner.run.events import (
    CleanupFinished,
    Event,
    JobCreated,
    NodeChanged,
    OutputDownloaded,
    RunFinished,
    RunStarted,
    TaskAdded,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from runner.run.records.lines import event_as_line
from runner.run.records.record import RunRecord, record_as_json
from tests.fakes.ends import end_of

BEGAN = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
RUN = RunId("film-20260131t120000z-k3dq")
_SLOTS = 2
_FAILS_EVERY, _RETRIES_EVERY = 97, 41
_TAIL = "frame=  10 fps=0.0\nav_interleaved_write_frame(): no such codec <b>&amp;</b>\n</script>"


def write_run(folder: Path, *, tasks: int, nodes: int = 40, over: bool = True) -> Path:
    """A run's directory below `folder`; of a run that is not over the last half never ended."""
    directory = folder / ".batch-run" / "runs" / RUN
    directory.mkdir(parents=True)
    (folder / ".batch-run" / "last").write_text(f"{RUN}\n")
    record = RunRecord(
        run=RUN,
        workload="film",
        version="0.1.0",
        created=BEGAN,
        spec=str(folder / "film.yaml"),
        folder=str(folder),
        parameters={"bitrate": "192k"},
        target="azure",
        output_directory=str(folder / "results" / "film"),
    )
    (directory / "run.json").write_text(record_as_json(record))
    (directory / "spec.yaml").write_text("version: 1\nname: film\n")
    told = [(0.0, event) for event in _beginning(tasks, nodes)]
    told += sorted(_work(tasks, nodes, over=over), key=lambda each: each[0])
    if over:
        end = told[-1][0] + 1
        failed = sum(number % _FAILS_EVERY == 0 for number in range(1, tasks + 1))
        told += [(end, event) for event in _end(tasks, failed)]
    with (directory / "events.jsonl").open("wb") as stream:
        for seconds, event in told:
            stream.write(event_as_line(event, run=RUN, at=_at(seconds)))
    return directory


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def _node(number: int) -> str:
    return f"tvmps_{number:064x}_{'p' if number % 3 else 'd'}"


def _beginning(tasks: int, nodes: int) -> Iterator[Event]:
    yield RunStarted(
        workload="film", target="azure", tasks=tasks, files=tasks, bytes=tasks * 5_000_000
    )
    yield JobCreated(job=RUN, pool=f"film-{'0' * 8}")
    for number in range(nodes):
        yield NodeChanged(
            node=_node(number), state="starting", previous=None, dedicated=number % 3 == 0
        )
    for number in range(1, tasks + 1):
        item = f"scene-{number:05}.mp4"
        yield UploadFinished(role="input", blob=item, bytes=5_000_000)
        yield TaskAdded(task=f"{number:05}", item=item)


def _work(tasks: int, nodes: int, *, over: bool) -> Iterator[tuple[float, Event]]:
    free = [(60.0 + number % 7, number) for number in range(nodes) for _ in range(_SLOTS)]
    for number in range(nodes):
        running = NodeChanged(node=_node(number), state="running", previous="starting")
        yield 60.0 + number % 7, running
    free.sort()
    for number in range(1, tasks + 1):
        if not free:
            return  # all slots are taken by tasks that go on
        began, place = heappop(free)
        seconds = 20.0 + number * 7919 % 60 + (600 if number % 500 == 0 else 0)
        task, node = f"{number:05}", _node(place)
        attempts = 2 if number % _RETRIES_EVERY == 0 else 1
        yield began, TaskStarted(task=task, node=node, at=_at(began))
        if not over and number > tasks // 2:
            continue
        if attempts == 2:
            yield began + 5, _retried(task, node, began)
            began += 6
            yield began, TaskStarted(task=task, node=node, at=_at(began), attempt=2)
        ended = began + seconds
        heappush(free, (ended + 0.5, place))
        for event in _finish(number, node, began, ended, attempts):
            yield ended + 1, event


def _retried(task: str, node: str, began: float) -> TaskRetried:
    return TaskRetried(
        task=task,
        retries=0,
        attempt=1,
        cause="preemption",
        node=node,
        started=_at(began),
        at=_at(began + 5),
    )


def _finish(number: int, node: str, began: float, ended: float, attempts: int) -> Iterator[Event]:
    task, item = f"{number:05}", f"scene-{number:05}"
    succeeded = number % _FAILS_EVERY != 0
    if succeeded:
        yield OutputDownloaded(
            task=task,
            role="output",
            blob=f"{item}.mp3",
            path=f"/results/film/output/{item}.mp3",
            bytes=400_000 + number,
            modified=_at(ended - 2),
        )
    yield end_of(
        task,
        item=f"{item}.mp4",
        node=node,
        succeeded=succeeded,
        exit_code=0 if succeeded else 1,
        started=_at(began),
        ended=_at(ended),
        cause=None if succeeded else "FailureExitCode",
        message=None if succeeded else "The task exited with an exit code representing a failure",
        stderr_tail=None if succeeded else _TAIL,
        attempts=attempts,
    )


def _end(tasks: int, failed: int) -> Iterator[Event]:
    yield CleanupFinished(deleted=(f"job {RUN}", "pool film-00000000"), left=(), checked_at=BEGAN)
    yield RunFinished(
        exit_code=1 if failed else 0,
        succeeded=tasks - failed,
        failed=failed,
        unfinished=0,
        error=None,
    )
