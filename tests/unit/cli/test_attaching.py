"""What `attach` does before it follows whoever drives a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from runner.cli.attaching import attach_run
from runner.cli.resuming import Resumption
from runner.cli.signals import Interruptions
from runner.connect import PreparedEmulator
from runner.errors import UsageError
from runner.run.records.driving import drive
from runner.run.records.record import record_as_json
from tests.fakes.records import RECORD
from tests.unit.cli.worlds import make_world


class Discarded(PreparedEmulator):
    """Tells whether it was."""

    def __init__(self) -> None:
        self.is_gone = False

    @override
    def discard(self) -> None:
        self.is_gone = True


def test_services_that_were_prepared_do_not_wait_for_the_end_of_those_of_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "run.json").write_text(record_as_json(replace(RECORD, target="local")))
    prepared = Discarded()
    resumption = Resumption(as_json=False, quiet=True, output="elsewhere", prepared=prepared)
    world, _, _ = make_world(tmp_path)
    with drive(tmp_path), pytest.raises(UsageError, match="`--output` is for a run that nobody"):
        attach_run(tmp_path, resumption, world, Interruptions())
    assert prepared.is_gone
