"""The record of a small run, as its directory keeps it."""

from __future__ import annotations

from runner.run.records.record import RunRecord
from tests.fakes.plans import RUN
from tests.fakes.services import NOW

RECORD = RunRecord(
    run=RUN,
    workload="demo",
    version="1",
    created=NOW,
    spec="/home/spec.yaml",
    folder="/home",
    parameters={},
    target="azure",
    output_directory="/home/results",
)
