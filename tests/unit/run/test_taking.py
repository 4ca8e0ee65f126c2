"""What threads hand to one that waits, whose limit holds whatever breaks in."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager
from queue import Empty
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from runner.run.taking import Inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="there is no alarm")


@contextmanager
def _alarm(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Once, a moment from now."""
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@posix
def test_a_wait_ends_that_a_signal_keeps_beyond_its_limit() -> None:
    """As one that is stopped for a while, and then told to end."""
    inbox: Inbox[int] = Inbox()
    ends: list[float] = []

    def outlast(number: int, frame: FrameType | None) -> None:
        while time.monotonic() < ends[0]:
            pass

    with _alarm(outlast), pytest.raises(Empty):
        ends.append(time.monotonic() + 0.4)
        inbox.take(0.3)


@posix
def test_what_a_signal_handler_puts_in_is_taken() -> None:
    inbox: Inbox[int] = Inbox()

    def put(number: int, frame: FrameType | None) -> None:
        inbox.put(number)

    with _alarm(put):
        assert inbox.take(60) == signal.SIGALRM


def test_all_is_taken_in_its_order_and_once() -> None:
    inbox: Inbox[int] = Inbox()

    def put() -> None:
        for each in range(10_000):
            inbox.put(each)

    thread = threading.Thread(target=put)
    thread.start()
    assert [inbox.take(None) for _ in range(10_000)] == list(range(10_000))
    thread.join()
    with pytest.raises(Empty):
        inbox.take(0)
    with pytest.raises(Empty):
        inbox.take(1e-6)
    with pytest.raises(Empty):
        inbox.take(-1)


def test_each_of_those_that_wait_gets_one() -> None:
    inbox: Inbox[int] = Inbox()
    taken: Inbox[int] = Inbox()
    threads = [
        threading.Thread(target=lambda: taken.put(inbox.take(None)), daemon=True) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for each in range(20):
        inbox.put(each)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sorted(taken.take_now() for _ in threads) == list(range(20))
