"""The same with storage by Azurite: what Batch does wrong, and clients and an emulator that die."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conformance.azurite.installing import VERSION, install_azurite
from tests.faults.disasters import Kind, draw_schedule
from tests.faults.verdicts import describe, try_schedule

COUNT = int(os.environ.get("BATCH_RUN_FAULTS_AZURITE", "1"))
SEED = int(os.environ.get("BATCH_RUN_FAULTS_SEED", "1"))
KINDS = (
    *(Kind.CLIENT_KILLED, Kind.KILLED_AT_REQUEST, Kind.KILLED_AT_JOURNAL, Kind.KILLED_AT_FILE),
    *(Kind.EMULATOR_KILLED, Kind.PARTIAL_ADDS, Kind.PREEMPTION, Kind.TERMINATE),
    *(Kind.SECOND_CLIENT,),
)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_a_disturbed_run_on_azurite_ends_as_an_undisturbed_one(
    seed: int, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    azurite = install_azurite(pytestconfig.cache.mkdir(f"azurite-{VERSION}"))
    schedule = draw_schedule(seed, kinds=KINDS, target="azure")
    verdict = try_schedule(schedule, tmp_path, azurite=azurite)
    assert not verdict.wrong, describe(verdict)
