"""What the options make of the emulator's conditions: faults, models, time, and the seed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.emulator.batch.modelling.passage import Mode, RealTime, VirtualTime
from runner.emulator.conditions import Conditions, ConditionsError, read_conditions
from runner.emulator.options import build_parser, read_options
from runner.emulator.program import EXIT_USAGE, run

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def conditions(*arguments: str) -> Conditions:
    options = read_options(build_parser().parse_args(arguments))
    return read_conditions(options, lambda: NOW)


def test_without_options_there_is_nothing() -> None:
    read = conditions()
    assert list(read.faults) == []
    assert read.modelling is None
    assert read.clock() == NOW
    assert read.describe() == ""


def test_faults_of_options_come_before_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[{"fault": "reset"}]')
    read = conditions("--fault", "clock=+20m", "--faults", str(path), "--seed", "7")
    assert [dict(active.rule.words)["fault"] for active in read.faults] == ["clock=+20m", "reset"]
    assert read.clock() == NOW + timedelta(minutes=20)
    assert read.faults.seed == 7
    assert read.describe() == "emulator: seed 7 (`--seed 7` repeats what is drawn)\n"


def test_a_seed_is_drawn_where_none_is_given() -> None:
    assert len({conditions("--fault", "503").seed for _ in range(5)}) > 1


def test_models_come_with_a_time() -> None:
    real = conditions("--model", "5s").modelling
    virtual = conditions("--model", "5s", "--time", "manual").modelling
    assert real is not None
    assert virtual is not None
    assert isinstance(real.passage, RealTime)
    assert isinstance(virtual.passage, VirtualTime)
    assert virtual.passage.mode is Mode.MANUAL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--fault", "503 rate=x"),
            "`--fault '503 rate=x'`, character 5: `rate`: `x` is not a number from 0 to 1",
        ),
        (
            ("--model", "5s exit=x"),
            "`--model '5s exit=x'`, character 4: `exit`: `x` is not an exit code from 0 to 255",
        ),
        (
            ("--faults", "/none"),
            "`/none` cannot be read: No such file or directory",
        ),
        (
            ("--time", "virtual"),
            "`--time virtual` needs `--model`: what processes do takes real time",
        ),
    ],
)
def test_what_cannot_be_ends_the_program(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConditionsError) as caught:
        conditions(*arguments)
    assert str(caught.value) == message
    assert run(build_parser().parse_args(arguments)) == EXIT_USAGE
    assert capsys.readouterr().err == f"emulator: {message}\n"
