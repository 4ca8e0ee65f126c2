"""What is due, in the order of time; and files of many tasks that go at about one moment."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.emulator.batch.core.agenda import Agenda, JobDue, TaskDue
from runner.emulator.batch.core.ids import JobId, TaskId

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)


def task(name: str) -> TaskDue:
    return TaskDue(job=JobId("j"), task=TaskId(name))


def job(name: str) -> JobDue:
    return JobDue(job=JobId(name))


def test_entries_come_by_time_and_then_by_age() -> None:
    agenda = Agenda()
    agenda.add(NOW + SECOND, job("b"))
    agenda.add(NOW, job("a"))
    agenda.add(NOW + SECOND, job("c"))
    assert agenda.next_moment() == NOW
    assert [agenda.pop(NOW), agenda.pop(NOW)] == [job("a"), None]
    assert [agenda.pop(NOW + SECOND) for _ in range(3)] == [job("b"), job("c"), None]
    assert agenda.next_moment() is None


def test_short_retention_is_kept_to_the_moment() -> None:
    agenda = Agenda()
    agenda.add_retention(NOW, 5 * SECOND, task("a"))
    assert agenda.next_moment() == NOW + 5 * SECOND
    assert agenda.pop(NOW + 4 * SECOND) is None
    assert agenda.pop(NOW + 5 * SECOND) == task("a")


def test_long_retention_is_never_cut_short_and_goes_together() -> None:
    agenda = Agenda()
    for number in range(100):
        agenda.add_retention(NOW + number * SECOND / 10, WEEK, task(str(number)))
    assert agenda.pop(NOW + WEEK) is None
    due = agenda.next_moment()
    assert due is not None
    assert due >= NOW + WEEK
    end = NOW + WEEK + 40 * SECOND
    found = set()
    while (entry := agenda.pop(end)) is not None:
        assert isinstance(entry, TaskDue)
        found.add(entry.task)
    assert found == {TaskId(str(number)) for number in range(100)}
    assert agenda.next_moment() is None
