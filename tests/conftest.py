"""How many tests run side by side with `-n auto`.

It must not know what any of them needs: that stands in the `conftest.py` of their folders.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_WORKER_BYTES = 768 * 1024 * 1024
"""A worker that has collected all tests has a third of it; the rest is of what its tests start."""
_LIMIT = Path("/sys/fs/cgroup/memory.max")


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Two for each processor: half of their time tests wait for processes, services and nodes.

    Fewer where they would not have the memory; None, which asks xdist, where its variable says.
    """
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    if not hasattr(os, "sched_getaffinity"):
        return 4
    return max(1, min(2 * len(os.sched_getaffinity(0)), _memory_bytes() // _WORKER_BYTES))


def _memory_bytes() -> int:
    """What the machine has, or the container that this runs in may use of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(_LIMIT.read_text()))
    except (OSError, ValueError):  # none, or `max`
        return memory
