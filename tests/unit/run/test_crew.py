"""Calls on other threads, whose ends come to one queue."""

from __future__ import annotations

import threading
from functools import partial
from queue import Empty

import pytest

from runner.run.crew import Crew, Done
from runner.run.taking import Inbox


def test_each_call_ends_once_with_what_it_gave_or_raised() -> None:
    done: Inbox[Done[int, int]] = Inbox()
    crew: Crew[int, int] = Crew(3, name="test", done=done)
    for number in range(50):
        crew.do(number, partial(divmod_of, number))
    ends = {end.key: end for end in (done.take(60) for _ in range(50))}
    crew.close()
    with pytest.raises(Empty):
        done.take_now()
    assert sorted(ends) == list(range(50))
    assert isinstance(ends[0].error, ZeroDivisionError)
    assert [ends[number].value for number in range(1, 50)] == [100 // n for n in range(1, 50)]


def divmod_of(number: int) -> int:
    return 100 // number


def test_no_more_threads_are_made_than_there_is_work_for() -> None:
    done: Inbox[Done[int, int]] = Inbox()
    crew: Crew[int, int] = Crew(8, name="test", done=done)
    names = set[int]()

    def work() -> int:
        names.add(threading.get_ident())
        return 0

    for number in range(20):
        crew.do(number, work)
        assert done.take(60).error is None
    crew.close()
    # One may not wait again yet when the next call comes.
    assert len(names) < 8


def test_what_is_not_begun_when_it_closes_never_is() -> None:
    done: Inbox[Done[str, int]] = Inbox()
    crew: Crew[str, int] = Crew(1, name="test", done=done)
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> int:
        begun.set()
        return int(go_on.wait(60))

    crew.do("first", wait)
    crew.do("second", wait)
    assert begun.wait(60)
    threading.Timer(0.2, go_on.set).start()
    crew.close()
    assert done.take_now().key == "first"
    with pytest.raises(Empty):
        done.take_now()
