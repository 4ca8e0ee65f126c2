"""An emulator with three thousand modelled tasks, and its page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.emulator.dashboard.watching import Watched, fill, watch


@pytest.fixture(scope="session")
def busy() -> Iterator[Watched]:
    """Its pool `many` has 40 nodes; the job `all` has run, and 20 of its tasks have failed."""
    with watch("--model", "1s exit=3 task=*-7", "--model", "1s", "--time", "virtual") as watched:
        fill(watched)
        yield watched
