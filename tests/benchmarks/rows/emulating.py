"""The emulator under many tasks, and what its state on disk costs it.

Times of answers are processor time of its process. It must not know how the emulator works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from tests.benchmarks.contest import Bound, Contest, Contestant, Target
from tests.benchmarks.emulators import Batch, Running, batch_of, blob_of, start_emulator
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import JOBS, Setting

_SELECT = quote("$select", safe="")
_FILTER = quote("$filter", safe="")
_QUESTIONS = {
    "counts": ("/jobs/job/taskcounts", "", 100),
    "get a task": ("/jobs/job/tasks/task-0000005", "", 100),
    "list 1,000": ("/jobs/job/tasks", "", 5),
    "list 1,000 of id, state": ("/jobs/job/tasks", f"{_SELECT}=id,state", 5),
    "list 100 completed": (
        "/jobs/job/tasks",
        f"{_FILTER}=state%20eq%20'completed'&maxresults=100",
        5,
    ),
}
_MOST_GROWTH = 1.5
_NODES = 1_000


@contextmanager
def open_emulator_scale(setting: Setting) -> Iterator[Contest]:
    """Answers while a job has many tasks, and what their (modelled) ends take."""
    many = setting.size(100_000, least=10_000)
    few = many // 10

    def contestant(count: int) -> Contestant:
        def once(place: Path) -> Sample:
            options = ("--model", "10m..20m exit=1 rate=0.02", "--time", "manual")
            with (
                start_emulator(setting.environ, "--data", place / "state", *options) as running,
                batch_of(running) as batch,
            ):
                return _fill(running, batch, count)

        options = "--model '10m..20m exit=1 rate=0.02' --time manual --data DIR"
        return Contestant(
            name=f"{count:,} tasks", command=f"batch-run emulator {options}", once=once
        )

    large, small = contestant(many), contestant(few)
    names = ["add 100", *_QUESTIONS, *(f"{name}, all finished" for name in _QUESTIONS)]
    yield Contest(
        title=f"the emulator with a job of {many:,} modelled tasks on {_NODES:,} nodes",
        contestants=(small, large),
        targets=(
            *(
                Target(
                    what=name,
                    figure=_seconds(name),
                    of=large.name,
                    beside=small.name,
                    factor=_MOST_GROWTH,
                )
                for name in names
            ),
            Target(
                what="ends of modelled tasks",
                figure="ends_per_second",
                of=large.name,
                beside=small.name,
                bound=Bound.AT_LEAST,
            ),
            Target(what="memory", figure="emulator_peak_bytes", of=large.name, beside=small.name),
        ),
    )


def _fill(running: Running, batch: Batch, count: int) -> Sample:
    batch.make_job(nodes=_NODES)
    running.advance("1m")
    begun = running.used()
    figures = {}
    # The last tenth counts, when the job is large.
    batch.add_tasks(0, count - count // 10)
    figures[_seconds("add 100")] = _each(
        running, lambda: batch.add_tasks(count - count // 10, count // 10), count // 10 / 100
    )
    figures.update(_ask(running, batch, ""))
    before = running.used()
    while batch.counts()["active"]:
        running.advance("1h")
    running.advance("1h")
    ending = running.cost_since(before).seconds
    if batch.counts()["completed"] != count:
        raise FailedError(f"not all tasks have ended: {batch.counts()}")
    figures["ends_per_second"] = count / ending
    figures.update(_ask(running, batch, ", all finished"))
    cost = running.cost_since(begun)
    return Sample(wall_seconds=cost.seconds, costs=(cost,), figures=figures)


def _ask(running: Running, batch: Batch, when: str) -> dict[str, float]:
    def ask(path: str, query: str, times: int) -> None:
        for _ in range(times):
            batch.get(path, query)

    return {
        _seconds(f"{name}{when}"): _each(running, partial(ask, path, query, times), times)
        for name, (path, query, times) in _QUESTIONS.items()
    }


def _each(running: Running, work: Callable[[], object], count: float) -> float:
    """Seconds of the emulator's processor time for each of so many."""
    before = running.exact_seconds()
    work()
    return (running.exact_seconds() - before) / count


def _seconds(name: str) -> str:
    return f"{name}_seconds"


@contextmanager
def open_persistence(setting: Setting) -> Iterator[Contest]:
    """The same work with and without `--data`."""
    count = setting.size(1_000, least=100)

    def contestant(name: str, *, kept: bool) -> Contestant:
        def once(place: Path) -> Sample:
            options = ["--data", str(place / "state")] if kept else []
            with start_emulator(setting.environ, "--isolation", "none", *options) as running:
                return _work(running, count)

        command = "batch-run emulator --isolation none" + (" --data DIR" if kept else "")
        return Contestant(name=name, command=command, once=once)

    in_memory, on_disk = contestant("in memory", kept=False), contestant("on disk", kept=True)
    figures = {"change": "a change of a job", "blob": "a blob of 1 KB", "task": "a task"}
    yield Contest(
        title="what state on disk costs the emulator, in processor time",
        contestants=(in_memory, on_disk),
        targets=(
            *(
                Target(
                    what=what, figure=f"{figure}_seconds", of=on_disk.name, beside=in_memory.name
                )
                for figure, what in figures.items()
            ),
            Target(
                what="memory",
                figure="emulator_peak_bytes",
                of=on_disk.name,
                beside=in_memory.name,
            ),
        ),
    )


def _work(running: Running, count: int) -> Sample:
    begun = running.used()
    with batch_of(running) as batch, blob_of(running) as blob:
        batch.make_job(nodes=1, slots=JOBS)

        def change() -> None:
            for number in range(count):
                pairs = [{"name": "number", "value": str(number)}]
                batch.send("PATCH", "/jobs/job", {"metadata": pairs})

        def put() -> None:
            blob.ask("PUT", "/files", query="restype=container")
            for number in range(count):
                headers = {"x-ms-blob-type": "BlockBlob"}
                answer = blob.ask("PUT", f"/files/{number}", body=b"x" * 1000, headers=headers)
                if answer.status != 201:
                    raise FailedError(f"a blob was answered with {answer.status}")

        def run() -> None:
            batch.add_tasks(0, count)
            batch.wait_until(lambda: batch.counts()["completed"] == count, pause=0.1)

        figures = {
            "change_seconds": _each(running, change, count),
            "blob_seconds": _each(running, put, count),
            "task_seconds": _each(running, run, count),
        }
    cost = running.cost_since(begun)
    return Sample(wall_seconds=cost.seconds, costs=(cost,), figures=figures)
