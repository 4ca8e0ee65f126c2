"""What is read of a run's directory when the run is taken up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.cli.resuming import load_again
from runner.errors import UsageError
from tests.fakes.plans import SPEC, write_spec
from tests.fakes.records import RECORD


def test_a_spec_that_is_missing_is_the_one_of_the_run(tmp_path: Path) -> None:
    users_own = write_spec(tmp_path, SPEC)
    directory = tmp_path / "run"
    directory.mkdir()
    with pytest.raises(UsageError) as caught:
        load_again(replace(RECORD, spec=str(users_own)), directory)
    assert (
        caught.value.message
        == f"cannot read `{directory / 'spec.yaml'}`: no such file or directory"
    )
