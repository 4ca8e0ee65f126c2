"""Plans of many files and rows hold names and sizes, and no object for each of them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from runner.plan.expand import expand, place
from runner.plan.file_table import FileTableBuilder, Origin
from runner.plan.model import InputFile, Plan, TaskPlan
from runner.plan.rows import RowTable
from runner.plan.tasks import MOST_KEPT
from tests.fakes.plans import RUN, SPEC, make_plan, make_workload

COUNT = 20_000


def test_a_file_costs_its_name_and_a_few_numbers() -> None:
    tracemalloc.start()
    try:
        builder = FileTableBuilder((Origin(source=Path("/data")),))
        for number in range(COUNT):
            builder.add(f"folder/file-{number:07}.mp4", number, origin=0)
        table = builder.build()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < COUNT * 60
    assert table[COUNT - 1] == InputFile(
        source=Path("/data/folder/file-0019999.mp4"),
        blob="folder/file-0019999.mp4",
        path="folder/file-0019999.mp4",
        size_bytes=19_999,
    )
    assert [each.size_bytes for each in table[5:7]] == [5, 6]


def test_a_row_costs_its_text() -> None:
    tracemalloc.start()
    try:
        table = RowTable()
        for number in range(COUNT):
            table.append({"id": str(number), "name": "x" * 20})
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < COUNT * 80
    assert table[7] == {"id": "7", "name": "x" * 20}
    assert table.columns == ("id", "name")


def tasks(others: Sequence[TaskPlan] = ()) -> list[TaskPlan]:
    """The tasks that are in memory, but for those of other tests that have ended."""
    gc.collect()
    known = set(map(id, others))
    found = (each for each in gc.get_objects() if isinstance(each, TaskPlan))
    return [each for each in found if id(each) not in known]


def test_no_task_is_kept(tmp_path: Path) -> None:
    others = tasks()
    plan = make_plan(tmp_path, files=tuple(f"{number}.txt" for number in range(50)))
    assert len(plan.tasks) == 50
    assert tasks(others) == []


def test_the_last_tasks_that_were_asked_for_are_not_rendered_again(tmp_path: Path) -> None:
    others = tasks()
    plan = make_plan(tmp_path, files=tuple(f"{number}.txt" for number in range(500)))
    first = plan.tasks[0]
    assert plan.tasks[0] is first
    assert plan.tasks[-1] is plan.tasks[499]
    assert plan.tasks[:500][0] == first
    assert len(tasks(others)) < 100


def expand_to_run(folder: Path, count: int, text: str = SPEC) -> Plan:
    workload = make_workload(folder, text, tuple(f"{number}.txt" for number in range(count)))
    return expand(workload, folder=folder, run_id=RUN, keeps_tasks=True)


def test_a_small_plan_that_is_carried_out_renders_each_task_once(tmp_path: Path) -> None:
    others = tasks()
    plan = expand_to_run(tmp_path, 500)
    checked = set(map(id, tasks(others)))
    assert len(checked) == 500
    placed = place(plan, storage_endpoint="https://stexample.blob.core.windows.net")
    assert [id(each) for each in plan.tasks] == [id(each) for each in placed.tasks]
    assert {id(each) for each in placed.tasks} == checked
    assert tuple(plan.tasks) == tuple(make_plan(tmp_path, files=()).tasks)


def test_tasks_that_speak_of_urls_are_rendered_again_where_the_account_is_known(
    tmp_path: Path,
) -> None:
    plan = expand_to_run(tmp_path, 2, SPEC.replace("{{ file.path }}", "{{ file.url }}"))
    placed = place(plan, storage_endpoint="https://stexample.blob.core.windows.net")
    assert "https://stexample.blob.core.windows.net/" in placed.tasks[0].command.script
    assert "stexample" not in plan.tasks[0].command.script


def test_of_a_large_plan_no_task_is_kept_though_it_is_carried_out(tmp_path: Path) -> None:
    others = tasks()
    plan = expand_to_run(tmp_path, MOST_KEPT + 1)
    assert len(plan.tasks) == MOST_KEPT + 1
    assert tasks(others) == []
