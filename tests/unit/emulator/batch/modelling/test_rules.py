"""What models say of executions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.modelling.rules import Course, Model, ModelError, parse_model

TASK = {"account": "a", "kind": "task", "pool": "P", "job": "nightly", "task": "frame-12"}
SECOND = timedelta(seconds=1)
DURATION = "duration such as `40ms`, `1.5s`, `10m`, `2h` or `7d`"
KINDS = "`task`, `start`, `preparation` and `release`"


def model(*texts: str, seed: int = 1) -> Model:
    return Model([parse_model(text) for text in texts], seed=seed)


def course(seconds: float, exit_code: int = 0) -> Course:
    return Course(duration=seconds * SECOND, exit_code=exit_code)


def test_without_a_rule_that_fits_it_takes_a_second() -> None:
    assert model().course(TASK, 0) == course(1)
    assert model("5s task=other").course(TASK, 0) == course(1)


def test_the_first_rule_that_fits_decides() -> None:
    rules = ("1h kind=start", "5s exit=3 task=FRAME-* pool=p", "9s")
    assert model(*rules).course(TASK, 0) == course(5, 3)
    assert model(*rules).course({**TASK, "kind": "start"}, 0) == course(3600)
    assert model(*rules).course({**TASK, "pool": "q"}, 0) == course(9)


def test_a_task_may_have_a_rule_of_its_own() -> None:
    assert model("9s").course(TASK, 0, "5s exit=1") == course(5, 1)
    for text, message in (
        ("", "`BATCH_RUN_MODEL=` is empty; it begins with a duration such as `30s`"),
        (
            "5s job=a",
            (
                "`BATCH_RUN_MODEL=5s job=a`, character 4: `job` is no key of a model; its keys are"
                " `exit`, `rate`"
            ),
        ),
    ):
        with pytest.raises(ModelError) as caught:
            model().course(TASK, 0, text)
        assert str(caught.value) == message


def test_what_is_drawn_follows_from_seed_execution_and_try() -> None:
    drawn = model("10s..20s exit=2 rate=0.5")
    first = [drawn.course({**TASK, "task": str(n)}, 0) for n in range(200)]
    assert [drawn.course({**TASK, "task": str(n)}, 0) for n in range(200)] == first
    assert all(10 * SECOND <= one.duration <= 20 * SECOND for one in first)
    assert 60 < sum(one.exit_code == 2 for one in first) < 140
    assert drawn.course(TASK, 1) != drawn.course(TASK, 0)
    assert model("10s..20s", seed=2).course(TASK, 0) != model("10s..20s").course(TASK, 0)


def test_exponential_durations_have_their_mean() -> None:
    drawn = model("~10s")
    lengths = [drawn.course({**TASK, "task": str(n)}, 0).duration for n in range(2000)]
    assert 9 * SECOND < sum(lengths, timedelta()) / 2000 < 11 * SECOND


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("fast", 1, f"`fast` is no {DURATION}"),
        ("5s exit=300", 4, "`exit`: `300` is not an exit code from 0 to 255"),
        ("5s kind=x", 4, f"`kind`: `x` is none of {KINDS}"),
        ("5s task", 4, "`task` is no `key=value`"),
        ("5s exit=1 exit=2", 11, "`exit` is there a second time"),
    ],
)
def test_a_rule_that_cannot_be_read(text: str, position: int, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_model(text)
    assert str(caught.value) == f"`--model '{text}'`, character {position}: {message}"


def test_a_rule_without_anything() -> None:
    with pytest.raises(ModelError) as caught:
        parse_model(" ")
    message = "`--model ' '` is empty; it begins with a duration such as `30s`"
    assert str(caught.value) == message
