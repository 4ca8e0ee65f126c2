"""The wish to stop, and waits that it ends."""

from __future__ import annotations

import threading

import pytest

from runner.errors import InterruptedRunError
from runner.run.stop import Stop


def test_a_wait_ends_however_little_time_it_has() -> None:
    """Of one that began at an untouched queue, one in thousands never did."""
    for _ in range(20_000):
        Stop().wait(1e-6)


def test_a_wait_of_no_time_is_none() -> None:
    Stop().wait(0)


@pytest.mark.parametrize("call", [Stop.request, Stop.wake])
def test_who_waits_is_woken(call: object) -> None:
    assert callable(call)
    stop = Stop()
    thread = threading.Thread(target=stop.wait, args=(1_000,))
    thread.start()
    call(stop)
    thread.join(60)
    assert not thread.is_alive()


def test_what_was_asked_for_before_ends_the_next_wait() -> None:
    stop = Stop()
    stop.request()
    stop.wait(1_000)
    with pytest.raises(InterruptedRunError):
        stop.check()
