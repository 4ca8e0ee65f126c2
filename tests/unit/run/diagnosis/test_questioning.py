"""Questions are asked side by side, and nobody waits for one that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from runner.errors import ServiceUnreachableError, UsageError
from runner.run.clock import Clock
from runner.run.diagnosis.questioning import ask_all
from tests.fakes.services import NOW

CLOCK = Clock(now=lambda: NOW, monotonic=time.monotonic, wait=lambda stop, seconds: None)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a question waits for that hangs; it is open once the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_answers_and_errors_come_by_their_questions() -> None:
    error = UsageError("no")

    def fail() -> None:
        raise error

    both = threading.Barrier(2, timeout=60)  # each waits for the other: one by one they would hang
    answers = ask_all(
        {"a": lambda: (both.wait(), 1)[1], "b": lambda: (both.wait(), 2)[1], "c": fail},
        clock=CLOCK,
        seconds=30,
    )
    assert dict(answers) == {"a": 1, "b": 2, "c": error}


def test_what_hangs_is_out_of_reach(gate: threading.Event) -> None:
    answers = dict(ask_all({"a": lambda: 1, "b": gate.wait}, clock=CLOCK, seconds=0.3))
    assert answers["a"] == 1
    error = answers["b"]
    assert isinstance(error, ServiceUnreachableError)
    assert error.message == "no answer within 0.3 seconds"


def test_a_bug_in_a_question_is_raised_to_whoever_asked() -> None:
    def fail() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        list(ask_all({"a": fail}, clock=CLOCK, seconds=30))
