"""What came home is counted once, however often a run was taken up again."""

from __future__ import annotations

from dataclasses import replace

from runner.report.as_json import report_as_json
from runner.report.fold import fold
from runner.run.events import Event, OutputDownloaded, RunStarted

START = RunStarted(workload="demo", target="azure", tasks=2, files=0, bytes=0)
AGAIN = replace(START, resumed=True)


def brought(task: str, blob: str, size: int) -> OutputDownloaded:
    """A file that came home."""
    return OutputDownloaded(task=task, role="output", blob=blob, path=blob, bytes=size)


def counted(*events: Event) -> tuple[int, int]:
    """Files and bytes, as the report has them."""
    value = report_as_json(fold(events), run="demo")
    assert "deliveries" not in value
    return value["downloaded_files"], value["downloaded_bytes"]


def test_files_of_all_tasks_count() -> None:
    told = (START, brought("2", "a", 5), brought("2", "b", 7), brought("1", "c", 1))
    assert counted(*told) == (3, 13)


def test_what_was_told_before_its_task_ended_is_told_again() -> None:
    first = (START, brought("1", "a", 5), brought("2", "b", 7), brought("2", "c", 1))
    second = (AGAIN, brought("2", "b", 8), brought("2", "c", 1))
    assert counted(*first) == (3, 13)
    assert counted(*first, AGAIN) == (3, 13)
    assert counted(*first, *second) == (3, 14)
    assert counted(*first, *second, AGAIN, brought("2", "b", 8)) == (2, 13)
