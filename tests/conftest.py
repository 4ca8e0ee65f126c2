"""How many tests run side by side with `-n auto`.

It must not know what any of them needs: that stands in the `conftest.py` of their folders.
"""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: half of their time tests wait for processes, services and nodes."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
