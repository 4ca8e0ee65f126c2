"""Who drives a run, as others see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runner.run.records.driving import LOCK, drive, find_driver


def test_a_driver_is_found_while_it_drives(tmp_path: Path) -> None:
    assert find_driver(tmp_path) is None
    with drive(tmp_path) as driver:
        assert find_driver(tmp_path) == driver
    assert find_driver(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there a look locks a byte for itself")
def test_somebody_who_looks_as_well_is_no_driver(tmp_path: Path) -> None:
    import fcntl

    with drive(tmp_path):
        pass
    other = os.open(tmp_path / LOCK, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert find_driver(tmp_path) is None
    finally:
        os.close(other)
