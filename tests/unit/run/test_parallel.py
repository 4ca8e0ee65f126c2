"""Several calls at once."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from runner.run.parallel import run_together


def test_all_are_called() -> None:
    called: list[int] = []
    run_together((partial(called.append, number) for number in range(50)), threads=4)
    assert sorted(called) == list(range(50))


def test_the_first_error_stops_the_rest() -> None:
    called: list[int] = []
    failed = threading.Event()

    def call(number: int) -> None:
        if number == 0:
            failed.set()
            raise ValueError(number)
        failed.wait(60)
        called.append(number)

    with pytest.raises(ValueError, match="0"):
        run_together((partial(call, number) for number in range(1_000)), threads=2)
    assert len(called) < 1_000
