"""Jobs side by side: all of them, within the bound, up to the first error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from runner.emulator.batch.node.transfers import IN_FLIGHT_PER_TASK, run_side_by_side


class ImmediateExecutor(Executor):
    """Every job has ended before the next is asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except ValueError as error:
            future.set_exception(error)
        return future


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 100])
def test_all_jobs_run_even_if_each_ends_at_once(count: int) -> None:
    ran: list[int] = []
    run_side_by_side(ImmediateExecutor(), (partial(ran.append, index) for index in range(count)))
    assert ran == list(range(count))


def test_as_many_as_the_bound_run_at_once() -> None:
    lock = threading.Lock()
    gate = threading.Barrier(IN_FLIGHT_PER_TASK)
    running = 0
    most = 0

    def job() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(60)
        with lock:
            running -= 1

    with ThreadPoolExecutor(32) as wide:
        run_side_by_side(wide, [job] * (IN_FLIGHT_PER_TASK * 5))
    assert most == IN_FLIGHT_PER_TASK


def test_a_lone_job_runs_in_the_calling_thread(pool: ThreadPoolExecutor) -> None:
    threads: list[threading.Thread] = []
    run_side_by_side(pool, [lambda: threads.append(threading.current_thread())])
    assert threads == [threading.current_thread()]


def test_the_first_error_is_raised_and_no_more_jobs_start() -> None:
    ran: list[int] = []

    def job(index: int) -> None:
        ran.append(index)
        if index == 3:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_side_by_side(ImmediateExecutor(), (partial(job, index) for index in range(100)))
    assert 3 in ran
    assert len(ran) <= 3 + IN_FLIGHT_PER_TASK


def test_an_error_in_making_the_jobs_waits_for_those_that_run(pool: ThreadPoolExecutor) -> None:
    ended = threading.Event()

    def slow() -> None:
        threading.Event().wait(0.1)
        ended.set()

    def jobs() -> Iterator[Callable[[], None]]:
        yield slow
        yield slow
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_side_by_side(pool, jobs())
    assert ended.is_set()
