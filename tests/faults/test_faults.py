"""Runs that are disturbed in every way come to the end of an undisturbed one.

`BATCH_RUN_FAULTS` sets how many schedules are played, `BATCH_RUN_FAULTS_SEED` which ones;
`python -m tests.faults` plays as many as one likes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.faults.disasters import draw_schedule
from tests.faults.play import needs_mount
from tests.faults.verdicts import describe, try_schedule

COUNT = int(os.environ.get("BATCH_RUN_FAULTS", "4"))
SEED = int(os.environ.get("BATCH_RUN_FAULTS_SEED", "1"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_a_disturbed_run_ends_as_an_undisturbed_one(seed: int, tmp_path: Path) -> None:
    schedule = draw_schedule(seed)
    if needs_mount(schedule):
        pytest.skip("a small disk is mounted by root")
    verdict = try_schedule(schedule, tmp_path)
    assert not verdict.wrong, describe(verdict)
