"""A trial that is taken up again is still one: one node, its time, its own containers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runner.cli.resuming import load_again
from runner.run.records.record import RunRecord, record_as_json, record_from_json
from runner.spec.model.pool import FixedNodes, NewPool
from tests.fakes.plans import RUN, SPEC, write_spec
from tests.fakes.services import NOW


def test_what_is_resumed_is_as_small(tmp_path: Path) -> None:
    write_spec(tmp_path, SPEC.replace("{dedicated: 1}", "{dedicated: 20}"))
    whole = RunRecord(
        run=RUN,
        workload="demo",
        version="1",
        created=NOW,
        spec=str(tmp_path / "spec.yaml"),
        folder=str(tmp_path),
        parameters={},
        target="azure",
        output_directory=str(tmp_path / "results"),
    )
    trial = record_from_json(record_as_json(replace(whole, trial_seconds=1800.0)).encode())
    workload = load_again(trial, tmp_path)
    assert isinstance(workload.pool, NewPool)
    assert workload.pool.size == FixedNodes(dedicated=1, spot=0)
    assert workload.limits.duration == timedelta(minutes=30)
    unreduced = load_again(whole, tmp_path).pool
    assert isinstance(unreduced, NewPool)
    assert unreduced.size == FixedNodes(dedicated=20, spot=0)
