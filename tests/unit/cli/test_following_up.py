"""How commands name a run that somebody looks at, and what makes it once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.cli.following_up import calling_of
from runner.report.next_steps import Calling
from tests.fakes.records import RECORD
from tests.unit.cli.worlds import make_world


def test_another_run_is_named_and_made_again_with_what_it_was_given(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    record = replace(
        RECORD,
        spec=str(tmp_path / "my spec.yaml"),
        parameters={"n": 3, "deep": True},
        target="azure",
        output_directory=str(tmp_path / "elsewhere"),
    )
    assert calling_of(record, world) == Calling(
        run=RECORD.run,
        again="batch-run run 'my spec.yaml' -p n=3 -p deep=true --output elsewhere --target azure",
    )


def test_a_trial_of_one_task_is_not_made_again_by_a_run_of_all(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    assert calling_of(replace(RECORD, trial_seconds=1800.0), world).again is None
