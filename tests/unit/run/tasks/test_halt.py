"""Whether a run should stop early, told from its events alone."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path

from runner.run.events import Event, TaskAdded, TaskFinished
from runner.run.records.lines import event_as_line
from runner.run.records.reading import event_from_json
from runner.run.tasks.halt import MOST_ALIKE, Tally
from tests.fakes.ends import end_of
from tests.fakes.plans import RUN, make_plan, spec_of

ONE_STEP = "task: {for_each: {range: {from: 1, to: 100}}, command: 'echo {{ item }}'}\n"
TWO_STEPS = """\
tasks:
  first: {for_each: {range: {from: 1, to: 50}}, command: 'echo {{ item }}'}
  second: {for_each: {range: {from: 1, to: 50}}, command: 'echo {{ item }}'}
"""
NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)


def tally_of(folder: Path, halt: str = "", tasks: str = ONE_STEP) -> Tally:
    spec = spec_of(tasks)
    plan = make_plan(folder, f"{spec}halt: {halt}\n" if halt else spec)
    assert len(plan.tasks) == 100
    return Tally(plan)


def added(number: int) -> TaskAdded:
    return TaskAdded(task=f"{number:03}", item=str(number))


def ended(
    number: int,
    stderr: str | None = None,
    *,
    cause: str | None = None,
    item: str | None = None,
    skipped: bool = False,
) -> TaskFinished:
    """The end of a task, which is a success where nothing says otherwise."""
    succeeded = stderr is None and cause is None
    return end_of(
        f"{number:03}",
        item=f"clip-{number}.mp4" if item is None else item,
        node="node-1",
        succeeded=succeeded,
        exit_code=0 if succeeded else 1,
        cause=None if succeeded else cause or "FailureExitCode",
        message=None if succeeded else "it failed",
        stderr_tail=stderr,
        skipped=skipped,
    )


def feed(tally: Tally, *events: Event) -> list[str | None]:
    """The reason after each event."""
    reasons = []
    for event in events:
        tally.add(event)
        reasons.append(tally.reason)
    return reasons


def varied(number: int) -> str:
    return f"cannot do {'abcdefghijklmnopqrstuvwxyz'[number % 26] * (1 + number // 26)}"


def test_failures_up_to_a_number(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{after: 3}")
    reasons = feed(
        tally,
        ended(1, "a"),
        ended(2),
        ended(3, "b"),
        ended(4, "c"),
        ended(5, "d"),
    )
    words = "3 of 100 tasks failed (`halt.after: 3`)"
    assert reasons == [None, None, None, words, words]


def test_a_share_is_one_of_all_tasks(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{after: 2.5%}")
    reasons = feed(tally, *(ended(number, varied(number)) for number in range(1, 4)))
    assert reasons == [None, None, "3 of 100 tasks failed (`halt.after: 2.5%`)"]


def test_only_a_tasks_own_failure_counts(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{after: 1, same_failure: 1}")
    causes = ("DependencyFailed", "JobEnded", "Halted", "TransferFailed")
    reasons = feed(tally, *(ended(number, cause=cause) for number, cause in enumerate(causes, 1)))
    assert reasons == [None] * 4


def test_the_last_word_of_a_task_counts(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{after: 2, same_failure: 0}")
    told = (ended(1, "a"), ended(1, "a"), ended(1), ended(2, "b"))
    assert feed(tally, *told) == [None] * 4
    assert feed(tally, ended(1, "c")) == ["2 of 100 tasks failed (`halt.after: 2`)"]


def test_the_same_failure_as_often_as_the_spec_says(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{same_failure: 3}")
    reasons = feed(
        tally,
        *(ended(number) for number in range(1, 11)),
        ended(11, "clip-11.mp4: broken"),
        ended(12, varied(12)),
        ended(13, "clip-13.mp4: broken"),
        ended(14, "clip-14.mp4: broken"),
    )
    assert reasons[:-1] == [None] * 13
    assert reasons[-1] == ("the same failure on 3 of 14 tasks: exit code 1: clip-14.mp4: broken")
    assert tally.alike_is_default is False


def test_the_same_failure_while_nothing_has_succeeded(tmp_path: Path) -> None:
    tally = tally_of(tmp_path)
    reasons = feed(tally, *(ended(number, "no ffmpeg") for number in range(1, MOST_ALIKE + 1)))
    assert reasons[:-1] == [None] * (MOST_ALIKE - 1)
    assert reasons[-1] == "the same failure on 20 of 20 tasks: exit code 1: no ffmpeg"
    assert tally.alike_is_default is True


def test_one_success_lets_the_others_fail(tmp_path: Path) -> None:
    tally = tally_of(tmp_path)
    feed(tally, ended(1, "no ffmpeg"), ended(2))
    assert set(feed(tally, *(ended(number, "no ffmpeg") for number in range(3, 101)))) == {None}


def test_a_success_of_an_earlier_run_is_one(tmp_path: Path) -> None:
    tally = tally_of(tmp_path)
    feed(tally, ended(100, skipped=True))
    assert set(feed(tally, *(ended(number, "no ffmpeg") for number in range(1, 100)))) == {None}


def test_a_success_of_another_step_is_none(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, tasks=TWO_STEPS)
    feed(tally, *(ended(number) for number in range(1, 51)))
    reasons = feed(tally, *(ended(number, "no ffmpeg") for number in range(51, 71)))
    assert reasons[-2:] == [
        None,
        "the same failure on 20 of 70 tasks: exit code 1: no ffmpeg",
    ]


def test_failures_of_two_steps_are_not_the_same(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, tasks=TWO_STEPS)
    numbers = (*range(1, 20), *range(51, 70))
    assert set(feed(tally, *(ended(number, "no ffmpeg") for number in numbers))) == {None}


def test_failures_of_many_kinds_are_not_the_same(tmp_path: Path) -> None:
    tally = tally_of(tmp_path)
    numbers = range(1, 101)
    assert set(feed(tally, *(ended(number, varied(number)) for number in numbers))) == {None}


def test_failures_on_one_item_are_one(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{same_failure: 2}")
    reasons = feed(tally, *(ended(number, "no", item="clip.mp4") for number in range(1, 10)))
    assert set(reasons) == {None}
    assert feed(tally, ended(10, "no", item="")) == [
        "the same failure on 2 of 10 tasks: exit code 1: no"
    ]


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{same_failure: false}")
    assert set(feed(tally, *(ended(number, "no") for number in range(1, 101)))) == {None}


def test_the_canary_must_succeed_before_others_are_fed(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 3}")
    left = []
    for event in (added(1), added(2), added(3), ended(2), ended(2), ended(1), ended(3)):
        assert tally.wait_for_canary(0) is False
        tally.add(event)
        left.append(tally.canary_left)
    assert left == [3, 3, 3, 2, 2, 1, 0]
    assert tally.wait_for_canary(0) is True
    assert feed(tally, ended(4, "no")) == [None]


def test_a_canary_that_fails_is_named(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 3}")
    reasons = feed(tally, ended(2), ended(1, "bash: ffmpeg: command not found"), ended(3, "x"))
    words = "the canary failed: task `0001` (1): exit code 1: bash: ffmpeg: command not found"
    assert reasons == [None, words, words]
    assert tally.wait_for_canary(0) is True
    assert tally.canary_left == 2


def test_a_canary_that_dies_with_its_job_says_nothing(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 1}")
    assert feed(tally, ended(1, cause="JobEnded")) == [None]
    assert feed(tally, ended(1, cause="TransferFailed")) == [None]
    assert tally.canary_left == 1


def test_as_many_are_fed_as_the_canary_lacks(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 2}")
    assert [tally.may_be_fed(fed) for fed in ((), (1,), (1, 2))] == [True, True, False]
    tally.add(ended(1))
    assert [tally.may_be_fed(fed) for fed in ((1,), (1, 2), (2,))] == [True, False, False]
    tally.add(ended(2))
    assert tally.may_be_fed((1, 2)) is True
    assert tally_of(tmp_path).may_be_fed((1, 2, 3)) is True


def test_what_an_earlier_run_did_is_no_canary(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 2}")
    feed(tally, *(ended(number, skipped=True) for number in range(1, 10)), ended(10))
    assert tally.canary_left == 1


def test_a_canary_of_more_than_there_are(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 1000}")
    feed(tally, *(ended(number) for number in range(1, 100)))
    assert tally.canary_left == 1
    feed(tally, ended(100))
    assert tally.wait_for_canary(0) is True


def test_whoever_waits_for_the_canary_is_woken(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "{canary: 1}")
    found: list[bool] = []
    waiting = threading.Thread(target=lambda: found.append(tally.wait_for_canary(60)))
    waiting.start()
    tally.add(ended(1))
    waiting.join(timeout=60)
    assert found == [True]


def test_what_was_added_and_never_ended(tmp_path: Path) -> None:
    tally = tally_of(tmp_path)
    feed(tally, *map(added, (1, 2, 3, 100)), ended(2), ended(3, "no"), added(3))
    assert list(tally.never_ended()) == [1, 100]
    feed(tally, *(ended(number, cause="JobEnded") for number in (1, 100)), added(100))
    assert list(tally.never_ended()) == [100]


def test_a_run_that_is_taken_up_again_decides_the_same(tmp_path: Path) -> None:
    """After each event the run may have died: what is read back leads to the same reason."""
    events: list[Event] = [
        *(added(number) for number in range(1, 31)),
        ended(1),
        *(ended(number, f"clip-{number}.mp4: odd \ud800 words") for number in range(2, 9)),
        ended(9),
    ]
    undisturbed = tally_of(tmp_path, "{after: 90, same_failure: 6, canary: 1}")
    reasons = feed(undisturbed, *events)
    lines = [event_as_line(event, run=RUN, at=NOW) for event in events]
    for count in range(len(events)):
        taken_up = tally_of(tmp_path, "{after: 90, same_failure: 6, canary: 1}")
        for line in lines[:count]:
            event = event_from_json(json.loads(line))
            assert event is not None
            taken_up.add(event)
        assert feed(taken_up, *events[count:]) == reasons[count:]
    assert reasons[-1] == ("the same failure on 6 of 7 tasks: exit code 1: clip-7.mp4: odd words")
