"""What runs where, as far as events and those who count know it."""

from __future__ import annotations

from dataclasses import replace

from runner.report.activity import Activity, Phase, Stand, find_phases
from runner.report.fold import Report
from runner.run.events import (
    CleanupFinished,
    Event,
    OutputDownloaded,
    RunFinished,
    TaskRetried,
    UploadFinished,
)
from tests.unit.cli.live.events import (
    added,
    begun,
    finished,
    job,
    node,
    pool,
    started,
)

TO_COME, NOW, DONE, BROKEN = Stand.TO_COME, Stand.NOW, Stand.DONE, Stand.BROKEN_OFF


def folded(*events: Event) -> tuple[Report, Activity]:
    report, activity = Report(), Activity()
    for event in events:
        report.add(event)
        activity.add(event)
    return report, activity


def stands(*events: Event, is_fetching: bool = False, is_ending: bool = False) -> list[Stand]:
    report, activity = folded(*events)
    work = activity.work(slots=1)
    phases = find_phases(report, activity, work, is_fetching=is_fetching, is_ending=is_ending)
    assert list(phases) == list(Phase)
    return list(phases.values())


def test_a_node_runs_no_more_than_it_has_slots_for() -> None:
    _, activity = folded(started(tasks=9), *map(begun, range(1, 6)), begun(6, "node-2"))
    work = activity.work(slots=2)
    assert set(work.running) == {"00004", "00005", "00006"}
    assert (work.busy, work.coming_home) == ({"node-1": 2, "node-2": 1}, 3)


def test_who_counts_the_ends_knows_better() -> None:
    _, activity = folded(started(tasks=9), *map(begun, range(1, 4)), begun(4, None))
    work = activity.work(slots=None, coming_home=3)
    assert (list(work.running), work.busy, work.coming_home) == (["00004"], {"node-1": 0}, 3)
    assert activity.work(slots=None, coming_home=99).running == {}


def test_what_has_ended_or_is_to_run_again_does_not_run() -> None:
    _, activity = folded(
        *(started(tasks=3), begun(1), begun(2), begun(3), finished(1)),
        TaskRetried(task="00002", retries=1),
    )
    assert list(activity.work(slots=None).running) == ["00003"]


def test_a_run_that_is_taken_up_again_is_told_anew_what_runs() -> None:
    _, activity = folded(
        started(tasks=3), begun(1), replace(started(tasks=3), resumed=True), begun(2)
    )
    assert list(activity.work(slots=None).running) == ["00002"]


def test_phases_from_the_beginning_to_the_end() -> None:
    upload = UploadFinished(role="input", blob="a", bytes=1)
    run: list[Event] = []
    seen: list[list[Stand]] = []
    for event in (
        started(tasks=2, files=1, size=1),
        job(),
        pool(0, target=1),
        upload,
        added(1),
        added(2),
        pool(1),
        node("node-1", "idle"),
        begun(1),
        finished(1),
        OutputDownloaded(task="00002", role="output", blob="a", path="a", bytes=1),
        finished(2, succeeded=False),
        CleanupFinished(deleted=(), left=()),
        RunFinished(exit_code=1, succeeded=1, failed=1, unfinished=0, error=None),
    ):
        run.append(event)
        found = stands(*run)
        if not seen or seen[-1] != found:
            seen.append(found)
    assert seen == [
        [NOW, TO_COME, TO_COME, TO_COME, TO_COME],
        [NOW, NOW, TO_COME, TO_COME, TO_COME],
        [DONE, NOW, TO_COME, TO_COME, TO_COME],
        [DONE, DONE, TO_COME, TO_COME, TO_COME],
        [DONE, DONE, NOW, TO_COME, TO_COME],
        [DONE, DONE, NOW, NOW, TO_COME],
        [DONE, DONE, DONE, DONE, NOW],
        [DONE, DONE, DONE, DONE, DONE],
    ]


def test_tasks_that_leave_nothing_bring_nothing_down() -> None:
    run = (started(tasks=2), job(), pool(1), node("node-1", "running"), begun(1), finished(1))
    assert stands(*run) == [DONE, DONE, NOW, TO_COME, TO_COME]
    assert stands(*run, is_fetching=True) == [DONE, DONE, NOW, NOW, TO_COME]
    assert stands(*run, finished(2)) == [DONE, DONE, DONE, DONE, NOW]


def test_what_is_broken_off_says_so() -> None:
    run = (started(tasks=2), job(), pool(1), node("node-1", "running"), begun(1))
    assert stands(*run, is_ending=True) == [DONE, DONE, BROKEN, TO_COME, NOW]


def test_files_of_tasks_that_do_not_run_are_not_waited_for() -> None:
    upload = UploadFinished(role="input", blob="b", bytes=1)
    skipped = replace(finished(1), skipped=True)
    run = (started(tasks=2, files=2, size=2), skipped, job(), upload)
    assert stands(*run)[0] is NOW
    assert stands(*run, added(2))[0] is DONE
